"""Energies and conservative forces of anything that maps a graph to energies."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch_geometric.data import Data

from zoo import keys


def energy_and_forces(
    potential: Callable[[Data], torch.Tensor], graph: Data, *, create_graph: bool = False
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return energies `[graphs]` and forces `[nodes, 3]` = −∂U/∂pos.

    Args:
        potential: maps a graph to energies `[graphs]`.
        graph: is not changed; positions get a gradient on a shallow copy.
        create_graph: keep what is needed to differentiate the forces, for training.
    """
    graph = copy.copy(graph)  # shallow: tensors are shared, the caller's keys stay
    with torch.enable_grad():
        positions = graph[keys.POS].detach().requires_grad_()
        graph[keys.POS] = positions
        energy = potential(graph)
        (gradient,) = torch.autograd.grad(energy.sum(), positions, create_graph=create_graph)
    return (energy if create_graph else energy.detach()), -gradient
