"""Draws moved on by Hamiltonian Monte Carlo, which leaves the Boltzmann distribution as it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from zoo import keys
from zoo.data.dataset import Dataset
from zoo.data.potential import Potential
from zoo.models.density import DensityModel
from zoo.physics.samplers import HMC, State, inertia
from zoo.physics.samplers.state import energy_and_forces
from zoo.progress import progress
from zoo.verbs.drawing import chunks, frame_writer

#: Time step from which the warm-up starts, in the unit system's time: it shrinks faster than it grows.
TIMESTEP = {"ase": 0.002, "lj": 0.2}
#: The warm-up: replicas of the model's reference, iterations.
PILOT, WARM_UP = 32, 40


@dataclass(frozen=True)
class Refined:
    """Frames after refinement.

    Args:
        dataset: their positions.
        energy: `[frames]`, infinite where they were left alone.
        acceptance: mean probability of a move to be accepted.
        turned_back: moves that would have left the model's domain (a mirror image, say), not accepted.
        left_alone: frames that were outside of the domain, or of infinite energy, from the start.
        evaluations: energies that it cost, all with forces.
    """

    dataset: Dataset
    energy: np.ndarray
    acceptance: float
    turned_back: int
    left_alone: int
    evaluations: int


def refine(
    model: DensityModel, frames: Dataset, potential: Potential, kT: float, iterations: int,
    generator: torch.Generator, folder: Path,
) -> Refined:  # fmt: skip
    """Do so many iterations of HMC on each frame, in Cartesian coordinates and double precision.

    Target is the Boltzmann distribution within the model's domain, as it is of the weights: a move that
    leaves it is not accepted. So weighted draws keep their weights, and resampled ones come nearer to
    equilibrium. The time step is found beforehand, on copies of the model's reference.

    Args:
        model: gives domain and reference.
        frames: where to start.
        potential: of their particles.
        kT: in its unit of energy.
        iterations: positive.
        generator: decides everything random.
        folder: of the dataset to make.

    Raises:
        RunFailed: the reference's energy is infinite.
    """
    counted = _Counted(potential)
    mass = inertia(frames.system.masses, frames.units)
    walk = _Walk(model, _tuned(model, counted, mass, kT, frames, generator), generator)
    positions = frames.array(keys.POSITIONS)
    energies = []
    with frame_writer(folder, frames) as writer, progress("refining", len(frames), "frames") as bar:
        for rows in chunks(len(frames), frames.system.num_particles):
            x = torch.from_numpy(np.array(positions[rows.start : rows.stop], np.float64))
            moved, energy = walk.moved(x, iterations)
            writer.append({keys.POSITIONS: moved.numpy().astype(np.float32)})
            energies.append(energy.numpy())
            bar.advance(len(rows), f"acceptance {walk.acceptance:.2f}")
    return Refined(
        Dataset(folder), np.concatenate(energies), walk.acceptance, walk.turned_back, walk.left_alone,
        counted.evaluations,
    )  # fmt: skip


def _tuned(
    model: DensityModel, potential: _Counted, mass: Tensor, kT: float, frames: Dataset,
    generator: torch.Generator,
) -> HMC:  # fmt: skip
    """Find the time step on replicas that are no part of the sample, which stays exact."""
    start = torch.tensor(model.info.reference, dtype=torch.float64).expand(PILOT, -1, -1)
    sampler = HMC(potential, mass, kT, TIMESTEP[frames.units.name], fixed_center=True)
    tuned, _ = sampler.warmed_up(sampler.start(start, generator), WARM_UP, generator)
    return replace(tuned, timestep=float(torch.as_tensor(tuned.timestep).mean()))


class _Walk:
    """HMC of chunk after chunk, with its counts."""

    def __init__(self, model: DensityModel, sampler: HMC, generator: torch.Generator) -> None:
        self.coordinates, self.sampler, self.generator = model.coordinates, sampler, generator
        #: Two where everything happens in a plane: no velocity shall lead out of it.
        self.space = len(model.info.reference[0])
        self.moves = self.turned_back = self.left_alone = 0
        self._accepted = 0.0

    @property
    def acceptance(self) -> float:
        return self._accepted / max(self.moves, 1)

    def moved(self, x: Tensor, iterations: int) -> tuple[Tensor, Tensor]:
        """Return positions `[batch, particles, 3]` after the walk from x, and their energies `[batch]`."""
        flat = x[..., : self.space]
        energy = energy_and_forces(self.sampler.potential, flat)[0]
        good = torch.isfinite(energy) & self._inside(flat)
        self.left_alone += int((~good).sum())
        out, energies = x.clone(), energy.new_full((len(x),), torch.inf)
        if not good.any():
            return out, energies
        state = self.sampler.start(flat[good], self.generator)
        for _ in range(iterations):
            state = self._step(state)
        out[good, :, : self.space], energies[good] = state.positions, state.energies
        return out, energies

    def _step(self, state: State) -> State:
        new, probability = self.sampler.move(state, self.generator)
        inside = self._inside(new.positions)
        self.moves += len(inside)
        self.turned_back += int((~inside).sum())
        self._accepted += float(probability[inside].sum())
        rows = inside[:, None, None]
        return State(
            torch.where(rows, new.positions, state.positions),
            new.velocities,  # drawn anew in each iteration
            torch.where(rows, new.forces, state.forces),
            torch.where(inside, new.energies, state.energies),
        )

    def _inside(self, x: Tensor) -> Tensor:
        return self.coordinates.inside(self.coordinates.from_cartesian(x)[0])


class _Counted:
    """A potential that counts the configurations it is asked for."""

    def __init__(self, potential: Potential) -> None:
        self.potential, self.evaluations = potential, 0

    def __call__(self, positions: Tensor) -> Tensor:
        self.evaluations += len(positions)
        return self.potential(positions)

    def energy_and_forces(self, positions: Tensor) -> tuple[Tensor, Tensor]:
        self.evaluations += len(positions)
        return energy_and_forces(self.potential, positions)
