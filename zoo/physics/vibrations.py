"""How fast the fastest vibration of a potential is: what limits the time step."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from zoo.physics.samplers.state import Potential, energy_and_forces, particle_column

#: Steps of the power iteration; its error shrinks with the square of the ratio of the highest eigenvalues.
ITERATIONS = 30
#: Displacement of the particle that moves furthest, in units of length; single precision resolves it.
STEP = 3e-3


def shortest_period(
    potential: Potential, positions: Tensor, masses: Tensor, generator: torch.Generator
) -> float:
    """Return 2π/ω of the fastest normal mode over all replicas; infinite where nothing vibrates.

    ω² is the largest eigenvalue of M^(−1/2) H M^(−1/2), H the Hessian, by power iteration with central
    differences of forces.

    Args:
        potential: positions `[batch, particles, 3]` → energies `[batch]`.
        positions: `[batch, particles, 3]`.
        masses: `[particles]`, energy · time² / length², as `zoo.physics.samplers.inertia` gives.
        generator: of the first direction, on the device of the positions.
    """
    root = particle_column(masses, positions).sqrt()
    v = torch.randn(positions.shape, generator=generator, dtype=positions.dtype, device=positions.device)
    curvature = torch.zeros(len(positions), dtype=positions.dtype, device=positions.device)
    for _ in range(ITERATIONS):
        v = v / v.flatten(1).norm(dim=1)[:, None, None].clamp_min(1e-30)
        move = v / root
        step = STEP / move.norm(dim=-1).amax(1)[:, None, None]
        ahead, behind = (energy_and_forces(potential, positions + s * step * move)[1] for s in (1, -1))
        change = (behind - ahead) / (2 * step) / root
        curvature = (v * change).flatten(1).sum(1)
        v = change
    fastest = float(curvature.nan_to_num(0.0).max())
    return 2 * math.pi / math.sqrt(fastest) if fastest > 0 else math.inf
