"""Pair potentials of the mixtures, and an energy that owes nothing to LAMMPS.

All are U(r) = 4 ε [(σ/r)¹² − (σ/r)⁶ + c0 + c2 (r/σ)² + c4 (r/σ)⁴] below a cutoff in units of each
pair's σ, and zero beyond. The polynomial lets the energy (c0), or the energy and its first two
derivatives, vanish at the cutoff. Units: σ_AA, ε_AA, mass 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class PairPotential:
    """One pair potential for all pairs of species.

    Args:
        epsilon, sigma: `[species, species]`, ε and σ of each pair.
        cutoff: in units of each pair's σ.
        tail: c0, c2, c4 of the polynomial.
        form: the potential in words.
    """

    epsilon: np.ndarray
    sigma: np.ndarray
    cutoff: float
    tail: tuple[float, float, float]
    form: str

    @property
    def range(self) -> float:
        """Largest cutoff of any pair, σ."""
        return self.cutoff * float(self.sigma.max())

    def energy(self, x2: np.ndarray) -> np.ndarray:
        """Return U / ε at (r/σ)² = `x2` below the cutoff."""
        c0, c2, c4 = self.tail
        s6 = x2**-3.0
        return 4 * (s6**2 - s6 + c0 + c2 * x2 + c4 * x2**2)

    def force(self, x2: np.ndarray) -> np.ndarray:
        """Return −U′ / r in ε/σ² at (r/σ)² = `x2`, for σ = ε = 1."""
        _, c2, c4 = self.tail
        s6 = x2**-3.0
        return (24 * (2 * s6**2 - s6) - 8 * c2 * x2 - 16 * c4 * x2**2) / x2

    def laplacian(self, x2: np.ndarray, dimensions: int) -> np.ndarray:
        """Return U″ + (dimensions − 1) U′ / r at (r/σ)² = `x2`, for σ = ε = 1."""
        _, c2, c4 = self.tail
        s6 = x2**-3.0
        second = 4 * (156 * s6**2 - 42 * s6 + 2 * c2 * x2 + 12 * c4 * x2**2) / x2
        return second - (dimensions - 1) * self.force(x2)


def shifted(cutoff: float) -> tuple[float, float, float]:
    """Return the constant that makes the energy vanish at the cutoff."""
    return (cutoff**-6.0 - cutoff**-12.0, 0.0, 0.0)


def smooth(cutoff: float) -> tuple[float, float, float]:
    """Return the polynomial that makes energy, force and its derivative vanish at the cutoff."""
    x = cutoff
    matrix = np.array([[1, x**2, x**4], [0, 2 * x, 4 * x**3], [0, 2, 12 * x**2]])
    values = [x**-12.0 - x**-6.0, -12 * x**-13.0 + 6 * x**-7.0, 156 * x**-14.0 - 42 * x**-8.0]
    c0, c2, c4 = np.linalg.solve(matrix, -np.array(values)).tolist()
    return (c0, c2, c4)


def pairs(positions: np.ndarray, box: np.ndarray, cutoff: float) -> tuple[np.ndarray, np.ndarray]:
    """Return all pairs `[pairs, 2]` (i < j) within `cutoff` and their vectors r_j − r_i.

    Args:
        positions: `[particles, dimensions]`, σ, any image.
        box: `[dimensions]` edges of the periodic box, σ, each more than twice `cutoff`.
    """
    from scipy.spatial import cKDTree  # here, so that worker processes do without scipy

    wrapped = np.mod(np.asarray(positions, np.float64), box)
    wrapped = np.where(wrapped >= box, 0.0, wrapped)
    index = cKDTree(wrapped, boxsize=box).query_pairs(cutoff, output_type="ndarray")
    vectors = wrapped[index[:, 1]] - wrapped[index[:, 0]]
    return index, vectors - box * np.round(vectors / box)


@dataclass(frozen=True)
class Bonds:
    """Interacting pairs of one configuration: `index [pairs, 2]`, `vectors`, (r/σ)², ε, σ."""

    index: np.ndarray
    vectors: np.ndarray
    x2: np.ndarray
    epsilon: np.ndarray
    sigma: np.ndarray


def interacting(positions: np.ndarray, types: np.ndarray, box: np.ndarray, potential: PairPotential) -> Bonds:
    """Find the pairs that interact; `positions [particles, dimensions]`, `box [dimensions]`, σ."""
    index, vectors = pairs(positions, box, potential.range)
    kinds = types[index[:, 0]], types[index[:, 1]]
    sigma = potential.sigma[kinds]
    x2 = np.sum(vectors**2, axis=1) / sigma**2
    near = x2 < potential.cutoff**2
    return Bonds(index[near], vectors[near], x2[near], potential.epsilon[kinds][near], sigma[near])


def energy_and_forces(
    positions: np.ndarray, types: np.ndarray, box: np.ndarray, potential: PairPotential
) -> tuple[np.ndarray, np.ndarray]:
    """Return the energy of each particle `[particles]`, ε (half of each pair), and forces, ε/σ.

    Args:
        positions: `[particles, dimensions]`, σ; the forces have this shape.
        types: `[particles]`.
        box: `[dimensions]`, edges, σ.
        potential: between all pairs.
    """
    found = interacting(positions, types, box, potential)
    first, second = found.index.T
    energy = found.epsilon * potential.energy(found.x2)
    force = (found.epsilon * potential.force(found.x2) / found.sigma**2)[:, None] * found.vectors
    n = len(types)
    per_particle = 0.5 * (np.bincount(first, energy, n) + np.bincount(second, energy, n))
    forces = np.zeros((n, found.vectors.shape[1]))
    for axis in range(forces.shape[1]):
        forces[:, axis] = np.bincount(second, force[:, axis], n) - np.bincount(first, force[:, axis], n)
    return per_particle, forces


def configurational_temperature(
    positions: np.ndarray, types: np.ndarray, box: np.ndarray, potential: PairPotential
) -> float:
    """Return ⟨|∇U|²⟩ / ⟨∇²U⟩ of one configuration, ε/k_B: the temperature, from positions alone.

    H. H. Rugh, Phys. Rev. Lett. 78, 772 (1997). A jump of the force at the cutoff, or of its
    derivative, is left out of ∇²U: below 1 % of it. Arguments as of `energy_and_forces`.
    """
    _, forces = energy_and_forces(positions, types, box, potential)
    found = interacting(positions, types, box, potential)
    laplacian = found.epsilon * potential.laplacian(found.x2, forces.shape[1]) / found.sigma**2
    return float(np.sum(forces**2) / (2 * laplacian.sum()))  # of both particles of each pair


def pressure(
    positions: np.ndarray, types: np.ndarray, box: np.ndarray, potential: PairPotential, temperature: float
) -> float:
    """Return the virial pressure, ε/σ³ (ε/σ² in two dimensions). Arguments as of `energy_and_forces`."""
    found = interacting(positions, types, box, potential)
    virial = np.sum(found.epsilon * potential.force(found.x2) * found.x2)
    dimensions = found.vectors.shape[1]
    return float((len(types) * temperature + virial / dimensions) / np.prod(box))
