"""The neighbours of a block of particles: what each family of descriptors starts from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

#: Edges looked at in one go: 150 MB of spherical harmonics of degree 12.
BLOCK = 2**17


@dataclass(frozen=True)
class Surroundings:
    """Particles in a row, and the edges that end at them, sorted by receiver.

    Args:
        kind: `[nodes]` species of the particles.
        receive: `[E]` number of each edge's receiver in this block, ascending.
        neighbour: `[E]` species of each edge's sender.
        vectors: `[E, 3]` float64, from sender to receiver.
        r: `[E]` their lengths.
    """

    kind: Tensor
    receive: Tensor
    neighbour: Tensor
    vectors: Tensor
    r: Tensor

    @property
    def nodes(self) -> int:
        """Number of particles."""
        return len(self.kind)

    def within(self, near: Tensor) -> Surroundings:
        """Return the same particles with the edges that `near [E]` marks."""
        return Surroundings(
            self.kind, self.receive[near], self.neighbour[near], self.vectors[near], self.r[near]
        )


def blocks(kind: Tensor, edge_index: Tensor, vectors: Tensor, cutoff: float) -> Iterator[Surroundings]:
    """Yield all particles in order, block by block, with their edges up to `cutoff`.

    Args:
        kind: `[nodes]` species.
        edge_index: `[2, E]`, row 0 sends, row 1 receives, in any order.
        vectors: `[E, 3]` from sender to receiver.
        cutoff: longer edges are left out.
    """
    r = vectors.double().norm(dim=1)
    near = (r < cutoff).nonzero().squeeze(1)
    order = near[edge_index[1, near].argsort(stable=True)]
    send, receive = edge_index[:, order]
    count = torch.bincount(receive, minlength=len(kind))
    start = torch.cat([count.new_zeros(1), count.cumsum(0)])
    size = max(1, int(BLOCK * len(kind) / max(1, len(order))))
    for first in range(0, len(kind), size):
        last = min(first + size, len(kind))
        mine = slice(int(start[first]), int(start[last]))
        edges = order[mine]
        yield Surroundings(
            kind[first:last], receive[mine] - first, kind[send[mine]], vectors[edges].double(), r[edges]
        )
