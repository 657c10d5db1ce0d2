"""Sums, means and softmax over the edges of each node, differentiable any number of times.

    receivers = Segments.sorted(edge_index[1], n_nodes)    # once per batch
    messages  = gather(h, senders) * filters               # [E, F]
    h         = segment_sum(messages, receivers)           # [N, F]

Summing into segments and copying out of them are each other's derivative. Both are written as
autograd functions that call the other, so that forces (a first derivative) can be trained (a
second one) with the same kernels all along.

Three ways to sum, the quickest of which is taken (60,000 edges, 3,000 nodes, two threads of a CPU,
torch 2.13, torch-scatter 2.1.2): where all segments have one length, reshape and sum (F = 64:
0.2 ms); torch's `index_add` (0.5 to 0.8 ms; F = 8: 0.55 ms); torch-scatter's `segment_csr` where it
is installed (2.3 ms; F = 8: 0.30 ms). On a GPU `segment_csr` is preferred: free of atomic
additions, it gives the same sum each time.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import prod
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from zoo.errors import ConfigError, DataError

SCATTER_WIDTH = 8  # on the CPU, segment_csr is quicker than index_add up to this many columns
_backend = "auto"


@dataclass(frozen=True, eq=False)
class Segments:
    """Which segment each row belongs to, such as the receiver of each edge.

    Make one with `Segments.sorted` or `Segments.unsorted` and use it for a whole batch.
    """

    index: Tensor  # [E] int64; segment of each row
    size: int  # number of segments, N
    is_sorted: bool  # whether `index` ascends
    length: int | None = None  # rows in each segment, where all have the same number

    @classmethod
    def sorted(cls, index: Tensor, size: int, length: int | None = None) -> Segments:
        """Rows whose `index [E]` ascends (not checked), `length` in each segment if that is one.

        Raises:
            DataError: `E` is not `size · length`.
        """
        if length is not None and index.numel() != size * length:
            raise DataError(f"{index.numel()} rows cannot be {size} segments of {length}.")
        return cls(index, size, True, length)

    @classmethod
    def unsorted(cls, index: Tensor, size: int) -> Segments:
        """Rows in any order, `index [E]`."""
        return cls(index, size, False)

    @cached_property
    def ptr(self) -> Tensor:
        """First row of each segment and the number of rows, `[N + 1]`; only if sorted."""
        if not self.is_sorted:
            raise DataError("rows in any order have no CSR pointer; sort them by segment first.")
        edges = torch.arange(self.size + 1, device=self.index.device)
        return torch.searchsorted(self.index, edges)

    @cached_property
    def count(self) -> Tensor:
        """Number of rows of each segment, `[N]` int64."""
        if self.is_sorted:
            return self.ptr.diff()
        return torch.bincount(self.index, minlength=self.size)


def segment_sum(src: Tensor, segments: Segments) -> Tensor:
    """Sum the rows of each segment: `[E, ...]` → `[N, ...]`; empty segments give 0."""
    return _Sum.apply(src, segments)


def gather(x: Tensor, segments: Segments) -> Tensor:
    """Copy to each row the value of its segment: `[N, ...]` → `[E, ...]`, that is `x[index]`."""
    return _Gather.apply(x, segments)


def segment_mean(src: Tensor, segments: Segments) -> Tensor:
    """Average the rows of each segment: `[E, ...]` → `[N, ...]`; empty segments give 0."""
    count = segments.count.clamp(min=1).to(src.dtype)
    return segment_sum(src, segments) / count.view(-1, *[1] * (src.ndim - 1))


def segment_softmax(src: Tensor, segments: Segments) -> Tensor:
    """Softmax within each segment, for each column: `[E, ...]` → `[E, ...]`.

    Safe against overflow: the largest value of each segment is subtracted first.
    """
    largest = _largest(src.detach(), segments)
    weight = (src - gather(largest, segments)).exp()
    return weight / gather(segment_sum(weight, segments), segments)


@contextmanager
def segment_backend(name: str) -> Iterator[None]:
    """Force "torch" or "torch-scatter" for sums, or let "auto" choose, within a `with` block.

    Raises:
        ConfigError: an unknown name, or torch-scatter where it is not installed.
    """
    global _backend
    if name not in ("auto", "torch", "torch-scatter"):
        raise ConfigError(f"no backend {name!r}. Known: 'auto', 'torch', 'torch-scatter'.")
    if name == "torch-scatter" and torch_scatter() is None:
        raise ConfigError("torch-scatter cannot be imported; install the extra [scatter].")
    before, _backend = _backend, name
    try:
        yield
    finally:
        _backend = before


@lru_cache(maxsize=1)
def torch_scatter() -> ModuleType | None:
    """Return the package torch-scatter, or None where it is absent or built for another torch."""
    try:
        import torch_scatter as package
    except (ImportError, OSError, RuntimeError):
        return None
    return package


def _scatter_for(src: Tensor, segments: Segments) -> ModuleType | None:
    """torch-scatter, where it can sum these rows and is to be used."""
    if not segments.is_sorted or _backend == "torch" or not src.numel():
        return None
    narrow = src.numel() <= SCATTER_WIDTH * len(src)
    if _backend == "auto" and src.device.type == "cpu" and not narrow:
        return None
    return torch_scatter()


def _sum(src: Tensor, segments: Segments) -> Tensor:
    shape = (segments.size, *src.shape[1:])
    if segments.length is not None and _backend != "torch-scatter":
        return src.reshape(segments.size, segments.length, *src.shape[1:]).sum(1)
    if (scatter := _scatter_for(src, segments)) is not None:
        return scatter.segment_csr(src.contiguous(), segments.ptr, reduce="sum")
    # in two dimensions, where index_add has a quick kernel
    flat = src.reshape(len(src), prod(src.shape[1:]))
    sums = flat.new_zeros(segments.size, flat.shape[1])
    return sums.index_add_(0, segments.index, flat).view(shape)


def _copy(x: Tensor, segments: Segments) -> Tensor:
    if segments.length is None:
        return x.index_select(0, segments.index)
    shape = (segments.size, segments.length, *x.shape[1:])
    return x[:, None].expand(shape).reshape(-1, *x.shape[1:])


def _largest(src: Tensor, segments: Segments) -> Tensor:
    index = segments.index.view(-1, *[1] * (src.ndim - 1)).expand_as(src)
    lowest = src.new_full((segments.size, *src.shape[1:]), float("-inf"))
    return lowest.scatter_reduce_(0, index, src, "amax")


class _Sum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, src: Tensor, segments: Segments) -> Tensor:
        ctx.segments = segments
        return _sum(src, segments)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        return _Gather.apply(grad, ctx.segments), None


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, segments: Segments) -> Tensor:
        ctx.segments = segments
        return _copy(x, segments)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        return _Sum.apply(grad, ctx.segments), None
