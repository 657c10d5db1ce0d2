"""The Voronoi cell of a particle, from the vectors to its neighbours alone."""

from __future__ import annotations

from math import pi

import numpy as np
import torch
from scipy.spatial import ConvexHull, QhullError
from torch import Tensor

from zoo.descriptors.surroundings import Surroundings

#: What is measured of a cell, in this order; in the plane: area, perimeter, sides, P²/(4πA).
MEASURES = ("volume", "surface", "faces", "asphericity")
#: z below which a vector lies in the plane: rounding of a cell that was turned.
FLAT = 1e-9
#: Nearest neighbours tried first: nearly always enough.
FIRST = 32


def voronoi(around: Surroundings, reach: float) -> Tensor:
    """Return volume, surface, number of faces and asphericity A³/(36πV²) of each cell, `[nodes, 4]`.

    A cell is what the planes halfway to the neighbours within `reach` leave, which is the exact one
    where its corners are nearer than reach/2. One that they do not close counts as the ball of radius
    reach/2 with no faces. The planes' duals are points whose convex hull has a face for each corner
    (F. P. Preparata, M. I. Shamos, Computational Geometry, 1985, sec. 7.3); Qhull finds it.
    A system in the plane z = 0 has cells in the plane.
    """
    around = around.within(around.r < reach)
    flat = len(around.r) > 0 and float(around.vectors[:, 2].abs().max()) < FLAT
    # the cell lies around the particle at 0, and edges point at the receiver: neighbours are at −vectors
    vectors = -around.vectors[:, : 2 if flat else 3].cpu().numpy()
    r = around.r.cpu().numpy()
    ends = np.cumsum(np.bincount(around.receive.cpu().numpy(), minlength=around.nodes))
    out = np.empty((around.nodes, len(MEASURES)))
    begin = 0
    for node, end in enumerate(ends):
        order = begin + np.argsort(r[begin:end], kind="stable")
        out[node] = _cell(vectors[order], r[order], reach, flat)
        begin = end
    return torch.from_numpy(out).to(around.r.device)


def _cell(vectors: np.ndarray, r: np.ndarray, reach: float, flat: bool) -> tuple[float, ...]:
    """Measures of one cell; neighbours ascend in distance."""
    for count in (FIRST, len(r)):
        corners = _corners(vectors[:count], r[:count])
        if corners is None:
            continue
        points, faces = corners
        # a neighbour beyond twice the farthest corner cannot cut the cell
        if count >= len(r) or 2 * np.linalg.norm(points, axis=1).max() <= r[count]:
            hull = ConvexHull(points)
            volume, surface = float(hull.volume), float(hull.area)
            ratio = surface**2 / (4 * pi * volume) if flat else surface**3 / (36 * pi * volume**2)
            return volume, surface, faces, ratio
    radius = reach / 2
    if flat:
        return pi * radius**2, 2 * pi * radius, 0.0, 1.0
    return 4 / 3 * pi * radius**3, 4 * pi * radius**2, 0.0, 1.0


def _corners(vectors: np.ndarray, r: np.ndarray) -> tuple[np.ndarray, float] | None:
    """Corners `[corners, 2 or 3]` and number of faces of a cell, None where it is not closed."""
    if len(r) <= vectors.shape[1]:
        return None
    try:
        # the plane v·x = v²/2 has the dual point 2v/v²
        hull = ConvexHull(2 * vectors / (r**2)[:, None])
    except QhullError:
        return None  # all neighbours in one plane
    offset = hull.equations[:, -1]
    # the particle itself, at 0, must lie inside; a corner at 1e6 is at no place in the system
    if not (offset < -1e-6).all():
        return None
    return -hull.equations[:, :-1] / offset[:, None], float(len(hull.vertices))
