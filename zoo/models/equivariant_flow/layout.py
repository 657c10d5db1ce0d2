"""Pairs of particles of a batch: all of them, or those nearer than a cutoff.

Each pair of particles i, j is one row, kept once. Nodes are laid out so that i and j index their first
axis: `[particles, batch, C]` where all pairs are there, so that looking up copies whole blocks of memory;
`[particles · batch, C]` where the pairs differ between frames.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Pairs:
    """Rows of pairs and how nodes are laid out.

    Args:
        i, j: `[rows]` into the first axis of the nodes.
        first, second: `[rows]` numbers of the two particles.
        particles, batch: of the frames.
        flat: nodes are `[particles · batch, C]`.
    """

    i: Tensor
    j: Tensor
    first: Tensor
    second: Tensor
    particles: int
    batch: int
    flat: bool

    def enter(self, x: Tensor) -> Tensor:
        """Bring `[batch, particles, C]`, or what broadcasts to it, into the layout of nodes."""
        x = x.transpose(0, 1)
        return x.expand(self.particles, self.batch, -1).flatten(0, 1) if self.flat else x.contiguous()

    def leave(self, h: Tensor) -> Tensor:
        """Inverse of `enter`."""
        return h.view(self.particles, self.batch, -1).transpose(0, 1)

    def difference(self, x: Tensor) -> Tensor:
        """x_i − x_j of nodes."""
        return x.index_select(0, self.i) - x.index_select(0, self.j)

    def both(self, h: Tensor) -> Tensor:
        """h_i + h_j of nodes."""
        if h.shape[0] == 1:  # alike
            return 2 * h
        return h.index_select(0, self.i) + h.index_select(0, self.j)

    def constant(self, p: Tensor) -> Tensor:
        """Bring what belongs to two particles in all frames, `[particles, particles, C]`, to the rows."""
        rows = p[self.first, self.second]
        return rows if self.flat else rows[:, None]

    def total(self, rows: Tensor, sign: float = 1.0) -> Tensor:
        """Sum to nodes: each row counts at i, and times `sign` at j."""
        nodes = self.particles * self.batch if self.flat else self.particles
        out = rows.new_zeros(nodes, *rows.shape[1:])
        return out.index_add(0, self.i, rows).index_add(0, self.j, rows, alpha=sign)

    def directed(self) -> Pairs:
        """Each pair twice, j being the receiver the second time."""
        i, j = torch.cat([self.i, self.j]), torch.cat([self.j, self.i])
        first, second = torch.cat([self.first, self.second]), torch.cat([self.second, self.first])
        return Pairs(i, j, first, second, self.particles, self.batch, self.flat)

    def received(self, rows: Tensor) -> Tensor:
        """Sum to nodes at i alone."""
        nodes = self.particles * self.batch if self.flat else self.particles
        return rows.new_zeros(nodes, *rows.shape[1:]).index_add(0, self.i, rows)


def make_pairs(x: Tensor, cutoff: float | None) -> Pairs:
    """Return the pairs of positions `[batch, particles, dim]`, all or those nearer than a cutoff."""
    batch, n = x.shape[:2]
    if cutoff is None:
        i, j = torch.triu_indices(n, n, 1, device=x.device)
        return Pairs(i, j, i, j, n, batch, False)
    near = (torch.cdist(x.detach(), x.detach()) < cutoff).triu(1)
    b, i, j = near.nonzero(as_tuple=True)
    return Pairs(i * batch + b, j * batch + b, i, j, n, batch, True)
