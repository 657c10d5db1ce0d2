"""ACE-ALA-NME: atoms, bonds, φ and ψ, and a starting structure for any φ, ψ.

The order of atoms is that of the AMBER topology that openmmtools and the literature use.
"""

from __future__ import annotations

import numpy as np

from zoo.physics.torsions import place, torsions

#: (residue, atom, atomic number), in order.
ATOMS: tuple[tuple[str, str, int], ...] = (
    ("ACE", "HH31", 1), ("ACE", "CH3", 6), ("ACE", "HH32", 1), ("ACE", "HH33", 1),
    ("ACE", "C", 6), ("ACE", "O", 8),
    ("ALA", "N", 7), ("ALA", "H", 1), ("ALA", "CA", 6), ("ALA", "HA", 1), ("ALA", "CB", 6),
    ("ALA", "HB1", 1), ("ALA", "HB2", 1), ("ALA", "HB3", 1), ("ALA", "C", 6), ("ALA", "O", 8),
    ("NME", "N", 7), ("NME", "H", 1), ("NME", "CH3", 6),
    ("NME", "HH31", 1), ("NME", "HH32", 1), ("NME", "HH33", 1),
)  # fmt: skip
RESIDUES = ("ACE", "ALA", "NME")
PHI = (4, 6, 8, 14)  # C–N–Cα–C
PSI = (6, 8, 14, 16)  # N–Cα–C–N
OMEGA = ((1, 4, 6, 8), (8, 14, 16, 18))  # the two peptide bonds
#: Cα with its substituents N, C, Cβ; their triple product is positive for an L amino acid.
CHIRAL = (8, 6, 14, 10)

# atom: (bonded to, angle with, torsion with, bond in Å, angle in °, torsion in °); bond lengths and
# angles are ff96's equilibrium values. A torsion given as a pair is an offset to φ or ψ.
_Z_MATRIX: dict[int, tuple] = {
    8: (6, 4, 1, 1.449, 121.9, 180.0),
    5: (4, 6, 8, 1.229, 122.9, 0.0),
    7: (6, 4, 1, 1.010, 119.8, 0.0),
    14: (8, 6, 4, 1.522, 110.1, ("phi", 0.0)),
    10: (8, 6, 4, 1.526, 109.7, ("phi", -122.0)),
    9: (8, 6, 4, 1.090, 109.5, ("phi", 119.0)),
    16: (14, 8, 6, 1.335, 116.6, ("psi", 0.0)),
    15: (14, 8, 6, 1.229, 120.4, ("psi", 180.0)),
    18: (16, 14, 8, 1.449, 121.9, 180.0),
    17: (16, 14, 8, 1.010, 119.8, 0.0),
    0: (1, 4, 6, 1.090, 109.5, -60.0),
    2: (1, 4, 6, 1.090, 109.5, 60.0),
    3: (1, 4, 6, 1.090, 109.5, 180.0),
    11: (10, 8, 6, 1.090, 109.5, -60.0),
    12: (10, 8, 6, 1.090, 109.5, 60.0),
    13: (10, 8, 6, 1.090, 109.5, 180.0),
    19: (18, 16, 14, 1.090, 109.5, -60.0),
    20: (18, 16, 14, 1.090, 109.5, 60.0),
    21: (18, 16, 14, 1.090, 109.5, 180.0),
}

#: `[bonds][2]`: each atom with the one it is placed from, and the first three atoms' own.
BONDS: tuple[tuple[int, int], ...] = tuple(
    sorted([(1, 4), (4, 6), *((min(i, z[0]), max(i, z[0])) for i, z in _Z_MATRIX.items())])
)


def dihedrals(positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return φ and ψ `[...]` in radians of positions `[..., 22, 3]` (numpy or torch)."""
    angles = torsions(positions, [PHI, PSI])
    return angles[..., 0], angles[..., 1]


def chirality(positions: np.ndarray) -> np.ndarray:
    """Return `[...]` the triple product at Cα over the product of bond lengths: + for L, − for D."""
    centre, *others = CHIRAL
    v = positions[..., others, :] - positions[..., [centre], :]
    v = v / np.linalg.norm(v, axis=-1, keepdims=True)
    return (np.cross(v[..., 0, :], v[..., 1, :]) * v[..., 2, :]).sum(-1)


def build(phi: float, psi: float) -> np.ndarray:
    """Return positions `[22, 3]` in Å at given φ, ψ (degrees), all else at ff96's ideal values."""
    positions = np.zeros((len(ATOMS), 3))
    angle = np.radians(116.6)
    positions[4] = (1.522, 0, 0)
    positions[6] = positions[4] + 1.335 * np.array([-np.cos(angle), np.sin(angle), 0])
    offset = {"phi": phi, "psi": psi}
    for atom, (a, b, c, bond, bend, turn) in _Z_MATRIX.items():
        torsion = offset[turn[0]] + turn[1] if isinstance(turn, tuple) else turn
        positions[atom] = place(
            positions[c], positions[b], positions[a], bond, np.radians(bend), np.radians(torsion)
        )
    return positions
