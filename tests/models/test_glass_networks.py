"""`bapst`, `botan` and `se3-glass`: published sizes, the plain formula, what they tell of themselves."""

from __future__ import annotations

import pytest
import torch

from zoo import keys
from zoo.bench.speed.plain_bapst import PlainBapst
from zoo.data.graph import Graph
from zoo.data.info import DataInfo
from zoo.graphs import edge_vectors
from zoo.models.bapst.config import BapstConfig
from zoo.models.bapst.model import Bapst
from zoo.models.botan.config import BotanConfig
from zoo.models.botan.model import Botan
from zoo.models.se3_glass.config import SE3GlassConfig
from zoo.models.se3_glass.model import SE3Glass
from zoo.testing.systems import liquid


def info_of(targets: int = 1, **more) -> DataInfo:
    return DataInfo(
        interface="node", units="lj", types=[0, 1], num_particles=16,
        target_names=[f"t{i}" for i in range(targets)],
        target_mean=[[0.4] * targets, [0.6] * targets], target_std=[[0.2] * targets, [0.3] * targets], **more,
    )  # fmt: skip


@pytest.fixture
def graph() -> Graph:
    return liquid("node", 16).graph(2.0, torch.float32)


def plain_input(graph: Graph) -> Graph:
    return Graph(
        x=graph.z[:, None].float(), kind=graph.z, edge_index=graph.edge_index,
        edge_attr=edge_vectors(graph.pos, graph.edge_index, graph.edge_shift),
    )  # fmt: skip


def test_bapst_has_the_published_number_of_parameters():
    assert sum(p.numel() for p in Bapst(BapstConfig(), info_of()).parameters()) == 62_401


def test_bapst_is_the_network_with_all_parts_concatenated(graph):
    torch.manual_seed(0)
    model = Bapst(BapstConfig(hidden_channels=16, fade=0.0), info_of(3))
    with torch.no_grad():  # another order of sums in single precision
        assert torch.allclose(model(graph), PlainBapst(model)(plain_input(graph)), atol=1e-5)


def test_a_self_loop_is_an_edge_of_length_zero(graph):
    torch.manual_seed(0)
    model = Bapst(BapstConfig(hidden_channels=16, fade=0.0, self_loops=True), info_of())
    data = plain_input(graph)
    own = torch.arange(16).expand(2, 16)
    data.edge_index = torch.cat([data.edge_index, own], 1)
    data.edge_attr = torch.cat([data.edge_attr, torch.zeros(16, 3)])
    with torch.no_grad():
        assert torch.allclose(model(graph), PlainBapst(model)(data), atol=1e-5)


def test_bapst_sees_directions(graph):
    torch.manual_seed(0)
    model = Bapst(BapstConfig(hidden_channels=16), info_of())
    before = model(graph)
    graph.pos, graph.edge_shift = graph.pos[:, [1, 2, 0]], graph.edge_shift[:, [1, 2, 0]]
    assert float((model(graph) - before).detach().abs().max()) > 1e-3


def test_botan_without_pairs_to_learn_from_is_bapst():
    model = Botan(BotanConfig(), info_of())
    assert not model.predicts_pairs and sum(p.numel() for p in model.parameters()) == 62_401


def test_botan_predicts_the_edges_within_its_cutoff(graph):
    torch.manual_seed(0)
    model = Botan(BotanConfig(hidden_channels=8, cutoff=1.4), info_of(pair_mean=[0.1], pair_std=[0.3]))
    nodes, changes, edges = model.forward_pairs(graph)
    assert torch.equal(nodes, model(graph)) and changes.shape == (len(edges), 1)
    length = edge_vectors(graph.pos, graph.edge_index, graph.edge_shift).norm(dim=1)
    assert torch.equal(edges, (length < 1.4).nonzero()[:, 0]) and 0 < len(edges) < len(length)
    changes.sum().backward()
    grads = [p.grad for p in model.decode_edge.parameters()]
    assert all(g is not None and bool(g.isfinite().all()) for g in grads)


def test_se3_glass_tells_the_weight_of_each_path():
    torch.manual_seed(0)
    model = SE3Glass(SE3GlassConfig(channels=4, num_layers=2), info_of())
    weights, distances = model.path_weights(), torch.linspace(0.5, 2.0, 7)
    filters = model.radial_filters(distances)
    assert list(weights) == model.path_names() and filters.shape == (len(weights), 7)
    # scalars alone start: one path to each order; then all triangles of l ≤ 2 with natural parity
    assert [sum(name.startswith(f"layer {n}") for name in weights) for n in (1, 2)] == [3, 11]
    assert float(filters[:, -1].abs().max()) < 1e-6  # nothing at the cutoff
    number = list(weights).index("layer 2: 1o x 1o -> 0e")
    first = model.layers[1]
    with torch.no_grad():  # the radial network's last layer has 4 channels a path
        place = number - 3
        first.radial[-1].weight[4 * place : 4 * place + 4] = 0
    changed = model.path_weights()
    silent = [name for name in weights if changed[name] == 0]
    assert silent == ["layer 2: 1o x 1o -> 0e"]
    assert float(model.radial_filters(distances)[number].abs().max()) == 0


def test_se3_glass_starts_from_the_energy_where_the_potential_is_known():
    pair = {"epsilon": [[1.0, 1.5], [1.5, 0.5]], "sigma": [[1.0, 0.8], [0.8, 0.88]], "cutoff": 2.5}
    known = SE3Glass(SE3GlassConfig(channels=4), info_of(potential=pair))
    unknown = SE3Glass(SE3GlassConfig(channels=4), info_of())
    assert known.num_descriptors < unknown.num_descriptors
    assert all("energy" in name for name in known.describer.names)
    assert all("density" in name for name in unknown.describer.names)
    system = liquid("node", 16).graph(known.cutoff, torch.float32)
    assert known(system).shape == (16, 1) and keys.DESCRIPTORS not in system
