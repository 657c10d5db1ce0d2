"""Particles of a slab of a glass as discs, coloured by what each does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.collections import EllipseCollection

from zoo.report.plot import density_map
from zoo.report.runs import LeftOut


def wrapped(
    positions: np.ndarray, cell: np.ndarray | None, pbc: Sequence[bool]
) -> tuple[np.ndarray, np.ndarray]:
    """Positions `[particles, 3]` in the cell `[3, 3]`, and its edges `[3]`; without one, in their box.

    Raises `LeftOut` for a cell with skewed edges.
    """
    x = np.array(positions, np.float64)
    if cell is None:
        x = x - x.min(0)
        return x, x.max(0)
    cell = np.asarray(cell, np.float64)
    if np.abs(cell - np.diag(np.diag(cell))).max() > 1e-6 * np.abs(cell).max():
        raise LeftOut("the cell is skewed; the map is drawn for rectangular ones")
    side = np.diag(cell).copy()
    for k in range(3):
        if pbc[k]:
            x[:, k] %= side[k]
    return x, side


def radii(types: np.ndarray, pbc: Sequence[bool], x: np.ndarray, side: np.ndarray) -> np.ndarray:
    """Radius of each particle: discs of neighbours touch.

    Half the median distance between nearest neighbours of the most frequent type; for another type,
    what its nearest neighbour of that type leaves.
    """
    from scipy.spatial import cKDTree

    kinds, number = np.unique(types, return_counts=True)
    main = kinds[number.argmax()]
    box = np.where(np.array(pbc) & (side > 0), side, 0)  # 0: not periodic
    folded = np.where(box > 0, np.mod(x, np.where(box > 0, box, 1)), x)
    folded = np.where((box > 0) & (folded >= box), 0.0, folded)  # −1e-17 modulo the box is the box
    tree = cKDTree(folded[types == main], boxsize=box)
    radius = np.zeros(len(types))
    half = np.median(tree.query(folded[types == main], k=2)[0][:, 1]) / 2
    for kind in kinds:
        members = types == kind
        if kind == main:
            radius[members] = half
        else:
            gap = np.median(tree.query(folded[members], k=1)[0]) - half
            radius[members] = max(gap, 0.3 * half)
    return radius


def middle(x: np.ndarray, side: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """Indices of particles within one diameter around the middle, the lowest first."""
    if np.ptp(x[:, 2]) == 0:
        return np.arange(len(x))
    near = np.flatnonzero(np.abs(x[:, 2] - side[2] / 2) < radius.max())
    return near[np.argsort(x[near, 2])]


def relative(values: np.ndarray, types: np.ndarray) -> np.ndarray:
    """Values `[particles]` over the mean of each particle's type."""
    out = np.asarray(values, np.float64).copy()
    for kind in np.unique(types):
        members = types == kind
        out[members] /= out[members].mean() or 1.0
    return out


def discs(axis: Any, x: np.ndarray, radius: np.ndarray, values: np.ndarray, limits: tuple) -> Any:
    """Draw particles as discs coloured by `values` between `limits`; what a colour bar takes."""
    drawn = EllipseCollection(
        2 * radius, 2 * radius, np.zeros(len(x)), units="xy", offsets=x[:, :2],
        offset_transform=axis.transData, cmap=density_map(), linewidths=0.3, edgecolors="0.5",
    )  # fmt: skip
    drawn.set_array(values)
    drawn.set_clim(*limits)
    axis.add_collection(drawn)
    return drawn
