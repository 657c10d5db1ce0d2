"""Weighted means over neighbours, as matrices whose rows add up to one."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta")


class Mean(Protocol):
    """A weighted mean over neighbours, `mean @ fields`, as `Operator` is one."""

    @property
    def total(self) -> Tensor:
        """`[nodes]` sum of the weights before they were divided by it."""
        ...

    def __matmul__(self, fields: Tensor) -> Tensor:
        """Return the means `[nodes, columns]` of `fields [nodes, columns]`."""
        ...


@dataclass(frozen=True)
class Operator:
    """The mean over a particle's neighbours and itself, `operator @ fields`.

    Args:
        matrix: `[nodes, nodes]` sparse CSR, float64; each row adds up to one.
        total: `[nodes]` sum of the weights before they were divided by it; the particle itself has 1.
    """

    matrix: Tensor
    total: Tensor

    @classmethod
    def exponential(
        cls, edge_index: Tensor, r: Tensor, nodes: int, decay: float, reach: float, *, fade: bool = False
    ) -> Operator:
        """Weights of neighbours nearer than `reach`, and 1 of the particle itself.

        Args:
            edge_index: `[2, E]`, row 0 sends, row 1 receives.
            r: `[E]` float64 lengths.
            nodes: number of particles.
            decay, reach, fade: see `weights`.
        """
        near = r < reach
        own = torch.arange(nodes, device=r.device)
        send = torch.cat([edge_index[0, near], own])
        receive = torch.cat([edge_index[1, near], own])
        weight = torch.cat([weights(r[near], decay, reach, fade), r.new_ones(nodes)])
        total = r.new_zeros(nodes).index_add_(0, receive, weight)
        return cls(csr(receive, send, weight / total[receive], (nodes, nodes)), total)

    def __matmul__(self, fields: Tensor) -> Tensor:
        """Return the means `[nodes, columns]` of `fields [nodes, columns]` float64."""
        return self.matrix @ fields


@dataclass(frozen=True)
class Operators:
    """What `Describer.spread` needs of the edges.

    Args:
        averaging: over the near surroundings, None where nothing is averaged.
        diffusion: one step, None where nothing diffuses.
        scales: one for each length of `DescriptorSettings.scales`.
    """

    averaging: Operator | None
    diffusion: Operator | None
    scales: tuple[Operator, ...] = ()


def weights(r: Tensor, decay: float, reach: float, fade: bool) -> Tensor:
    """Return exp(−r/decay) of lengths `r` below `reach`.

    With `fade` times ½(1 + cos πr/reach), so that nothing jumps there.
    """
    weight = torch.exp(-r / decay)
    return weight * (0.5 + 0.5 * torch.cos(torch.pi * r / reach)) if fade else weight


def csr(rows: Tensor, columns: Tensor, values: Tensor, shape: tuple[int, int]) -> Tensor:
    """Return a sparse CSR matrix of entries in any order; those at one place add up in products."""
    order = rows.argsort(stable=True)
    start = torch.zeros(shape[0] + 1, dtype=torch.long, device=rows.device)
    start[1:] = torch.bincount(rows, minlength=shape[0]).cumsum(0)
    return torch.sparse_csr_tensor(start, columns[order], values[order], shape, check_invariants=False)
