"""A small aromatic molecule: atoms, types, bonds, and planar rings to build it from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

#: Lengths that a starting structure is built with, Å; it is relaxed before it is used.
CC, CH = 1.40, 1.08

NUMBERS = {"H": 1, "C": 6, "N": 7}


@dataclass(frozen=True)
class Molecule:
    """Atoms and bonds.

    Args:
        name: of the residue, three letters.
        elements: `[atoms]` symbols, in order.
        types: `[atoms]` atom types of `oplsaa.xml`.
        bonds: `[bonds]` pairs of atoms.
        rings: the six carbons of each ring, in order around it.
        starts: `[starts]` positions `[atoms, 3]` in Å, taken in turn by the runs.
    """

    name: str
    elements: tuple[str, ...]
    types: tuple[str, ...]
    bonds: tuple[tuple[int, int], ...]
    rings: tuple[tuple[int, ...], ...]
    starts: tuple[np.ndarray, ...]

    @property
    def numbers(self) -> list[int]:
        """Atomic numbers `[atoms]`."""
        return [NUMBERS[symbol] for symbol in self.elements]

    @property
    def type_names(self) -> dict[int, str]:
        """Symbol of each atomic number that occurs."""
        return dict(zip(self.numbers, self.elements, strict=True))

    @cached_property
    def atom_names(self) -> tuple[str, ...]:
        """Name of each atom: element and its count, from 1."""
        return tuple(f"{e}{self.elements[: i + 1].count(e)}" for i, e in enumerate(self.elements))

    @property
    def topology(self) -> dict[str, Any]:
        """Bonds, names and residue: fields of a `zoo.data.system.System`."""
        n = len(self.elements)
        return {
            "bonds": np.array(self.bonds),
            "atom_names": self.atom_names,
            "residue_names": (self.name,) * n,
            "residues": np.zeros(n, np.int64),
            "chains": np.zeros(n, np.int64),
        }

    @cached_property
    def separation(self) -> np.ndarray:
        """`[atoms, atoms]` number of bonds on the shortest way between two atoms."""
        n = len(self.elements)
        distance = np.full((n, n), n)
        np.fill_diagonal(distance, 0)
        for i, j in self.bonds:
            distance[i, j] = distance[j, i] = 1
        for k in range(n):
            distance = np.minimum(distance, distance[:, k : k + 1] + distance[k : k + 1])
        return distance


def hexagon(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return unit vectors `[6, 3]` from the centre of a ring to its vertices.

    Args:
        first: unit vector `[3]` to the first vertex.
        second: unit vector `[3]` in the ring's plane, at right angles to `first`.
    """
    turn = np.arange(6) * np.pi / 3
    return np.outer(np.cos(turn), first) + np.outer(np.sin(turn), second)
