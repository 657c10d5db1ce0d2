"""SchNet is torch-geometric's function, whatever the layout of pairs, and its derivatives are right."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from molecules import Z, complete, info, listed, positions, without_pairs
from torch import Tensor
from torch_geometric.nn.models import SchNet as PyGSchNet
from torch_geometric.nn.models.schnet import ShiftedSoftplus

from zoo.data.graph import Graph
from zoo.errors import ConfigError
from zoo.models.schnet.config import SchNetConfig
from zoo.models.schnet.model import SchNet
from zoo.physics.forces import energy_and_forces

CUTOFF = 4.0  # shorter than the molecule is long, so that some pairs are beyond it


def theirs(dtype: torch.dtype = torch.float64, cutoff: float = CUTOFF, filters: int = 24) -> PyGSchNet:
    """torch-geometric's SchNet, its neighbours found by brute force (its own search needs pyg-lib)."""

    def neighbours(pos: Tensor, batch: Tensor) -> tuple[Tensor, Tensor]:
        near = torch.cdist(pos, pos) < cutoff
        near &= batch[:, None] == batch
        near.fill_diagonal_(False)
        send, receive = near.nonzero().T
        return torch.stack([send, receive]), (pos[send] - pos[receive]).norm(dim=-1)

    torch.manual_seed(0)
    model = PyGSchNet(32, filters, 3, 20, cutoff=cutoff, interaction_graph=neighbours).to(dtype)
    for module in model.modules():
        if isinstance(module, ShiftedSoftplus):
            module.shift = math.log(2.0)  # theirs is rounded to float32, which float64 would show
    return model


def ours(model: PyGSchNet, **facts: object) -> SchNet:
    config = SchNetConfig(
        hidden_channels=model.hidden_channels,
        num_filters=model.num_filters,
        num_interactions=model.num_interactions,
        num_gaussians=model.num_gaussians,
        cutoff=model.cutoff,
    )
    mine = SchNet(config, info(**facts))
    mine.load_pyg(model.state_dict())
    return mine.to(model.lin1.weight.dtype)


def evaluate(model: PyGSchNet, graph: Graph, *, create_graph: bool = False) -> tuple[Tensor, Tensor]:
    pos = graph.pos.detach().clone().requires_grad_()
    energy = model(graph.z, pos, graph.get("batch")).squeeze(-1)
    return energy, -torch.autograd.grad(energy.sum(), pos, create_graph=create_graph)[0]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("layout", ["complete", "listed", "directed"])
def test_equals_torch_geometric(dtype: torch.dtype, layout: str) -> None:
    # statistics of training data must not enter: load_pyg takes the function as it is
    reference = theirs(dtype)
    mine = ours(reference, force_rms=3.0, energy_per_particle=-2.0)
    x = positions(4).to(dtype)
    graph = complete(x) if layout != "listed" else listed(x[0], CUTOFF)
    graph = without_pairs(graph) if layout == "directed" else graph
    energy, forces = energy_and_forces(mine, graph)
    energy0, forces0 = evaluate(reference, graph)
    # the bound in float32; round-off of a few hundred operations in float64
    tolerance = 1e-5 if dtype == torch.float32 else 1e-12
    assert ((energy - energy0).abs() <= tolerance * energy0.abs()).all()
    assert (forces - forces0).norm() <= tolerance * forces0.norm()


def test_training_gradients_equal_torch_geometric() -> None:
    reference = theirs()
    mine, graph = ours(reference), complete(positions(3))
    noise = torch.randn(graph.pos.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    for model, call in ((mine, energy_and_forces), (reference, evaluate)):
        energy, forces = call(model, graph, create_graph=True)
        (energy.square().sum() + (forces - noise).square().sum()).backward()
    pairs = {
        "embedding.weight": "embedding.weight",
        "interactions.0.filter.0.weight": "interactions.0.mlp.0.weight",
        "interactions.1.filter.0.bias": "interactions.1.mlp.0.bias",
        "interactions.2.filter.2.weight": "interactions.2.mlp.2.weight",
        "interactions.0.filter.2.bias": "interactions.0.mlp.2.bias",
        "interactions.1.before.weight": "interactions.1.conv.lin1.weight",
        "interactions.1.after.bias": "interactions.1.conv.lin2.bias",
        "interactions.2.out.weight": "interactions.2.lin.weight",
        "head.lin2.weight": "lin2.weight",
    }
    mine_by_name, theirs_by_name = dict(mine.named_parameters()), dict(reference.named_parameters())
    for our_name, their_name in pairs.items():
        a, b = mine_by_name[our_name].grad, theirs_by_name[their_name].grad
        # float64 round-off, amplified by the second derivative
        assert (a - b).norm() <= 1e-10 * b.norm(), our_name


@pytest.mark.parametrize("layout", ["complete", "listed", "directed"])
def test_hessian(layout: str) -> None:
    """The second derivative by positions, which takes the filters' curvature, by differences of forces."""
    model = ours(theirs())
    x = positions(1)
    graph = listed(x[0], CUTOFF) if layout == "listed" else complete(x)
    graph = without_pairs(graph) if layout == "directed" else graph

    def energy(pos: Tensor) -> Tensor:
        moved = copy.copy(graph)
        moved.pos = pos
        return model(moved).sum()

    def forces(pos: Tensor) -> Tensor:
        moved = copy.copy(graph)
        moved.pos = pos
        return energy_and_forces(model, moved)[1]

    hessian = torch.autograd.functional.hessian(energy, graph.pos)
    step = 1e-5
    way = torch.randn(graph.pos.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(4))
    slope = (forces(graph.pos - step * way) - forces(graph.pos + step * way)) / (2 * step)
    along = torch.einsum("iajb,jb->ia", hessian, way)
    # central differences: truncation step² ≈ 1e-10, round-off 1e-16/step ≈ 1e-11; slopes of order 10²
    assert (slope - along).norm() <= 1e-7 * along.norm()


def test_third_derivatives_are_refused() -> None:
    model, graph = ours(theirs()), complete(positions(1))
    graph.pos.requires_grad_()
    value = model(graph).sum()
    for _ in range(2):
        (gradient,) = torch.autograd.grad(value, graph.pos, create_graph=True)
        value = gradient.square().sum()
    with pytest.raises(RuntimeError, match="not further"):
        torch.autograd.grad(value, graph.pos)


def test_even_and_odd_molecules() -> None:
    """Step n/2 of the complete layout holds half as many pairs when n is even."""
    for atoms in (2, 3, 4, 7, 8):
        reference, z = theirs(), Z.repeat(2)[:atoms]
        graph = complete(positions(3, atoms=atoms), z)
        energy, forces = energy_and_forces(ours(reference), graph)
        energy0, forces0 = evaluate(reference, graph)
        # float64 round-off
        assert torch.allclose(energy, energy0, rtol=1e-12)
        assert torch.allclose(forces, forces0, rtol=1e-9, atol=1e-14)


def test_periodic_images_of_one_particle() -> None:
    """A cutoff beyond half the box: particles interact with several images, and with their own."""
    model = ours(theirs())
    x, cell = torch.rand(3, 3, dtype=torch.float64) * 3.0, 3.0 * torch.eye(3, dtype=torch.float64)
    graph, doubled = listed(x, CUTOFF, Z[:3], cell), torch.cat([x, x + cell[0]])
    twice = listed(doubled, CUTOFF, Z[:3].repeat(2), cell * torch.tensor([[2.0], [1.0], [1.0]]))
    assert (graph.edge_index[0] == graph.edge_index[1]).any()
    # the energy of two cells is twice that of one, to round-off
    assert torch.allclose(2 * model(graph), model(twice), rtol=1e-12)
    assert torch.allclose(model(graph), model(without_pairs(graph)), rtol=1e-12)


def test_load_pyg_refuses_other_sizes() -> None:
    mine = ours(theirs())
    with pytest.raises(ConfigError, match="filter"):
        mine.load_pyg(theirs(filters=8).state_dict())


def test_load_pyg_refuses_node_models() -> None:
    with pytest.raises(ConfigError, match="energies"):
        SchNet(SchNetConfig(), info("node")).load_pyg(theirs().state_dict())


def test_types_without_embedding_are_refused() -> None:
    with pytest.raises(ConfigError, match="types 0 to 99"):
        SchNet(SchNetConfig(), info(types=[1, 120]))
