"""Short dense simulations of atoms, for the noise that their beads feel.

Frames of a dataset are often 1 ps apart, and the forces on beads forget themselves within some 10 fs: the
friction of `zoo.analysis.friction` needs frames a few fs apart. Bursts start from frames of equilibrium with
velocities of equilibrium and move without a thermostat, so that all noise is the molecule's own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from zoo import keys
from zoo.analysis.friction import Friction, noise_friction
from zoo.coarse.maps import CoarseMap
from zoo.data.dataset import Dataset
from zoo.data.potential import potential_of
from zoo.errors import ConfigError, DataError
from zoo.models.potential import GraphPotential
from zoo.physics.samplers import Langevin, inertia
from zoo.progress import progress

#: The correlation of the noise is followed for this share of a burst.
LAG_SHARE = 4


@dataclass(frozen=True)
class Bursts:
    """Beads of dense simulations.

    Args:
        positions: `[bursts, frames, beads, 3]` z = C x.
        forces: `[bursts, frames, beads, 3]` F = B f.
        spacing: time between frames.
        kT: energy.
    """

    positions: np.ndarray
    forces: np.ndarray
    spacing: float
    kT: float


def bursts(
    dataset: Dataset, coarse: CoarseMap, *, count: int = 32, frames: int = 400, spacing: float = 0.005,
    timestep: float = 0.001, seed: int = 0,
) -> Bursts:  # fmt: skip
    """Simulate a dataset's particles with its own energy function, and keep their beads.

    Args:
        dataset: with an energy function (`zoo.data.potential`) and a temperature.
        coarse: map of its particles.
        count: bursts, started from frames spread over the dataset.
        frames: of each.
        spacing: between frames; a whole number of time steps.
        timestep: ps or τ.
        seed: of the velocities.

    Raises:
        DataError: the dataset has no energy function or temperature, or other particles than the map.
        ConfigError: the spacing is no whole number of time steps.
        RunFailed: the dynamics broke down.
    """
    every = round(spacing / timestep)
    if every < 1 or abs(every * timestep - spacing) > 1e-6 * spacing:
        raise ConfigError(f"a spacing of {spacing:g} is no whole number of time steps of {timestep:g}")
    if coarse.positions.shape[1] != dataset.system.num_particles:
        raise DataError(
            f"the map is of {coarse.positions.shape[1]} particles, {dataset.name} has "
            f"{dataset.system.num_particles}: bursts are of the atoms that the beads were made from"
        )
    if dataset.temperature is None:
        raise DataError(f"{dataset.name} states no temperature")
    kT = dataset.units.boltzmann * dataset.temperature
    picked = np.linspace(0, len(dataset) - 1, count).round().astype(int)
    x = torch.from_numpy(dataset.array(keys.POSITIONS, picked).astype(np.float64))
    masses = inertia(dataset.system.masses, dataset.units)
    langevin = Langevin(potential_of(dataset), masses, kT, timestep, friction=0.0)
    generator = torch.Generator().manual_seed(seed)
    state = langevin.start(x, generator)
    shape = (count, frames, coarse.num_beads, 3)
    positions, forces = np.empty(shape), np.empty(shape)
    with progress("bursts", frames * spacing, dataset.units.time) as bar:
        for frame in range(frames):
            state = langevin.advance(state, every, generator)
            positions[:, frame] = coarse.to_beads(state.positions.numpy())
            forces[:, frame] = coarse.project(state.forces.numpy())
            bar.advance(spacing)
    return Bursts(positions, forces, spacing, kT)


def bead_friction(dense: Bursts, potential: GraphPotential) -> Friction:
    """Return the friction of each bead from what a potential of the beads does not explain of their forces.

    Args:
        dense: see `bursts`.
        potential: of the beads; its forces stand for the mean force.
    """
    runs, frames = dense.positions.shape[:2]
    residual = np.empty_like(dense.forces)
    for run in range(runs):
        residual[run] = (
            dense.forces[run] - potential.energy_and_forces(torch.from_numpy(dense.positions[run]))[1].numpy()
        )
    return noise_friction(list(residual), dense.spacing, dense.kT, frames // LAG_SHARE)
