"""Energies of the mixtures that owe nothing to LAMMPS; see `zoo.engines.pair_potential`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zoo.engines.pair_potential import PairPotential


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
