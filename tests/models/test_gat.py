"""Attention: what it sums to, and that layouts of edges agree."""

from __future__ import annotations

import pytest
import torch
from molecules import complete, info, listed, positions, without_pairs
from pydantic import ValidationError

from zoo.graphs import Segments, segment_sum
from zoo.models.gat.config import GATConfig
from zoo.models.gat.model import GAT
from zoo.physics.forces import energy_and_forces

CUTOFF = 4.0


def model(interface: str = "potential") -> GAT:
    torch.manual_seed(0)
    config = GATConfig(hidden_channels=16, heads=2, num_layers=2, num_gaussians=8, cutoff=CUTOFF)
    return GAT(config, info(interface)).double()


def test_attention_sums_to_one() -> None:
    graph = listed(positions(1)[0], CUTOFF)
    layers = model().return_attention(graph)
    assert len(layers) == 2
    for edges, own in layers:
        assert edges.shape == (graph.edge_index.shape[1], 2) and (edges >= 0).all()
        total = own + segment_sum(edges, Segments.sorted(graph.edge_index[1], graph.num_nodes))
        # float64 round-off of sums of seven numbers
        assert torch.allclose(total, torch.ones_like(total), rtol=0, atol=1e-14)


def test_attention_is_dynamic() -> None:
    """Different nodes rank the same neighbours differently: what GATv2 can do and GAT cannot."""
    net, graph = model(), complete(positions(1))
    with torch.no_grad():
        for parameter in net.parameters():
            parameter += 0.5 * torch.randn_like(parameter)
        net.layers[0].key_filter.weight.zero_()  # distances must not decide
    (edges, _), *_ = net.return_attention(graph)
    envelope = net.envelope((graph.pos[graph.edge_index[0]] - graph.pos[graph.edge_index[1]]).norm(dim=1))
    atoms = graph.num_nodes
    logit = torch.full((atoms, atoms), float("nan"), dtype=torch.float64)
    logit[graph.edge_index[1], graph.edge_index[0]] = (edges[:, 0] / envelope).log()
    difference = logit[:, :, None] - logit[:, None, :]  # [receiver, neighbour, other neighbour]
    spread = difference.detach().nan_to_num().amax(0) - difference.detach().nan_to_num().amin(0)
    assert float(spread.max()) > 0.01


def test_without_pair_numbers() -> None:
    graph = complete(positions(3))
    for a, b in zip(
        energy_and_forces(model(), graph),
        energy_and_forces(model(), without_pairs(graph)),
        strict=True,
    ):
        # float64 round-off: sums in another order
        assert torch.allclose(a, b, rtol=1e-10, atol=1e-13)


def test_last_neighbour_fades_out() -> None:
    """With one neighbour, a plain softmax would give it all the attention up to the cutoff."""
    net = model("node")
    z = torch.tensor([6, 8])

    def output(d: float) -> torch.Tensor:
        x = torch.tensor([[0.0, 0.0, 0.0], [d, 0.0, 0.0]], dtype=torch.float64)
        return net(complete(x[None], z))

    inside, outside = output(CUTOFF * (1 - 1e-6)), output(CUTOFF * (1 + 1e-6))
    # the cutoff function is (π·1e-6/2)² ≈ 2.5e-12 there
    assert torch.allclose(inside, outside, rtol=0, atol=1e-9)
    assert not torch.allclose(output(0.5 * CUTOFF), outside, rtol=0, atol=1e-4)


def test_heads_divide_channels() -> None:
    with pytest.raises(ValidationError, match="must divide"):
        GATConfig(hidden_channels=10, heads=4)
