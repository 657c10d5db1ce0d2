"""Features of nodes, of every model that has layers."""

from __future__ import annotations

import pytest
import torch

from zoo.errors import ConfigError, DataError
from zoo.models.ensemble import Ensemble
from zoo.models.hidden import node_features
from zoo.registry import REGISTRY
from zoo.testing.subject import Subject, batch_of
from zoo.testing.systems import cluster

SMALL = {
    "gat": {"hidden_channels": 8, "heads": 2},
    "schnet": {"hidden_channels": 8, "num_filters": 8},
    "tensor-network": {"channels": 4, "num_gaussians": 8, "radial_channels": 8},
    "se3-glass": {"channels": 4, "radial_channels": 8},
}
#: Of the tasks that networks of nodes have.
TASKS = ("forces", "propensity")
needs_megnet = pytest.mark.skipif(
    "megnet" not in {entry.name for entry in REGISTRY.entries("models")}, reason="the plugin is not installed"
)


def specimens() -> list[tuple[str, str]]:
    out = []
    for entry in REGISTRY.entries("models"):
        spec = REGISTRY.get("models", entry.name)
        out += [(entry.name, task) for task in spec.tasks if task in TASKS and not spec.fitted]
    return out


def subject(name: str, task: str) -> Subject:
    return Subject(name, task, SMALL.get(name, {}))


@pytest.mark.parametrize(("name", "task"), specimens())
def test_every_network_of_nodes_tells_its_layers(name: str, task: str) -> None:
    maker = subject(name, task)
    model, system = maker.build(), maker.open_systems()[0]
    graph = system.graph(model.cutoff)
    found = node_features(model, graph)
    assert list(found) == [f"layer {k}" for k in range(len(found))] and len(found) >= 2
    assert all(h.ndim == 2 and len(h) == len(system.z) for h in found.values())
    if model.message_layers is not None and name not in ("glass-mlp", "gat"):
        # GAT counts the densities that it starts from; the layers of GlassMLP pass no messages
        assert len(found) == model.message_layers + 1
    for turn in (torch.linalg.qr(torch.randn(3, 3, dtype=torch.float64))[0], torch.eye(3).double()):
        turn = turn * torch.linalg.det(turn).sign()
        order = torch.randperm(len(system.z))
        moved = node_features(model, system.rotated(turn).permuted(order).graph(model.cutoff))
        invariant = maker.promises("rotation") or torch.equal(turn, torch.eye(3).double())
        for state in found:
            if invariant:
                # coefficients of e3nn were rounded in single precision
                assert torch.allclose(found[state][order], moved[state], rtol=1e-5, atol=1e-5), state


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("name", ["schnet", "gat", pytest.param("megnet", marks=needs_megnet)])
def test_the_last_features_give_the_prediction(name: str, task: str) -> None:
    maker = subject(name, task)
    model = maker.build()
    graph = maker.open_systems()[0].graph(model.cutoff)
    last = list(node_features(model, graph).values())[-1]
    seen: list[torch.Tensor] = []
    hook = model.head.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    predicted = model(graph)
    hook.remove()
    if name == "gat":
        last = model.norm(last)
    if name == "megnet":  # beside nodes its head reads edges and the whole
        last = torch.cat([last, seen[0][:, last.shape[1] :]], 1)
    # sums in another order where memory lies otherwise: float64 round-off
    assert torch.allclose(last, seen[0], rtol=1e-10, atol=1e-12)
    assert torch.allclose(model.head(last, graph), predicted, rtol=1e-10, atol=1e-12)


def test_features_between_layers_are_those_of_the_forward_pass() -> None:
    """SchNet's by hand: the features after a layer are those before and what the layer adds."""
    maker = subject("schnet", "forces")
    model = maker.build()
    graph = maker.open_systems()[0].graph(model.cutoff)
    found = list(node_features(model, graph).values())
    assert torch.allclose(found[0], model.embedding(graph.z), rtol=1e-12)
    added: list[torch.Tensor] = []
    hooks = [m.register_forward_hook(lambda *a: added.append(a[2].flatten(1))) for m in model.interactions]
    model(graph)
    for hook in hooks:
        hook.remove()
    for before, change, after in zip(found[:-1], added, found[1:], strict=True):
        assert torch.allclose(before + change, after, rtol=1e-10, atol=1e-12)


def test_gradients_pass_and_the_model_is_left_as_it_was() -> None:
    maker = subject("gat", "propensity")
    model = maker.build().train()
    graph = maker.open_systems()[0].graph(model.cutoff)
    graph.pos.requires_grad_()
    last = list(node_features(model, graph).values())[-1]
    (slope,) = torch.autograd.grad(last.sum(), graph.pos)
    assert float(slope.abs().max()) > 0
    assert model.training and not any(m._forward_pre_hooks for m in model.modules())


def test_an_autoencoder_of_nodes_has_them_too() -> None:
    maker = Subject("gat-autoencoder", "reconstruction", {"hidden_channels": 8, "decoder_channels": 16})
    model = maker.build()
    found = node_features(model, maker.open_systems()[0].graph(0.0))
    assert [h.shape for h in found.values()] == [(maker.info.num_particles, 8)] * 3


def test_an_ensemble_gives_those_of_its_first_member() -> None:
    maker = subject("schnet", "propensity")
    members = [maker.build(), maker.build()]
    graph = maker.open_systems()[0].graph(members[0].cutoff)
    found, first = node_features(Ensemble(members), graph), node_features(members[0], graph)
    assert all(torch.allclose(found[name], first[name], rtol=1e-10, atol=1e-12) for name in first)


def test_what_has_no_answer_is_refused() -> None:
    maker = subject("schnet", "forces")
    model, systems = maker.build(), maker.open_systems()
    with pytest.raises(DataError, match="one graph at a time"):
        node_features(model, batch_of([s.graph(model.cutoff) for s in systems[:2]]))
    ridge = Subject("ridge", "propensity")
    with pytest.raises(ConfigError, match="no layers"):
        node_features(ridge.build(), cluster("node").graph(2.0))


@needs_megnet
def test_as_many_edges_as_nodes_are_refused_where_layers_get_both() -> None:
    megnet = subject("megnet", "forces")
    graph = cluster("potential").graph(5.0)
    for key in ("edge_pair", "pair_edge"):
        del graph[key]
    graph.edge_index = graph.edge_index[:, : len(graph.pos)]
    with pytest.raises(DataError, match="as many edges as nodes"):
        node_features(megnet.build(), graph)
