"""On a real glass: turned, shifted through the box, in another order, the same propensities to 1e-5 σ."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import zoo
from zoo import keys
from zoo.data.graph import Graph
from zoo.graphs import neighbor_list
from zoo.models.base import FittedModel, ZooModel
from zoo.registry import REGISTRY

MODELS = [
    entry.name
    for entry in REGISTRY.entries("models")
    if entry.builtin and "propensity" in REGISTRY.get("models", entry.name).tasks
]
LIMIT = 1e-5


def built(name: str) -> ZooModel:
    """The model as it starts, or fitted to three frames."""
    torch.manual_seed(0)
    data = zoo.load_dataset("kob-andersen")
    model = zoo.create_model(name, dataset=data, task="propensity")
    if isinstance(model, FittedModel):
        model.fit([data.split("train").graph(i, model.cutoff or 1.0) for i in (0, 4, 8)])
    return model.eval()


def predicted(model: ZooModel, x: torch.Tensor, z: torch.Tensor, cell: torch.Tensor) -> torch.Tensor:
    edges = neighbor_list(x, model.cutoff or 1.0, cell=cell)
    assert edges.edge_shift is not None
    graph = Graph(
        pos=x.float(), z=z, cell=cell[None].float(), edge_index=edges.edge_index,
        edge_pair=edges.edge_pair, pair_edge=edges.pair_edge, edge_shift=edges.edge_shift.float(),
    )  # fmt: skip
    with torch.no_grad():
        return model(graph)


@pytest.mark.parametrize("name", MODELS)
def test_propensities_do_not_depend_on_the_frame_of_reference(name: str) -> None:
    data = zoo.load_dataset("kob-andersen")
    model = built(name)
    x = torch.from_numpy(np.array(data.array(keys.POSITIONS)[27], np.float64))
    cell = torch.from_numpy(np.array(data.array(keys.CELLS)[27], np.float64))
    z = torch.from_numpy(data.system.types.copy())
    first = predicted(model, x, z, cell)
    assert first.std() > 0
    generator = torch.Generator().manual_seed(1)
    shifted = (x + torch.tensor([1.7, -3.1, 0.4])) % cell.diagonal()
    assert (predicted(model, shifted, z, cell) - first).abs().max() < LIMIT
    images = torch.randint(-2, 3, (len(x), 3), generator=generator).double()
    assert (predicted(model, x + images @ cell, z, cell) - first).abs().max() < LIMIT
    order = torch.randperm(len(x), generator=generator)
    assert (predicted(model, x[order], z[order], cell) - first[order]).abs().max() < LIMIT
    if "rotation" in REGISTRY.get("models", name).symmetries:
        turn, _ = torch.linalg.qr(torch.randn(3, 3, generator=generator, dtype=torch.float64))
        assert (predicted(model, x @ turn.T, z, cell @ turn.T) - first).abs().max() < LIMIT
