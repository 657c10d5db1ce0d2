"""Mixed precision: lower in the layers, full in distances, filters and sums."""

from __future__ import annotations

import pytest
import torch
from molecules import complete, info, listed, positions

from zoo.models.base import ZooModel
from zoo.models.gat.config import GATConfig
from zoo.models.gat.model import GAT
from zoo.models.schnet.config import SchNetConfig
from zoo.models.schnet.model import SchNet
from zoo.physics.forces import energy_and_forces


@pytest.mark.parametrize("kind", ["schnet", "gat"])
@pytest.mark.parametrize("layout", ["complete", "listed"])
def test_forces_and_training_under_autocast(kind: str, layout: str) -> None:
    torch.manual_seed(0)
    model: ZooModel = (
        SchNet(SchNetConfig(hidden_channels=32), info())
        if kind == "schnet"
        else GAT(GATConfig(hidden_channels=32), info())
    )
    x = positions(2).float()
    graph = complete(x) if layout == "complete" else listed(x[0], model.cutoff)
    exact = energy_and_forces(model, graph)[1]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        forces = energy_and_forces(model, graph, create_graph=True)[1]
        loss = forces.square().mean()
    loss.backward()
    # bfloat16 has 8 bits: half a percent for each of a few tens of layers, there and back
    assert (forces - exact).norm() <= 0.1 * exact.norm()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)
    assert forces.dtype == torch.float32
