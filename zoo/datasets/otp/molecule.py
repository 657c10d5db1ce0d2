"""ortho-Terphenyl C18H14: atoms, bonds, its two twist angles.

The order of atoms is that of `otp.pdb` in the public code of Wang & Gómez-Bombarelli (2019): ring A, the
central ring, ring C, then the hydrogens in the order of their carbons.
"""

from __future__ import annotations

import numpy as np

from zoo.datasets.small_molecules.molecule import CC, CH, Molecule, hexagon
from zoo.physics.torsions import torsions

#: Carbons of each ring, in order around it.
RING_A, CENTRE, RING_C = tuple(range(6)), tuple(range(6, 12)), tuple(range(12, 18))
#: The two bonds between rings: (atom of the outer ring, atom of the central ring).
LINKS = ((3, 6), (12, 11))
#: Carbons with a hydrogen.
CARRIERS = tuple(i for i in range(18) if i not in {i for link in LINKS for i in link})
#: Both torsions of each link that tell its twist; the ring's symmetry makes them equal but for 180°.
TWISTS = (((11, 6, 3, 2), (7, 6, 3, 4)), ((6, 11, 12, 13), (10, 11, 12, 17)))

_LINK_LENGTH = 1.48
_X, _Y, _Z = np.eye(3)


def twists(positions: np.ndarray) -> np.ndarray:
    """Return the twist of both outer rings against the central one, `[..., 2]` in degrees.

    In [−90°, 90°): turning a phenyl ring by 180° changes nothing but the names of its atoms. Both
    twists have one sign in a conformer with a twofold axis.

    Args:
        positions: `[..., 32, 3]`.
    """
    angles = torsions(positions, np.array(TWISTS).reshape(4, 4))
    doubled = np.exp(2j * angles).reshape(*angles.shape[:-1], 2, 2).sum(-1)
    return (np.degrees(np.angle(doubled)) / 2 + 90) % 180 - 90


def build(first: float, second: float) -> np.ndarray:
    """Return positions `[32, 3]` in Å with the given twists (degrees) and ideal rings."""
    carbons, outward = np.zeros((18, 3)), np.zeros((18, 3))

    def place(members: tuple[int, ...], at: int, centre: np.ndarray, u: np.ndarray, v: np.ndarray) -> None:
        order = [members[(members.index(at) + k) % 6] for k in range(6)]
        outward[order] = hexagon(u, v)
        carbons[order] = centre + CC * outward[order]

    place(CENTRE, CENTRE[0], np.zeros(3), _X, _Y)
    for members, (outer, inner), twist in zip((RING_A, RING_C), LINKS, (first, second), strict=True):
        away = outward[inner]
        side = np.cross(_Z, away)
        if members is RING_A:  # so that both twists count alike from the other linked atom
            side = -side
        turned = np.cos(np.radians(twist)) * side + np.sin(np.radians(twist)) * np.cross(away, side)
        place(members, outer, carbons[inner] + (_LINK_LENGTH + CC) * away, -away, turned)
    hydrogens = [carbons[i] + CH * outward[i] for i in CARRIERS]
    return np.concatenate([carbons, hydrogens])


def _types() -> tuple[str, ...]:
    types = ["opls_CA"] * 18 + ["opls_HA"] * 14
    for outer, inner in LINKS:
        types[outer], types[inner] = "opls_C!", "opls_CO"
    return tuple(types)


MOLECULE = Molecule(
    name="OTP",
    elements=("C",) * 18 + ("H",) * 14,
    types=_types(),
    bonds=tuple(
        sorted(
            [(r[k], r[k + 1]) for r in (RING_A, CENTRE, RING_C) for k in range(5)]
            + [(r[0], r[5]) for r in (RING_A, CENTRE, RING_C)]
            + [(min(link), max(link)) for link in LINKS]
            + [(carbon, 18 + k) for k, carbon in enumerate(CARRIERS)]
        )
    ),
    rings=(RING_A, CENTRE, RING_C),
    # mirror images of each other: both senses of the propeller are there from the start
    starts=(build(55.0, 55.0), build(-55.0, -55.0)),
)
