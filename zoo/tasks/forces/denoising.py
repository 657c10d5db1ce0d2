"""Forces from positions alone: those that would undo noise.

With x = x₀ + σ ε, the mean of −kT ε/σ at x is kT ∇ ln p_σ(x) (Vincent, Neural Comput. 23, 1661 (2011)), the
force of the ensemble blurred by σ: as a loss, what forces are to force matching (Arts et al., J. Chem. Theory
Comput. 19, 6151 (2023), "Two for one").
"""

from __future__ import annotations

import copy

import numpy as np
import torch
from torch import Tensor
from torch_geometric.data import Data

from zoo import keys
from zoo.data.graph import Graph


def noised(
    x: Tensor, kT: float, sigma: float, generator: torch.Generator | None = None
) -> tuple[Tensor, Tensor]:
    """Return blurred positions and the forces that undo it, `[frames, particles, 3]` each.

    The noise leaves each frame's centre where it is: no potential of a free molecule could tell.

    Args:
        x: `[frames, particles, 3]`.
        kT: energy.
        sigma: standard deviation of the noise, length.
        generator: of the noise, on the CPU; None: torch's own.
    """
    noise = torch.randn(x.shape, generator=generator, dtype=x.dtype).to(x.device)
    noise = noise - noise.mean(1, keepdim=True)
    return x + sigma * noise, -kT / sigma * noise


def noised_graph(graph: Graph, particles: int, kT: float, sigma: float, *, fixed: bool) -> Graph:
    """Return a batch with blurred positions, the forces that undo it, and no energies.

    Args:
        graph: batch of frames of `particles` each; is not changed.
        particles: of a frame.
        kT, sigma: see `noised`.
        fixed: the noise of a batch is always the same, by the number of its first frame.
    """
    generator = torch.Generator().manual_seed(_seed(graph)) if fixed else None
    x, forces = noised(graph[keys.POS].view(-1, particles, 3), kT, sigma, generator)
    graph = copy.copy(graph)
    graph[keys.POS], graph[keys.FORCES] = x.flatten(0, 1), forces.flatten(0, 1)
    if keys.ENERGY in graph:
        del graph[keys.ENERGY]
    return graph


def noised_array(positions: np.ndarray, kT: float, sigma: float) -> tuple[np.ndarray, np.ndarray]:
    """`noised` of an array, the same at every call, in float64."""
    x = torch.from_numpy(np.ascontiguousarray(positions, np.float64))
    blurred, forces = noised(x, kT, sigma, torch.Generator().manual_seed(0))
    return blurred.numpy(), forces.numpy()


def _seed(graph: Data) -> int:
    return int(graph[keys.FRAME].flatten()[0])
