"""Aniline C6H5NH2: atoms, bonds, the pyramid of the amino group.

Atoms: the six carbons from the one that carries the nitrogen, N, the five hydrogens of the ring in the
order of their carbons, the two of the amino group.
"""

from __future__ import annotations

import numpy as np

from zoo.datasets.small_molecules.molecule import CC, CH, Molecule, hexagon

RING = tuple(range(6))
IPSO, N = 0, 6
#: Hydrogens of the amino group.
AMINE = (12, 13)
#: Neighbours of the carbon that carries the nitrogen.
ORTHO = (1, 5)

_X, _Y, _Z = np.eye(3)


def pyramid(positions: np.ndarray) -> np.ndarray:
    """Return the angle `[...]` in degrees between the HNH plane's bisector and the C–N axis.

    0 where the amino group is planar; its sign tells the side of the ring on which its hydrogens are:
    positive along (ortho − ipso) × (other ortho − ipso).

    Args:
        positions: `[..., 14, 3]`.
    """
    unit = [positions[..., h, :] - positions[..., N, :] for h in AMINE]
    bisector = sum(v / np.linalg.norm(v, axis=-1, keepdims=True) for v in unit)
    axis = positions[..., N, :] - positions[..., IPSO, :]
    cosine = (bisector * axis).sum(-1) / np.linalg.norm(bisector, axis=-1) / np.linalg.norm(axis, axis=-1)
    a, b = (positions[..., o, :] - positions[..., IPSO, :] for o in ORTHO)
    side = np.sign((np.cross(a, b) * bisector).sum(-1))
    return side * np.degrees(np.arccos(np.clip(cosine, -1, 1)))


def build(side: float) -> np.ndarray:
    """Return positions `[14, 3]` in Å; the amino hydrogens are on the side of the sign of `side`."""
    outward = hexagon(_X, _Y)
    carbons = CC * outward
    nitrogen = carbons[IPSO] + 1.38 * _X
    amine = [nitrogen + 0.5 * _X + s * 0.82 * _Y + np.sign(side) * 0.3 * _Z for s in (1, -1)]
    hydrogens = [carbons[i] + CH * outward[i] for i in RING if i != IPSO]
    return np.concatenate([carbons, [nitrogen], hydrogens, amine])


MOLECULE = Molecule(
    name="ANL",
    elements=("C",) * 6 + ("N",) + ("H",) * 7,
    types=("opls_CN", *["opls_CA"] * 5, "opls_NT", *["opls_HA"] * 5, *["opls_H"] * 2),
    bonds=tuple(
        sorted(
            [(k, k + 1) for k in range(5)]
            + [(0, 5), (IPSO, N)]
            + [(carbon, N + carbon) for carbon in range(1, 6)]
            + [(N, h) for h in AMINE]
        )
    ),
    rings=(RING,),
    starts=(build(1.0), build(-1.0)),
)
