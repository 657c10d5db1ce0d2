"""Periodic images: the nearest one of a vector, and all pairs of particles that are close."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from zoo.errors import DataError
from zoo.graphs import neighbor_list

#: Pairs looked at in one go, as in `zoo.graphs.search`: little enough for caches.
CHUNK = 2**19
#: Up to this many particles all pairs of a whole batch are looked at, which is the faster way.
FEW = 200


class Lattice(NamedTuple):
    """Lattice vectors of the periodic directions of each frame, or the same of all frames."""

    rows: Tensor  # [batch or 1, periodic, 3] length
    inverse: Tensor  # [batch or 1, 3, periodic] 1/length

    @classmethod
    def of(cls, cell: Tensor, pbc: Sequence[bool]) -> Lattice:
        """Return the lattice of cells `[3, 3]` or `[batch, 3, 3]`; other rows are not looked at.

        Raises:
            DataError: wrong shape, or lattice vectors that are not finite or not independent.
        """
        if cell.ndim not in (2, 3) or cell.shape[-2:] != (3, 3):
            raise DataError(f"the cell must be [3, 3] or [batch, 3, 3], it is {list(cell.shape)}")
        rows = cell.reshape(-1, 3, 3)[:, torch.tensor(pbc, device=cell.device)]
        if torch.isfinite(rows).all():
            inverse = torch.linalg.pinv(rows)
            unity = torch.eye(rows.shape[1], dtype=rows.dtype, device=rows.device)
            if ((rows @ inverse - unity).abs() < 1e-4).all():  # pinv makes no noise about a lost rank
                return cls(rows, inverse)
        raise DataError(f"the cell is singular or not finite: {cell.tolist()}")

    @property
    def heights(self) -> Tensor:
        """`[batch or 1, periodic]` distances between opposite faces."""
        return 1 / self.inverse.norm(dim=-2)

    def nearest(self, vectors: Tensor) -> Tensor:
        """Return what to add to vectors `[batch, n, 3]` for their nearest image.

        It is that image where it is shorter than half of each height, in any cell.
        """
        return -(vectors.detach() @ self.inverse).round() @ self.rows


class ClosePairs(NamedTuple):
    """Pairs of all frames together, each once; numbers are rows of the positions `[batch · particles, 3]`."""

    first: Tensor  # [pairs] int64
    second: Tensor  # [pairs] int64
    shift: Tensor  # [pairs, 3]; the vector is x[second] − x[first] + shift
    frame: Tensor  # [pairs] int64


@torch.no_grad()
def close_pairs(positions: Tensor, cutoff: float, lattice: Lattice | None, pbc: Sequence[bool]) -> ClosePairs:
    """Return all pairs of `positions [batch, particles, 3]` with an image closer than `cutoff`.

    Time grows linearly with the number of particles, but for a few, where all pairs are compared.
    A frame with NaN or infinity has no pairs.
    """
    x = positions.detach()
    fits = lattice is None or bool(cutoff < 0.5 * lattice.heights.min())
    if x.shape[1] <= FEW and fits:
        return _compared(x, cutoff, lattice)
    return _searched(x, cutoff, lattice, pbc)


def _compared(x: Tensor, cutoff: float, lattice: Lattice | None) -> ClosePairs:
    batch, particles = x.shape[:2]
    i, j = torch.triu_indices(particles, particles, 1, device=x.device)
    found: list[tuple[Tensor, Tensor, Tensor]] = []
    size = max(1, CHUNK // max(1, len(i)))
    for start in range(0, max(1, batch), size):
        part = x[start : start + size]
        r = part.index_select(1, j) - part.index_select(1, i)
        shift = None
        if lattice is not None:
            own = lattice if len(lattice.rows) == 1 else Lattice(*(a[start : start + size] for a in lattice))
            shift = own.nearest(r)
            r = r + shift
        frame, pair = (r.square().sum(-1) < cutoff * cutoff).nonzero(as_tuple=True)
        shift = x.new_zeros(len(frame), 3) if shift is None else shift[frame, pair]
        found.append((frame + start, pair, shift))
    frame, pair, shift = (torch.cat(parts) for parts in zip(*found, strict=True))
    first = frame * particles
    return ClosePairs(first + i[pair], first + j[pair], shift, frame)


def _searched(x: Tensor, cutoff: float, lattice: Lattice | None, pbc: Sequence[bool]) -> ClosePairs:
    particles, cells = x.shape[1], None
    if lattice is not None:
        cells = x.new_zeros(len(lattice.rows), 3, 3)
        cells[:, torch.tensor(pbc, device=x.device)] = lattice.rows
    found: list[ClosePairs] = []
    for frame in torch.isfinite(x).all(-1).all(-1).nonzero().flatten().tolist():
        cell = None if cells is None else cells[frame if len(cells) > 1 else 0]
        edges = neighbor_list(x[frame], cutoff, cell, pbc if cell is not None else None)
        first, second = edges.edge_index[:, edges.pair_edge] + frame * particles
        shift = x.new_zeros(len(first), 3) if edges.edge_shift is None else edges.edge_shift[edges.pair_edge]
        found.append(ClosePairs(first, second, shift, torch.full_like(first, frame)))
    if not found:
        none = torch.zeros(0, dtype=torch.int64, device=x.device)
        return ClosePairs(none, none, x.new_zeros(0, 3), none)
    return ClosePairs(*(torch.cat(parts) for parts in zip(*found, strict=True)))
