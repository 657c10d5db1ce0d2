"""LAMMPS's simulation box: orthogonal, triclinic (bounding box undone), general triclinic.

Source: https://docs.lammps.org/Howto_triclinic.html.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from zoo.errors import DataError

Periodic = tuple[bool, bool, bool]


@dataclass(frozen=True)
class Box:
    """Origin `[3]`, lattice vectors as rows `[3, 3]`, periodic directions (None: not told)."""

    origin: np.ndarray
    cell: np.ndarray
    pbc: Periodic | None

    def __post_init__(self) -> None:
        finite = np.isfinite(self.origin).all() and np.isfinite(self.cell).all()
        with np.errstate(over="ignore", invalid="ignore"):
            edges = np.linalg.norm(self.cell, axis=1)
            volume = np.linalg.det(self.cell) if finite else np.nan
            sound = finite and np.isfinite(edges).all() and volume > 1e-9 * edges.prod() > 0
        if not sound:
            raise DataError(f"the box has no volume: lattice vectors {self.cell.tolist()}")

    @cached_property
    def inverse(self) -> np.ndarray:
        """Inverse of the cell."""
        return np.linalg.inv(self.cell)

    def fractional(self, positions: np.ndarray) -> np.ndarray:
        """Return positions `[…, 3]` in units of the lattice vectors, from the origin."""
        return (positions - self.origin) @ self.inverse

    def cartesian(self, fractional: np.ndarray) -> np.ndarray:
        """Inverse of `fractional`."""
        return fractional @ self.cell + self.origin

    def images(self, flags: np.ndarray) -> np.ndarray:
        """Return the shifts `[…, 3]` of image flags."""
        return flags @ self.cell


def orthogonal(low: np.ndarray, high: np.ndarray, tilt: np.ndarray, pbc: Periodic | None) -> Box:
    """Return the box from its true corner `low`, `high` and the tilts `xy xz yz`."""
    cell = np.diag(high - low)
    cell[1, 0], cell[2, 0], cell[2, 1] = tilt
    return Box(low, cell, pbc)


def bounding(bounds: np.ndarray, tilt: np.ndarray, pbc: Periodic | None) -> Box:
    """Return the box from a dump's bounding box `[3, 2]`: in a tilted box that is wider than its edges."""
    xy, xz, yz = tilt
    low, high = bounds.T.copy()
    low[0] -= min(0.0, xy, xz, xy + xz)
    high[0] -= max(0.0, xy, xz, xy + xz)
    low[1] -= min(0.0, yz)
    high[1] -= max(0.0, yz)
    return orthogonal(low, high, tilt, pbc)


@lru_cache(maxsize=4)  # where the box is constant, it is made once
def from_dump(head: str, rows: tuple[str, ...]) -> Box:
    """Return the box of a dump's `BOX BOUNDS …` and its three lines.

    Raises:
        DataError: other than LAMMPS writes it, or without volume.
    """
    words = head.split()[2:]
    kinds = {2: "orthogonal", 3: "tilted", 4: "general"}
    try:
        table = np.array([[float(word) for word in row.split()] for row in rows])
        kind = kinds[table.shape[1]]
    except (ValueError, KeyError, IndexError) as error:
        raise DataError(
            f"the box's lines are {[row[:60] for row in rows]}, expected two to four numbers each"
        ) from error
    names = {"orthogonal": [], "tilted": ["xy", "xz", "yz"], "general": ["abc", "origin"]}[kind]
    if words[: len(names)] != names or len(words) - len(names) not in (0, 3):
        raise DataError(f"the box's head is {head[:80]!r}, which does not fit its lines")
    pbc = _periodic(words[len(names) :])
    if kind == "general":
        return Box(table[:, 3].copy(), table[:, :3].copy(), pbc)
    return bounding(table[:, :2], table[:, 2] if kind == "tilted" else np.zeros(3), pbc)


def _periodic(flags: list[str]) -> Periodic | None:
    if not flags:
        return None
    for flag in flags:
        if not (flag == "pp" or (len(flag) == 2 and set(flag) <= set("fsm"))):
            raise DataError(f"boundary {flag[:10]!r} of the box, expected pp or a pair of f, s and m")
    return (flags[0] == "pp", flags[1] == "pp", flags[2] == "pp")
