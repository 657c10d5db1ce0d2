"""Small equivariant flows away from their start."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from zoo.data.info import DataInfo
from zoo.models.equivariant_flow.config import EquivariantFlowConfig
from zoo.models.equivariant_flow.model import EquivariantFlow

CASES: list[dict[str, Any]] = [
    {},
    {"space": 2},
    {"cutoff": 2.5},
    {"bonds": [(0, 1), (1, 2), (2, 3)], "units": "ase"},
    {"field": "gat"},
    {"field": "gat", "cutoff": 2.5, "chiral": True},
]


def made(
    particles: int = 5, space: int = 3, bonds: Any = (), units: Any = "lj", noise: float = 0.1, **options: Any
) -> EquivariantFlow:
    """Return a perturbed model in double precision."""
    info = DataInfo(
        interface="density", units=units, types=[0], num_particles=particles, particle_types=[0] * particles,
        bonds=list(bonds), reference=[[0.0] * space] * particles, kT=1.0,
    )  # fmt: skip
    torch.manual_seed(5)
    config = EquivariantFlowConfig(**{"hidden_channels": 8, "num_gaussians": 12, "heads": 2, **options})
    model = EquivariantFlow(config, info).double()
    with torch.no_grad():
        for weights in model.parameters():
            weights.add_(noise * torch.randn_like(weights))
    return model


def frames(model: EquivariantFlow, n: int) -> Tensor:
    """Return random positions `[n, particles, dim]` about their centre."""
    shape = (n, model.coordinates.particles, model.coordinates.space)
    x = torch.randn(shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    return x - x.mean(1, keepdim=True)
