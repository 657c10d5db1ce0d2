"""Softness and GlassMLP on what is known: a planted plane, stored rearrangements, a planted field."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from molecules import info, listed

from zoo.config import Optim
from zoo.data.catalog import open_dataset
from zoo.data.graph import Graph
from zoo.data.info import data_info
from zoo.descriptors import DescriptorSettings
from zoo.errors import DataError
from zoo.models.glass_mlp.config import GlassMLPConfig
from zoo.models.glass_mlp.model import GlassMLP
from zoo.models.softness_svm.config import SoftnessConfig
from zoo.models.softness_svm.labels import fastest_and_slowest
from zoo.models.softness_svm.model import SoftnessSVM
from zoo.tasks.propensity.config import PropensityConfig
from zoo.tasks.propensity.task import PropensityTask

SHELLS = {"start": 0.5, "stop": 1.5, "step": 0.25, "width": 0.25}
SMALL = {**SHELLS, "orders": 0, "energy": False, "averages": 0, "diffused": [], "offset": False}


def liquid(seed: int, n: int = 60) -> Graph:
    noise = torch.Generator().manual_seed(seed)
    x = 5.0 * torch.rand(n, 3, generator=noise, dtype=torch.float64)
    kinds = torch.randint(0, 2, (n,), generator=noise)
    return listed(x, 2.5, kinds, 5.0 * torch.eye(3, dtype=torch.float64))


def glass_info():
    means = {"target_mean": [[0.0], [0.0]], "target_std": [[1.0], [1.0]], "target_names": ["t"]}
    return info("node", units="lj", types=[0, 1], num_particles=60, **means)


def planted(model: SoftnessSVM, count: int = 8) -> list[Graph]:
    """Particles rearrange where two columns of the descriptors differ more than they usually do."""
    graphs = [liquid(seed) for seed in range(count)]
    for graph in graphs:
        x = model.inputs(graph)
        field = x[:, 1] - 0.5 * x[:, 6]
        graph.targets, graph.rearranges = (0.1 * field + 3.0)[:, None].exp(), (field > 1.0).long()
    return graphs


def test_the_plane_parts_what_a_plane_parts() -> None:
    model = SoftnessSVM(SoftnessConfig(descriptors=DescriptorSettings(**SMALL), C=100.0), glass_info())
    graphs = planted(model)
    model.fit(graphs)
    for graph in graphs:
        assert bool(((model.softness(graph) > 0) == (graph.rearranges == 1)).float().mean() > 0.98)


def test_the_line_is_the_one_of_least_squares() -> None:
    """Against numpy's fit of the targets by the softness."""
    model = SoftnessSVM(SoftnessConfig(descriptors=DescriptorSettings(**SMALL)), glass_info())
    graphs = planted(model)
    model.fit(graphs)
    for k in (0, 1):
        s = torch.cat([model.softness(g)[g.z == k] for g in graphs]).numpy()
        y = torch.cat([g.targets[g.z == k, 0] for g in graphs]).numpy()
        slope, offset = np.polyfit(s, y, 1)
        # both in float64, of some hundred rows
        assert float(model.slope[k, 0]) == pytest.approx(slope, rel=1e-8)
        assert float(model.offset[k, 0]) == pytest.approx(offset, rel=1e-8)


def test_regression_of_log_propensity() -> None:
    """The planted propensity is the exponential of a linear field: its logarithm is found."""
    config = SoftnessConfig(descriptors=DescriptorSettings(**SMALL), regression=True, C=100.0)
    model = SoftnessSVM(config, glass_info())
    graphs = planted(model)
    model.fit(graphs)
    for graph in graphs:
        # an ε-insensitive loss with ε = 0 and a weak penalty
        assert torch.allclose(model.softness(graph), graph.targets[:, 0].log(), rtol=0, atol=1e-2)


def test_labels_by_propensity() -> None:
    graph = Graph(z=torch.tensor([0] * 10 + [1] * 5), targets=torch.arange(15.0)[:, None])
    graph.pos, graph.frame = torch.zeros(15, 3), torch.tensor([0])
    expected = [0, 0, -1, -1, -1, -1, -1, -1, 1, 1, *(0, -1, -1, -1, 1)]
    assert fastest_and_slowest(graph, 0.2).tolist() == expected


def test_pair_correlation_only_looks_at_distances() -> None:
    model = SoftnessSVM(SoftnessConfig(pair_correlation_only=True), glass_info())
    assert all(name.startswith("density") for name in model.describer.names)
    names = SoftnessSVM(SoftnessConfig(), glass_info()).describer.names
    assert {name.split()[0] for name in names} == {"density", "order"}


def test_what_cannot_be_fitted_is_refused() -> None:
    graphs = [liquid(1)]
    graphs[0].targets = torch.ones(60, 1)
    config = SoftnessConfig(descriptors=DescriptorSettings(**SMALL), labels="p_hop")
    with pytest.raises(DataError, match="labels=propensity"):
        SoftnessSVM(config, glass_info()).fit(graphs)
    graphs[0].rearranges = torch.full((60,), -1)
    with pytest.raises(DataError, match="rest"):
        SoftnessSVM(config, glass_info()).fit(graphs)


def test_the_softer_the_likelier_to_rearrange() -> None:
    """On configurations that were not fitted to: the share that jumps rises with the softness."""
    dataset = open_dataset("kob-andersen")
    config = SoftnessConfig(pair_correlation_only=True)
    model = SoftnessSVM(config, data_info(dataset.split("train"), "node"))
    model.fit([dataset.graph(frame, model.cutoff) for frame in range(0, 20, 4)])
    softness, jumps = [], []
    for frame in range(20, 28, 2):
        graph = dataset.graph(frame, model.cutoff)
        mine = (graph.z == 0) & (graph.rearranges >= 0)
        softness.append(model.softness(graph)[mine])
        jumps.append(graph.rearranges[mine].double())
    order = torch.cat(softness).argsort()
    shares = torch.stack([part.mean() for part in torch.cat(jumps)[order].tensor_split(4)])
    assert bool((shares.diff() > 0).all()) and float(shares[-1] - shares[0]) > 0.2


def test_glass_mlp_learns_a_planted_field() -> None:
    torch.manual_seed(0)
    settings = DescriptorSettings(**SMALL)
    model = GlassMLP(GlassMLPConfig(descriptors=settings), glass_info())
    graphs = [liquid(seed) for seed in range(6)]
    for graph in graphs:
        x = model.inputs(graph)
        graph.pos, graph.descriptors = graph.pos.float(), x.float()
        graph.targets = torch.tanh(0.5 * (x[:, 1:2] - x[:, 6:7])).float()
    task = PropensityTask(model, PropensityConfig(), Optim(lr=1e-2))
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    model.train()
    losses = []
    for _ in range(60):
        for graph in graphs[:5]:
            optimizer.zero_grad()
            loss, _ = task.loss(graph)
            loss.backward()
            optimizer.step()
        losses.append(float(loss))
    model.eval()
    guess, truth = model(graphs[5])[:, 0], graphs[5].targets[:, 0]
    assert losses[-1] < 0.2 * losses[0]
    assert float(torch.corrcoef(torch.stack([guess, truth]))[0, 1]) > 0.8


def test_what_is_set_goes_over_the_entrys_own_descriptors() -> None:
    """`--set model.descriptors.averages=1` leaves the rest of softness' structure functions as they are."""
    own, changed = SoftnessConfig().descriptors, SoftnessConfig(descriptors={"averages": 1}).descriptors
    assert changed == own.model_copy(update={"averages": 1}) and own.orders == 6
    again = SoftnessConfig(**SoftnessConfig(descriptors={"orders": 2}).model_dump())
    assert again.descriptors.orders == 2 and again.descriptors.start == own.start
