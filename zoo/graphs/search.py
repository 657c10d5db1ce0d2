"""Searches for pairs closer than a cutoff: the backends of `zoo.graphs.neighbor_list`.

A search is given a `Box`, in which every particle has been moved into the cell, and returns each
undirected pair once: `i [P]`, `j [P]` and the lattice steps `S [P, 3]` of `r = x_j − x_i + S·cell`.
What comes before (checks, wrapping) and after (both directions, order) is common to all.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from typing import NamedTuple

import torch
from torch import Tensor

from zoo.errors import ConfigError

SLACK = 1 + 1e-9  # bins are a little wider than the cutoff, so that round-off cannot lose a pair
CHUNK = 2**19  # candidate pairs looked at in one go: about 100 MB, and little enough for caches


class Box(NamedTuple):
    """Particles, wrapped into the cell along its periodic directions."""

    x: Tensor  # [N, 3] float64
    frac: Tensor  # [N, 3] float64; coordinates in units of the cell's rows, in [0, 1] if periodic
    cell: Tensor  # [3, 3] float64, on the CPU; rows that are not periodic: unit vectors across
    pbc: tuple[bool, bool, bool]


class Pairs(NamedTuple):
    """Undirected pairs, each once."""

    i: Tensor  # [P] int64
    j: Tensor  # [P] int64
    steps: Tensor  # [P, 3] int64


def vesin_pairs(box: Box, cutoff: float) -> Pairs:
    """Search with vesin (https://github.com/Luthaf/vesin), a linear-time cell list in C++."""
    import vesin

    search = vesin.NeighborList(cutoff=cutoff, full_list=False, n_threads=max(1, torch.get_num_threads()))
    pairs, steps = search.compute(
        points=box.x.numpy(), box=box.cell.numpy(), periodic=list(box.pbc), quantities="PS"
    )
    ij = torch.from_numpy(pairs.astype("int64"))
    return Pairs(ij[:, 0], ij[:, 1], torch.from_numpy(steps.astype("int64")))


def all_pairs(box: Box, cutoff: float) -> Pairs:
    """Look at every pair, in all images within reach; quadratic in N, memory is bounded."""
    return cell_list_pairs(box, cutoff, max_bins=1)


def cell_list_pairs(box: Box, cutoff: float, max_bins: int = 2**20) -> Pairs:
    """Sort particles into bins at least a cutoff wide and look at neighbouring bins only.

    Plain torch on any device. Where a bin, or the whole cell, is narrower than the cutoff, more
    than the next bin is looked at, around the cell several times if need be. Empty bins cost
    nothing: bins are found by bisection in the sorted list of those that are occupied.
    """
    bins, shape, reach = _bins(box, cutoff * SLACK, max_bins)
    device = box.x.device
    order = _flat(bins, shape).argsort(stable=True)
    bins, x = bins[order], box.x[order]
    occupied = _flat(bins, shape)
    size = torch.tensor(shape, device=device)
    periodic = torch.tensor(box.pbc, device=device)
    cell = box.cell.to(device)
    own = torch.arange(len(x), device=device)

    found: list[Pairs] = []
    for offsets in _half_space(reach, batch=max(1, CHUNK // max(1, len(x)))):
        o = torch.tensor(offsets, device=device)[:, None]  # [O, 1, 3]
        target = bins + o  # [O, N, 3]
        steps = torch.where(periodic, target.div(size, rounding_mode="floor"), 0)
        target = target - steps * size
        inside = ((target >= 0) & (target < size)).all(-1)
        start = torch.searchsorted(occupied, _flat(target, shape))
        stop = torch.searchsorted(occupied, _flat(target, shape), right=True)
        start = torch.where((o == 0).all(-1), own + 1, start)  # own bin: each pair once
        count = torch.where(inside, stop - start, 0).flatten()
        start, steps = start.flatten(), steps.flatten(0, 1)
        for rows in _chunks(count):
            n = count[rows]
            row = torch.repeat_interleave(torch.arange(len(n), device=device), n)
            rank = torch.arange(len(row), device=device) - (n.cumsum(0) - n)[row]
            i = (rows.start + row) % len(x)
            j = start[rows][row] + rank
            s = steps[rows][row]
            r = x[j] - x[i] + s.to(x) @ cell
            near = r.square().sum(-1) < cutoff**2
            found.append(Pairs(order[i[near]], order[j[near]], s[near]))
    return Pairs(*(torch.cat(parts) for parts in zip(*found, strict=True)))


def _bins(box: Box, cutoff: float, max_bins: int) -> tuple[Tensor, list[int], list[int]]:
    """Bin of each particle `[N, 3]`, number of bins and reach (in bins) along each row."""
    heights = 1 / torch.linalg.inv(box.cell).norm(dim=0)  # distances between opposite faces
    columns, shape, reach = [], [], []
    for k in range(3):
        coordinate = box.frac[:, k] * float(heights[k])
        if box.pbc[k]:
            extent = float(heights[k])
        else:
            coordinate = coordinate - coordinate.min()
            extent = float(coordinate.max())
        n = min(max_bins, max(1, math.floor(extent / cutoff)))
        width = extent / n or 1.0
        columns.append((coordinate / width).floor().long().clamp(0, n - 1))
        shape.append(n)
        far = math.ceil(cutoff / width)
        reach.append(far if box.pbc[k] else min(far, n - 1))
    return torch.stack(columns, dim=-1), shape, reach


def _flat(bins: Tensor, shape: list[int]) -> Tensor:
    return (bins[..., 0] * shape[1] + bins[..., 1]) * shape[2] + bins[..., 2]


def _half_space(reach: list[int], batch: int) -> Iterator[list[tuple[int, ...]]]:
    """Offsets between bins, of each `±o` only one, in lists of at most `batch`."""
    every = itertools.product(*(range(-m, m + 1) for m in reach))
    half = (o for o in every if o >= (0, 0, 0))
    while offsets := list(itertools.islice(half, batch)):
        yield offsets


def _chunks(count: Tensor) -> Iterator[slice]:
    """Cut rows into slices of at most about `CHUNK` candidates together."""
    total = count.cumsum(0)
    marks = torch.arange(CHUNK, int(total[-1]) + CHUNK, CHUNK, device=count.device)
    ends = torch.searchsorted(total, marks, right=True).clamp(max=len(count)).tolist()
    begin = 0
    for end in ends:
        if end > begin:
            yield slice(begin, end)
            begin = end
    if begin < len(count):
        yield slice(begin, len(count))


@dataclass(frozen=True)
class NeighborBackend:
    """What a search can do, and when `method="auto"` picks it."""

    name: str
    devices: tuple[str, ...]  # device types; "any" for all of them
    periodic: bool
    when: str
    search: Callable[[Box, float], Pairs]

    def runs_on(self, device: str) -> bool:
        """Whether it accepts tensors of this device type."""
        return "any" in self.devices or device in self.devices


BACKENDS = {
    backend.name: backend
    for backend in (
        NeighborBackend("vesin", ("cpu",), True, "on the CPU, if installed", vesin_pairs),
        NeighborBackend("cell-list", ("any",), True, "otherwise", cell_list_pairs),
        NeighborBackend("all-pairs", ("any",), True, "only by name, as a reference", all_pairs),
    )
}


def choose_backend(method: str, device: str) -> NeighborBackend:
    """Return the backend named `method`, or for "auto" the quickest on a type of device.

    Raises:
        ConfigError: no backend of this name, or it does not run on this device.
    """
    if method == "auto":
        # vesin is 2 to 3 times quicker than cell-list; all-pairs is at best as quick as that
        method = "vesin" if device == "cpu" and find_spec("vesin") is not None else "cell-list"
    if method not in BACKENDS:
        raise ConfigError(f"no neighbour search {method!r}. Known: auto, {', '.join(BACKENDS)}.")
    backend = BACKENDS[method]
    if not backend.runs_on(device):
        raise ConfigError(f"neighbour search {method!r} does not run on {device}; use 'auto'.")
    if method == "vesin" and find_spec("vesin") is None:
        raise ConfigError("neighbour search 'vesin' needs the package: pip install vesin")
    return backend
