"""Molecules as their bonds tell them: numbered, and made whole across a periodic boundary."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from zoo.errors import DataError


class Molecules:
    """The connected groups of particles; a particle without bonds is one of its own.

    Args:
        particles: number of particles.
        bonds: `[bonds, 2]` indices of bonded particles.
    """

    def __init__(self, particles: int, bonds: np.ndarray) -> None:
        self.bonds = np.asarray(bonds, np.int64).reshape(-1, 2)
        ends = np.concatenate([self.bonds, self.bonds[:, ::-1]]).T
        links = csr_array((np.ones(ends.shape[1]), (ends[0], ends[1])), shape=(particles, particles))
        #: `[particles]` number of each particle's molecule, from 0 in the order of first particles.
        self.number = connected_components(links, directed=False)[1].astype(np.int64)
        self._layers = _layers(links, self.number)

    def whole(self, positions: np.ndarray, cell: np.ndarray, pbc: tuple[bool, bool, bool]) -> np.ndarray:
        """Return positions, float64, in which each bond joins nearest images.

        The first particle of each molecule stays where it is. Bonds are taken as shorter than half
        of the cell.

        Args:
            positions: `[frames, particles, 3]`.
            cell: `[frames, 3, 3]`; rows are lattice vectors.
            pbc: periodic directions.

        Raises:
            DataError: a molecule is bonded to its own image: it has no end and cannot be whole.
        """
        to_cell = np.linalg.inv(cell)
        periodic = np.asarray(pbc)

        def nearest(vectors: np.ndarray) -> np.ndarray:
            return vectors - np.where(periodic, np.round(vectors @ to_cell), 0.0) @ cell

        out = np.array(positions, np.float64)
        for parents, children in self._layers:
            out[:, children] = out[:, parents] + nearest(out[:, children] - out[:, parents])
        across = out[:, self.bonds[:, 1]] - out[:, self.bonds[:, 0]]
        if not np.allclose(nearest(across), across, atol=1e-6 * float(np.abs(cell).max(initial=1.0))):
            raise DataError(
                "a molecule is bonded to its own periodic image: it has no end, cannot be made whole"
            )
        return out


def _layers(links: Any, number: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Pairs (parents, children) of a breadth-first walk through all molecules at once."""
    front = np.unique(number, return_index=True)[1]
    seen = np.zeros(len(number), bool)
    seen[front] = True
    layers = []
    while front.size:
        degree = np.diff(links.indptr)[front]
        parents = np.repeat(front, degree)
        place = np.arange(degree.sum()) + np.repeat(links.indptr[front] - np.cumsum(degree) + degree, degree)
        children = links.indices[place].astype(np.int64)
        fresh = np.flatnonzero(~seen[children])
        front, first = np.unique(children[fresh], return_index=True)
        seen[front] = True
        if front.size:
            layers.append((parents[fresh][first], front))
    return layers
