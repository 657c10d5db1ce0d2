"""Mean forces on beads, by sampling the particles with the beads held: what force matching is after."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.linalg import null_space
from torch import Tensor

from zoo.coarse.maps import CoarseMap
from zoo.errors import DataError
from zoo.physics.samplers.langevin import Langevin
from zoo.physics.samplers.state import Potential, energy_and_forces
from zoo.progress import progress

#: Stretches of time that the error of a mean comes from.
BLOCKS = 8


@dataclass(frozen=True)
class MeanForces:
    """−∂W/∂z at given beads, with standard errors, and the variance of the instantaneous force about it.

    Args:
        mean, error, variance: `[frames, beads, 3]`.
    """

    mean: np.ndarray
    error: np.ndarray
    variance: np.ndarray


def mean_forces(
    potential: Potential,
    masses: Tensor,
    coarse: CoarseMap,
    x: np.ndarray,
    kT: float,
    *,
    timestep: float,
    friction: float,
    steps: int,
    equilibrate: int,
    seed: int = 0,
) -> MeanForces:
    """Sample the particles at fixed beads z = C x, and average B f.

    Beads are linear in the positions, so that the particles move freely in the space where C x stays, which
    is spanned by coordinates of unit mass; ordinary Langevin dynamics in them needs no correction, and the
    mean of B f is the mean force exactly (Ciccotti, Kapral, Vanden-Eijnden, ChemPhysChem 6, 1809 (2005)). In
    a short time barriers between states of the held molecule are not crossed: the means are then those of
    the state that each frame is in.

    Args:
        potential: positions `[frames, particles, 3]` → energies `[frames]`.
        masses: `[particles]`, energy · time² / length²; see `zoo.physics.samplers.state.inertia`.
        coarse: the map.
        x: `[frames, particles, 3]` where sampling starts, and what holds the beads.
        kT: energy.
        timestep, friction: of the dynamics, time and 1/time.
        steps, equilibrate: time steps that are averaged over, and that are thrown away before.
        seed: of the noise.

    Raises:
        DataError: fewer steps than blocks of the error, or a map of other particles.
        RunFailed: the dynamics broke down.
    """
    if steps < BLOCKS:
        raise DataError(f"mean forces need at least {BLOCKS} steps, got {steps}")
    held = _Held(potential, masses, coarse, torch.from_numpy(np.array(x, np.float64)))
    unit = torch.ones(held.free.shape[1], dtype=torch.float64)
    dynamics = Langevin(held, unit, kT, timestep, friction)
    generator = torch.Generator().manual_seed(seed)
    start = torch.zeros(len(x), held.free.shape[1], 3, dtype=torch.float64)
    state = dynamics.advance(dynamics.start(start, generator), equilibrate, generator)
    project = torch.from_numpy(coarse.forces)
    means, square = [], torch.zeros(len(x), coarse.num_beads, 3, dtype=torch.float64)
    with progress("mean forces at held beads", steps, "steps") as bar:
        for block in range(BLOCKS):
            inside = (block + 1) * steps // BLOCKS - block * steps // BLOCKS
            total = torch.zeros_like(square)
            for _ in range(inside):
                state = dynamics.advance(state, 1, generator)
                force = project @ held.forces
                total += force
                square += force.square()
                bar.advance(1)
            means.append((total / inside).numpy())
    mean = np.mean(means, 0)
    error = np.std(means, 0, ddof=1) / np.sqrt(BLOCKS)
    return MeanForces(mean, error, np.maximum(square.numpy() / steps - mean**2, 0))


class _Held:
    """The energy in coordinates y of unit mass that leave the beads where they are: x = x₀ + Q y, C Q = 0.

    Q = M^(−1/2) N, the columns of N spanning the null space of C M^(−1/2).
    """

    def __init__(self, potential: Potential, masses: Tensor, coarse: CoarseMap, origin: Tensor) -> None:
        if origin.ndim != 3 or origin.shape[1] != len(masses) or len(masses) != coarse.positions.shape[1]:
            raise DataError(
                f"a map of {coarse.positions.shape[1]} particles with {len(masses)} masses does not fit "
                f"positions {list(origin.shape)}"
            )
        light = masses.double().rsqrt().numpy()
        self.free = torch.from_numpy(light[:, None] * null_space(coarse.positions * light))
        self.potential, self.origin = potential, origin
        self.forces = torch.zeros_like(origin)  # on the particles, when last asked

    def __call__(self, y: Tensor) -> Tensor:
        return self.potential(self.origin + self.free @ y)

    def energy_and_forces(self, y: Tensor) -> tuple[Tensor, Tensor]:
        energies, self.forces = energy_and_forces(self.potential, self.origin + self.free @ y)
        return energies, self.free.T @ self.forces
