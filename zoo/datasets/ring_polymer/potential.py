"""The Kremer-Grest potential in numpy: an energy that owes nothing to LAMMPS.

K. Kremer, G. S. Grest, J. Chem. Phys. 92, 5057 (1990), eqs. 2 and 3; bending energy as in
R. Everaers et al., Science 303, 823 (2004). Units: σ, ε, mass 1.
"""

from __future__ import annotations

import numpy as np

from zoo.datasets.ring_polymer.polymer import FENE_K, FENE_R0, Polymer

#: Minimum of the Lennard-Jones potential, where it is cut and shifted to zero (WCA), σ.
CUTOFF = 2 ** (1 / 6)


def energy_and_forces(
    positions: np.ndarray, polymer: Polymer, box: np.ndarray | None = None
) -> tuple[float, np.ndarray]:
    """Return the energy, ε, and the forces `[particles, 3]`, ε/σ, of one configuration.

    Args:
        positions: `[particles, 3]`, σ, not wrapped within a chain.
        polymer: the chains.
        box: `[3]` edges of the periodic box, each more than 2 `CUTOFF`; None: free space.

    A bond that is longer than R0 has infinite energy; its force is left out.
    """
    positions = np.asarray(positions, np.float64)
    forces = np.zeros_like(positions)
    bonds = polymer.bonds()
    pairs, vectors = _close_pairs(positions, box) if polymer.excluded_volume else (bonds[:0], positions[:0])
    if len(pairs):
        bonded = np.sort(bonds, axis=1)
        apart = ~np.isin(pairs @ [polymer.particles, 1], bonded @ [polymer.particles, 1])
        pairs, vectors = pairs[apart], vectors[apart]
    energy = _central(forces, pairs, vectors, *_wca(np.sum(vectors**2, axis=1)))
    vectors = positions[bonds[:, 1]] - positions[bonds[:, 0]]
    r2 = np.sum(vectors**2, axis=1)
    for values, slopes in (_wca(r2), _fene(r2)):
        energy += _central(forces, bonds, vectors, values, slopes)
    if polymer.stiffness:
        energy += _bending(forces, positions, polymer)
    return energy, forces


def _wca(r2: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Energy and dU/d(r²)."""
    inside = r2 < CUTOFF**2
    s6 = np.where(inside, r2, 1.0) ** -3.0
    energy = np.where(inside, 4 * (s6**2 - s6) + 1, 0.0)
    return energy, np.where(inside, -12 * (2 * s6**2 - s6) / r2, 0.0)


def _fene(r2: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    whole = r2 < FENE_R0**2
    rest = np.where(whole, 1 - r2 / FENE_R0**2, 1.0)
    energy = np.where(whole, -0.5 * FENE_K * FENE_R0**2 * np.log(rest), np.inf)
    return energy, np.where(whole, 0.5 * FENE_K / rest, 0.0)


def _central(
    forces: np.ndarray, pairs: np.ndarray, vectors: np.ndarray, energy: np.ndarray, slope: np.ndarray
) -> float:
    """Add forces of pair energies with dU/d(r²) = `slope`; return their sum."""
    push = 2 * slope[:, None] * vectors  # on the first of each pair
    np.add.at(forces, pairs[:, 0], push)
    np.add.at(forces, pairs[:, 1], -push)
    return float(energy.sum())


def _bending(forces: np.ndarray, positions: np.ndarray, polymer: Polymer) -> float:
    a, b, c = polymer.angles().T
    u, v = positions[b] - positions[a], positions[c] - positions[b]
    lu, lv = (np.linalg.norm(w, axis=1, keepdims=True) for w in (u, v))
    cosine = np.sum(u * v, axis=1, keepdims=True) / (lu * lv)
    # ∂cos/∂u and ∂cos/∂v
    du = v / (lu * lv) - cosine * u / lu**2
    dv = u / (lu * lv) - cosine * v / lv**2
    np.add.at(forces, a, -polymer.stiffness * du)
    np.add.at(forces, b, polymer.stiffness * (du - dv))
    np.add.at(forces, c, polymer.stiffness * dv)
    return float(polymer.stiffness * (1 - cosine).sum())


def _close_pairs(positions: np.ndarray, box: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """All pairs (i < j) within the cutoff `[pairs, 2]` and r_j − r_i `[pairs, 3]`."""
    from scipy.spatial import cKDTree

    if box is None:
        pairs = cKDTree(positions).query_pairs(CUTOFF, output_type="ndarray")
        return pairs, positions[pairs[:, 1]] - positions[pairs[:, 0]]
    wrapped = np.mod(positions, box)
    wrapped = np.where(wrapped >= box, 0.0, wrapped)
    pairs = cKDTree(wrapped, boxsize=box).query_pairs(CUTOFF, output_type="ndarray")
    vectors = wrapped[pairs[:, 1]] - wrapped[pairs[:, 0]]
    return pairs, vectors - box * np.round(vectors / box)


def curvature(
    positions: np.ndarray, polymer: Polymer, box: np.ndarray | None, rng: np.random.Generator
) -> float:
    """Estimate ∇²U, ε/σ², without bias: zᵀ H z with random signs z (Hutchinson), by a difference.

    M. F. Hutchinson, Commun. Stat. Simul. Comput. 19, 433 (1990).
    """
    positions = np.asarray(positions, np.float64)
    z = rng.choice([-1.0, 1.0], positions.shape)
    step = 1e-5  # σ: errors step² U'''' (1e-10 × 1e6) and rounding 1e-12 / step are both small
    ahead, behind = (energy_and_forces(positions + s * step * z, polymer, box)[1] for s in (1, -1))
    return float(np.sum(z * (behind - ahead)) / (2 * step))
