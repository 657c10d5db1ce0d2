"""Langevin dynamics of several boxes of argon side by side, in numpy."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from molzoo_megnet.argon.options import CUTOFF, EPSILON, MASS, SIGMA, ArgonOptions
from zoo.units import BOLTZMANN_EV

#: Å/ps² of one eV/Å/amu: e / u, CODATA 2018.
ACCELERATION = 9648.53321233
#: K: the crystal that a run starts from melts here within a few ps.
HOT = 200.0


def lennard_jones(positions: np.ndarray, box: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return energies `[runs]` (eV), forces (eV/Å) and Laplacians of the energy `[runs]` (eV/Å²).

    `4ε((σ/r)¹² − (σ/r)⁶)`, cut at 2.5 σ and shifted to 0 there; each pair by its nearest image, as
    the box is wider than two cutoffs. `positions [runs, atoms, 3]` may be unwrapped.
    """
    each = [_one_box(x, box) for x in positions]  # one at a time: stays within the cache
    energies, forces, laplacians = zip(*each, strict=True)
    return np.array(energies), np.stack(forces), np.array(laplacians)


def _one_box(x: np.ndarray, box: float) -> tuple[float, np.ndarray, float]:
    i, j = _pairs(len(x))
    d = x.T[:, i] - x.T[:, j]
    d -= box * np.rint(d / box)
    r2 = (d * d).sum(0)
    near = r2 < CUTOFF**2
    i, j, d, inverse = i[near], j[near], d[:, near], SIGMA**2 / r2[near]
    s6 = inverse * inverse * inverse
    shift = (SIGMA / CUTOFF) ** 12 - (SIGMA / CUTOFF) ** 6
    energy = 4 * EPSILON * float((s6 * (s6 - 1) - shift).sum())
    slope = 24 * EPSILON / SIGMA**2 * inverse * s6 * (2 * s6 - 1)  # −u′/r
    forces = [np.bincount(i, f, len(x)) - np.bincount(j, f, len(x)) for f in slope * d]
    # u″ + 2u′/r, at both ends of each pair
    laplacian = 2 * 24 * EPSILON / SIGMA**2 * float((inverse * s6 * (22 * s6 - 5)).sum())
    return energy, np.stack(forces, axis=1), laplacian


@lru_cache(maxsize=4)
def _pairs(atoms: int) -> tuple[np.ndarray, np.ndarray]:
    i, j = np.triu_indices(atoms, 1)
    return i, j


def lattice(options: ArgonOptions) -> np.ndarray:
    """Return the face-centred cubic crystal `[atoms, 3]` that fills the box."""
    basis = np.array([[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]]) / 2
    corners = np.array(list(itertools.product(range(options.cells), repeat=3)))
    return (corners[:, None] + basis + 0.25).reshape(-1, 3) * options.box / options.cells


@dataclass
class State:
    """Positions (Å, unwrapped) and velocities (Å/ps) of all runs, `[runs, atoms, 3]` float64."""

    positions: np.ndarray
    velocities: np.ndarray

    @classmethod
    def crystal(cls, options: ArgonOptions, rng: np.random.Generator) -> State:
        """Start all runs from a crystal with velocities of a hot gas."""
        start = np.repeat(lattice(options)[None], options.runs, axis=0)
        return cls(start, _maxwell(start.shape, HOT, rng))

    def run(
        self, options: ArgonOptions, steps: int, rng: np.random.Generator, *,
        temperature: float | None = None, friction: float | None = None,
        each: int = 0, keep: Callable[[State], None] = lambda state: None,
    ) -> None:  # fmt: skip
        """Take `steps` of Langevin dynamics, and call `keep` after `each` of them.

        Splitting BAOAB (Leimkuhler, Matthews 2013). The total momentum stays zero: noise and
        friction act on relative velocities, so that boxes do not diffuse as a whole.
        """
        h = options.timestep
        kick, temperature = ACCELERATION * h / 2 / MASS, temperature or options.temperature
        decay = np.exp(-(friction or options.friction) * h)
        x, v = self.positions, self.velocities
        forces = lennard_jones(x, options.box)[1]
        for step in range(1, steps + 1):
            v += kick * forces
            x += h / 2 * v
            v *= decay
            v += np.sqrt(1 - decay**2) * _maxwell(v.shape, temperature, rng)
            x += h / 2 * v
            forces = lennard_jones(x, options.box)[1]
            v += kick * forces
            if each and step % each == 0:
                keep(self)


def _maxwell(shape: tuple[int, ...], temperature: float, rng: np.random.Generator) -> np.ndarray:
    """Velocities `[runs, atoms, 3]` of a temperature, Å/ps, with no total momentum."""
    v = np.sqrt(BOLTZMANN_EV * temperature * ACCELERATION / MASS) * rng.standard_normal(shape)
    return v - v.mean(1, keepdims=True)
