"""A periodic system cut into tiles, each with all that is within reach of it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from zoo.errors import DataError
from zoo.graphs.neighbors import full_cell


class Tile(NamedTuple):
    """Particles of a part of the system, and copies of those around it; in open space."""

    core: Tensor  # [n] int64; particles in the tile itself
    source: Tensor  # [m] int64; whom each particle is a copy of; the first n are `core`
    positions: Tensor  # [m, 3] float64; about the tile's centre, so that single precision does


def tiles(
    positions: Tensor,
    halo: float,
    edge: float,
    cell: Tensor | None = None,
    pbc: Sequence[bool] = (False,) * 3,
) -> Iterator[Tile]:
    """Yield tiles whose cores hold each particle once, in linear time and little memory.

    A tile holds every copy, periodic images among them, that is nearer than `halo` to any place in its
    core: a neighbour list of it in open space is that of the whole system as far as it goes.

    Args:
        positions: `[N, 3]`, wrapped or not.
        halo: in the unit of the positions.
        edge: about how wide a core is between opposite faces.
        cell: `[3, 3]`, rows are lattice vectors; None where nothing is periodic.
        pbc: periodic along each row.

    Raises:
        DataError: a halo below 0, an edge that is not positive, or a singular cell.
    """
    if halo < 0 or not edge > 0:
        raise DataError(f"tiles take a halo of 0 or more and an edge above 0, got {halo} and {edge}.")
    if len(positions) == 0:
        return
    flags = (bool(pbc[0]), bool(pbc[1]), bool(pbc[2]))
    full = full_cell(cell, flags)
    frac = positions.double() @ torch.linalg.inv(full)
    heights = 1 / torch.linalg.inv(full).norm(dim=0)
    low, span = torch.zeros(3, dtype=torch.float64), torch.ones(3, dtype=torch.float64)
    for k in range(3):
        if flags[k]:
            frac[:, k] -= frac[:, k].floor()
        else:
            low[k] = frac[:, k].min()
            span[k] = max(float(frac[:, k].max() - low[k]), 1e-9)
    counts = [max(1, round(float(span[k] * heights[k]) / edge)) for k in range(3)]
    number = torch.tensor(counts)
    width = span / number
    margin = halo * (1 + 1e-9) / heights
    bins = ((frac - low) / width).floor().long().clamp_min(0).minimum(number - 1)
    flat = (bins[:, 0] * counts[1] + bins[:, 1]) * counts[2] + bins[:, 2]
    order = flat.argsort(stable=True)
    ends = torch.bincount(flat, minlength=math.prod(counts)).cumsum(0).tolist()
    del bins, flat
    far = [math.ceil(float(margin[k] / width[k])) for k in range(3)]
    far = [m if flag else min(m, n - 1) for m, n, flag in zip(far, counts, flags, strict=True)]
    around = sorted(itertools.product(*(range(-m, m + 1) for m in far)), key=lambda o: o != (0, 0, 0))
    for place in itertools.product(*map(range, counts)):
        begin = low + torch.tensor(place) * width
        least, most = begin - margin, begin + width + margin
        sources, coordinates = [], []
        core = 0
        for offset in around:
            where = [p + o for p, o in zip(place, offset, strict=True)]
            steps = [w // n for w, n in zip(where, counts, strict=True)]
            if any(step and not flag for step, flag in zip(steps, flags, strict=True)):
                continue
            a, b, c = (w - s * n for w, s, n in zip(where, steps, counts, strict=True))
            bin_ = (a * counts[1] + b) * counts[2] + c
            members = order[ends[bin_ - 1] if bin_ else 0 : ends[bin_]]
            u = frac[members] + torch.tensor(steps)
            if offset == (0, 0, 0):
                core = len(members)
            else:
                near = ((u >= least) & (u <= most)).all(1)
                members, u = members[near], u[near]
            sources.append(members)
            coordinates.append(u)
        if core:
            source = torch.cat(sources)
            middle = begin + width / 2
            yield Tile(source[:core], source, (torch.cat(coordinates) - middle) @ full)
