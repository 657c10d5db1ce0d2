"""Neighbour lists: which particles are closer than a cutoff, in any cell.

Every list is exact and complete: any cell (skewed, periodic in some directions only), any cutoff
(beyond half the box a pair has several images, and a particle is its own neighbour), positions
wrapped or not. Nothing is truncated. Distances are computed in float64; of a pair at exactly the
cutoff, round-off decides (both directions together).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from zoo.errors import DataError
from zoo.graphs.search import Box, Pairs, choose_backend


class NeighborList(NamedTuple):
    """Directed edges, each undirected pair in both directions; keys and units in `zoo.keys`.

    Sorted by receiver, then sender, then image. The reverse of an edge has the same pair number;
    pairs are numbered in the order in which they first appear.
    """

    edge_index: Tensor  # [2, E] int64; row 0 sends, row 1 receives
    edge_shift: Tensor | None  # [E, 3] dtype of the positions; None where nothing is periodic
    edge_pair: Tensor  # [E] int64; number of the undirected pair
    pair_edge: Tensor  # [P] int64; one edge of each pair


def neighbor_list(
    positions: Tensor,
    cutoff: float,
    cell: Tensor | None = None,
    pbc: bool | Sequence[bool] | None = None,
    method: str = "auto",
) -> NeighborList:
    """Return all pairs with `|pos[receiver] − pos[sender] + shift| < cutoff`, in linear time.

    Args:
        positions: `[N, 3]`, used as given: shifts are right for unwrapped positions too.
        cutoff: in the unit of the positions.
        cell: `[3, 3]` or `[1, 3, 3]`, rows are lattice vectors; rows of directions that are not
            periodic are not looked at.
        pbc: periodic along each row; by default all where a cell is given, none otherwise.
        method: a name in `zoo.graphs.search.BACKENDS`, or "auto".

    Raises:
        DataError: wrong shapes, NaN, a cutoff that is not positive, a singular cell, or none
            where one is needed.
        ConfigError: an unknown method, or one that does not run on this device.
    """
    cutoff = float(cutoff)
    if not (0 < cutoff < math.inf):
        raise DataError(f"the cutoff must be positive and finite, got {cutoff}.")
    if positions.ndim != 2 or positions.shape[1] != 3 or not positions.is_floating_point():
        raise DataError(
            "positions must be floating-point numbers of shape [N, 3], "
            f"got {positions.dtype} {list(positions.shape)}."
        )
    x = positions.detach().double()
    if not torch.isfinite(x).all():
        bad = int((~torch.isfinite(x).all(dim=1)).nonzero()[0])
        raise DataError(f"positions hold NaN or infinity; the first is particle {bad}.")
    flags = _flags(pbc, cell)
    backend = choose_backend(method, x.device.type)
    full = full_cell(cell, flags)
    frac = x @ torch.linalg.inv(full).to(x.device)
    wrap = torch.where(torch.tensor(flags, device=x.device), frac.floor(), 0.0)
    box = Box(x - wrap @ full.to(x.device), frac - wrap, full, flags)
    if len(x) == 0:
        none = torch.zeros(0, dtype=torch.int64, device=x.device)
        pairs = Pairs(none, none, none.new_zeros(0, 3))
    else:
        pairs = backend.search(box, cutoff)
    return _both_directions(pairs, wrap, full if any(flags) else None, positions)


def edge_vectors(pos: Tensor, edge_index: Tensor, edge_shift: Tensor | None = None) -> Tensor:
    """Return `pos[receiver] − pos[sender] + shift`, `[E, 3]`, differentiable by `pos [N, 3]`."""
    # index_select, because its backward pass is several times quicker than that of pos[index]
    r = pos.index_select(0, edge_index[1]) - pos.index_select(0, edge_index[0])
    return r if edge_shift is None else r + edge_shift


def batched_all_pairs(
    n_nodes: int, n_graphs: int = 1, device: torch.device | str | None = None
) -> NeighborList:
    """Return the edges of `n_graphs` molecules of `n_nodes` atoms each, where all pairs are edges.

    Order and numbering are those of `neighbor_list`; each node receives `n_nodes − 1` edges, one
    after the other, and each graph takes the next `n_nodes·(n_nodes − 1)` edges.

    Raises:
        DataError: a number of nodes or graphs below 0.
    """
    if n_nodes < 0 or n_graphs < 0:
        raise DataError(f"cannot make {n_graphs} graphs of {n_nodes} nodes.")
    i, j = torch.triu_indices(n_nodes, n_nodes, offset=1, device=device)
    first = n_nodes * torch.arange(n_graphs, device=i.device)[:, None]
    i, j = (i + first).flatten(), (j + first).flatten()
    wrap = torch.zeros(n_nodes * n_graphs, 3, device=i.device)
    return _both_directions(Pairs(i, j, i.new_zeros(len(i), 3)), wrap, None, wrap)


def _flags(pbc: bool | Sequence[bool] | None, cell: Tensor | None) -> tuple[bool, bool, bool]:
    if pbc is None:
        pbc = cell is not None
    flags = [bool(p) for p in ([pbc] * 3 if isinstance(pbc, bool) else pbc)]
    if len(flags) != 3:
        raise DataError(f"pbc must be one boolean or three, got {len(flags)}.")
    if any(flags) and cell is None:
        raise DataError("periodic directions need a cell; give `cell` or set pbc=False.")
    return flags[0], flags[1], flags[2]


def full_cell(cell: Tensor | None, pbc: tuple[bool, bool, bool]) -> Tensor:
    """Return the periodic rows of a cell `[3, 3]`, the others replaced by unit vectors across these.

    Raises:
        DataError: a wrong shape, or a singular cell.
    """
    full = torch.eye(3, dtype=torch.float64)
    if cell is None or not any(pbc):
        return full
    if tuple(cell.shape) not in ((3, 3), (1, 3, 3)):
        raise DataError(f"the cell must have shape [3, 3], got {list(cell.shape)}.")
    cell = cell.detach().reshape(3, 3).to("cpu", torch.float64)
    periodic = torch.tensor(pbc)
    rows = cell[periodic]
    unit = rows / rows.norm(dim=1, keepdim=True)
    # a zero row gives NaN, and NaN is refused as well
    if not (torch.isfinite(unit).all() and float(torch.linalg.svdvals(unit).min()) > 1e-6):
        raise DataError(f"the cell is singular or not finite: {cell.tolist()}.")
    across = torch.linalg.svd(unit, full_matrices=True).Vh[len(rows) :]
    full[periodic], full[~periodic] = rows, across
    return full


def _both_directions(pairs: Pairs, wrap: Tensor, cell: Tensor | None, positions: Tensor) -> NeighborList:
    """Sort pairs into directed edges; `wrap` undoes the wrapping in their shifts."""
    i, j, steps = pairs
    n, p = len(positions), len(i)
    src, dst = torch.cat([i, j]), torch.cat([j, i])
    key = dst * n + src
    if cell is not None and p:
        steps = torch.cat([steps, -steps])
        width = 2 * int(steps.abs().max()) + 1
        image = ((steps[:, 0] * width + steps[:, 1]) * width + steps[:, 2]) + width**3 // 2
        if n * n * width**3 < 2**63:
            order = (key * width**3 + image).argsort()
        else:
            order = image.argsort()
            order = order[key[order].argsort(stable=True)]
    else:
        order = key.argsort()
    src, dst = src[order], dst[order]

    shift = None
    if cell is not None:
        # rounded to the dtype last, so that large lattice steps lose nothing before
        images = steps[order].to(wrap) - wrap[dst] + wrap[src] if p else wrap.new_zeros(0, 3)
        shift = (images @ cell.to(wrap.device)).to(positions.dtype)

    place = torch.empty_like(order)
    place[order] = torch.arange(2 * p, device=order.device)
    first = torch.minimum(place[:p], place[p:])  # where each pair appears first
    is_first = torch.zeros(2 * p, dtype=torch.bool, device=order.device)
    is_first[first] = True
    number = (is_first.cumsum(0) - 1)[first]
    return NeighborList(torch.stack([src, dst]), shift, number[order % max(p, 1)], is_first.nonzero()[:, 0])
