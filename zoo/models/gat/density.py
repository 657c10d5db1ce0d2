"""Radial densities of each species as input features, standardised for each type of particle."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zoo.graphs import Segments, gather, segment_sum
from zoo.models.edges import Edges


class RadialDensity(nn.Module):
    """How many neighbours of each species there are, shell by shell: `[nodes, types · shells]`.

    `ρ_sk(i) = Σ_{j of species s} e(d_ij) g_k(d_ij)`: what a ridge regression is given. An average
    over neighbours, as attention takes it, does not know these counts.
    """

    def __init__(self, types: int, shells: int) -> None:
        super().__init__()
        self.types, self.shells = types, shells

    def forward(self, kind: Tensor, edges: Edges, shells: Tensor) -> Tensor:
        """Sum `shells [rows, shells]` over the neighbours of each species, `kind [nodes]`."""
        sender = kind.index_select(0, edges.senders.index)
        slot = edges.receivers.index * self.types + sender
        species = Segments.unsorted(slot, len(kind) * self.types)
        return segment_sum(edges.spread(shells), species).view(len(kind), self.types * self.shells)


class RunningStandard(nn.Module):
    """Subtracts mean and divides by standard deviation, both of the training data so far, per type.

    Statistics are gathered over the first batches of training and then stay; within a forward pass
    they are constants, so that a batch gives what its graphs give one by one, and forces are plain.

    Args:
        types: number of types.
        features: number of columns.
        floor: added to the variance: what hardly varies is not blown up, an empty shell stays near zero.
    """

    #: Batches after which the statistics stay.
    BATCHES = 100
    mean: Tensor  # [types, features]
    square: Tensor  # [types, features]
    count: Tensor  # [types, 1]; nodes seen of each type
    batches: Tensor  # []

    def __init__(self, types: int, features: int, floor: float = 0.01) -> None:
        super().__init__()
        self.floor = floor
        self.register_buffer("mean", torch.zeros(types, features))
        self.register_buffer("square", torch.ones(types, features))
        self.register_buffer("count", torch.zeros(types, 1))
        self.register_buffer("batches", torch.zeros(()))

    def forward(self, x: Tensor, kind: Tensor) -> Tensor:
        """Standardise `x [nodes, features]` of types `kind [nodes]`."""
        if self.training and self.batches < self.BATCHES:
            self._gather(x.detach(), kind)
        scale = (self.square - self.mean.square()).clamp_min(0).add(self.floor).rsqrt()
        rows = Segments.unsorted(kind, len(self.mean))
        return (x - gather(self.mean, rows)) * gather(scale, rows)

    @torch.no_grad()
    def _gather(self, x: Tensor, kind: Tensor) -> None:
        total = torch.zeros_like(self.mean).index_add_(0, kind, x)
        squares = torch.zeros_like(self.mean).index_add_(0, kind, x.square())
        new = torch.bincount(kind, minlength=len(self.count))[:, None].to(x.dtype)
        self.count += new
        share = 1 / self.count.clamp_min(1)
        self.mean += (total - new * self.mean) * share
        self.square += (squares - new * self.square) * share
        self.batches += 1
