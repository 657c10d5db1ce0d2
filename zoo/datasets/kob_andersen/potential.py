"""The pair potential of Kob and Andersen, and an energy that owes nothing to LAMMPS.

W. Kob, H. C. Andersen, Phys. Rev. E 51, 4626 (1995), eq. 1: Lennard-Jones, cut at 2.5 σ_αβ and
shifted to zero there. Units: σ_AA, ε_AA, mass 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np

#: ε_αβ and σ_αβ; row and column 0 = A, 1 = B.
EPSILON = np.array([[1.0, 1.5], [1.5, 0.5]])
SIGMA = np.array([[1.0, 0.8], [0.8, 0.88]])
#: Cutoff of each pair in units of its σ_αβ.
CUTOFF = 2.5
#: Share of A particles.
FRACTION_A = 0.8
TYPE_NAMES = {0: "A", 1: "B"}


def parameters() -> dict[str, Any]:
    """Return the potential as plain JSON, for a dataset's system."""
    return {
        "potential": "lennard-jones, cut at cutoff × sigma and shifted to zero there",
        "epsilon": EPSILON.tolist(),
        "sigma": SIGMA.tolist(),
        "cutoff": CUTOFF,
    }


def composition(particles: int) -> np.ndarray:
    """Return `[particles]` types of the 80:20 mixture: A first, then B."""
    return np.repeat([0, 1], [round(FRACTION_A * particles), particles - round(FRACTION_A * particles)])


def pairs(positions: np.ndarray, box: np.ndarray, cutoff: float) -> tuple[np.ndarray, np.ndarray]:
    """Return all pairs `[pairs, 2]` (i < j) within `cutoff` and their vectors r_j − r_i `[pairs, 3]`.

    Args:
        positions: `[particles, 3]`, σ, any image.
        box: `[3]` edges of the periodic box, σ, each more than twice `cutoff`.
    """
    from scipy.spatial import cKDTree  # here, so that worker processes do without scipy

    wrapped = np.mod(np.asarray(positions, np.float64), box)
    wrapped = np.where(wrapped >= box, 0.0, wrapped)
    index = cKDTree(wrapped, boxsize=box).query_pairs(cutoff, output_type="ndarray")
    vectors = wrapped[index[:, 1]] - wrapped[index[:, 0]]
    return index, vectors - box * np.round(vectors / box)


def energy_and_forces(
    positions: np.ndarray, types: np.ndarray, box: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the energy of each particle `[particles]`, ε (half of each pair), and forces, ε/σ."""
    index, vectors = pairs(positions, box, CUTOFF * SIGMA.max())
    a, b = types[index[:, 0]], types[index[:, 1]]
    r2 = np.sum(vectors**2, axis=1)
    inside = r2 < (CUTOFF * SIGMA[a, b]) ** 2
    index, vectors, r2, a, b = index[inside], vectors[inside], r2[inside], a[inside], b[inside]
    s6 = (SIGMA[a, b] ** 2 / r2) ** 3
    shift = CUTOFF**-12.0 - CUTOFF**-6.0
    energy = 4 * EPSILON[a, b] * (s6**2 - s6 - shift)
    force = (24 * EPSILON[a, b] * (2 * s6**2 - s6) / r2)[:, None] * vectors  # on the second one
    n = len(types)
    per_particle = 0.5 * (np.bincount(index[:, 0], energy, n) + np.bincount(index[:, 1], energy, n))
    forces = np.zeros((n, 3))
    for axis in range(3):
        forces[:, axis] = np.bincount(index[:, 1], force[:, axis], n)
        forces[:, axis] -= np.bincount(index[:, 0], force[:, axis], n)
    return per_particle, forces
