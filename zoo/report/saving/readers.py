"""What each kind of artist shows, as rows of a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from matplotlib import collections, contour, image, lines, patches
from matplotlib.axes import Axes

from zoo.report.saving.names import Names, own_name, place

#: Series, and a column's name and value each.
Row = tuple[str, dict[str, Any]]
LOWER, UPPER = "lower end of ", "upper end of "


def _ends(name: str) -> tuple[str, str]:
    return f"{LOWER}{name}", f"{UPPER}{name}"


def _table(series: str, columns: dict[str, Any]) -> Iterator[Row]:
    """A row for each place in the columns, but for repeats and those without any value."""
    last = None
    for values in zip(*columns.values(), strict=True):
        if values != last:
            yield series, dict(zip(columns, values, strict=True))
        last = values


def _in_data(axis: Axes, artist: Any) -> tuple[bool, bool]:
    """Whether x and y of an artist are those of the axes, not of the paper."""
    return tuple(artist.get_transform().contains_branch_seperately(axis.transData))


def curve(axis: Axes, line: Any, series: str, x: str, y: str) -> Iterator[Row]:
    """Points of a curve; of a line across the panel the one place that it has."""
    in_x, in_y = _in_data(axis, line)
    at, height = line.get_xdata(orig=False), line.get_ydata(orig=False)
    if in_x and in_y:
        yield from _table(series, {x: place(axis.xaxis, at), y: place(axis.yaxis, height)})
    elif in_x or in_y:  # a line across the panel
        own, name, values = (axis.xaxis, x, at) if in_x else (axis.yaxis, y, height)
        yield from _table(own_name(line) or "line across", {name: place(own, values)[:1]})


def _line(axis: Axes, line: lines.Line2D, names: Names, x: str, y: str) -> Iterator[Row]:
    if isinstance(line, lines.AxLine):
        first = line.get_xy1() or (0.0, 0.0)
        second = line.get_xy2() or (first[0] + 1, first[1] + float(line.get_slope()))
        yield own_name(line) or "line across", {x: first[0], y: first[1]}
        yield own_name(line) or "line across", {x: second[0], y: second[1]}
    else:
        yield from curve(axis, line, names.series(line), x, y)


def errorbars(axis: Axes, group: Any, series: str, x: str, y: str) -> Iterator[Row]:
    """Points and the ends of their bars."""
    line, _, bars = group
    sides = [name for name, has in ((x, group.has_xerr), (y, group.has_yerr)) if has]
    found = {name: _segments(bar) for name, bar in zip(sides, bars, strict=False)}
    columns: dict[str, Any] = {}
    if line is not None:
        columns = {x: place(axis.xaxis, line.get_xdata()), y: place(axis.yaxis, line.get_ydata())}
    elif found:
        name, ends = next(iter(found.items()))
        other, own = (y, axis.yaxis) if name == x else (x, axis.xaxis)
        columns = {other: place(own, ends[:, 0, 1 if name == x else 0])}
    count = len(next(iter(columns.values()), []))
    for name, ends in found.items():
        if len(ends) == count:
            low, high = _ends(name)
            along = 0 if name == x else 1
            columns |= {low: ends[:, 0, along].tolist(), high: ends[:, 1, along].tolist()}
    yield from _table(series, columns)


def _segments(bar: Any) -> np.ndarray:
    """Ends of straight lines `[lines, 2, 2]`; NaN where a line has none."""
    out = [np.asarray(s)[[0, -1]] if len(s) else np.full((2, 2), np.nan) for s in bar.get_segments()]
    return np.array(out).reshape(-1, 2, 2)


def bars(axis: Axes, group: Any, series: str, x: str, y: str) -> Iterator[Row]:
    """Bars: what they stand on, or their edges, and how far they reach."""
    flat = group.orientation == "horizontal"
    for bar in group.patches:
        low, wide = (bar.get_y(), bar.get_height()) if flat else (bar.get_x(), bar.get_width())
        foot, tall = (bar.get_x(), bar.get_width()) if flat else (bar.get_y(), bar.get_height())
        at, value, own = (y, x, axis.yaxis) if flat else (x, y, axis.xaxis)
        (middle,) = place(own, [low + wide / 2])
        row: dict[str, Any] = {at: middle}
        if not isinstance(middle, str):
            row |= dict(zip(_ends(at), (low, low + wide), strict=True))
        yield series, row | {value: foot + tall} | ({_ends(value)[0]: foot} if foot else {})


def _steps(axis: Axes, steps: Any, names: Names, x: str, y: str) -> Iterator[Row]:
    values, edges, base = steps.get_data()
    at, value = (x, y) if steps.orientation == "vertical" else (y, x)
    columns = dict(zip(_ends(at), (edges[:-1].tolist(), edges[1:].tolist()), strict=True))
    if np.ndim(base):
        columns |= dict(zip(_ends(value), (np.asarray(base).tolist(), values.tolist()), strict=True))
    else:
        columns[value] = values.tolist()
    yield from _table(names.series(steps), columns)


def _patch(axis: Axes, patch: Any, names: Names, x: str, y: str) -> Iterator[Row]:
    """A field, from and to; another shape by its outline."""
    in_x, in_y = _in_data(axis, patch)
    if patch is axis.patch or not (in_x or in_y):
        return
    series = names.series(patch) or "shape"
    if isinstance(patch, patches.Rectangle):
        row: dict[str, Any] = {}
        for name, known, low, wide in (
            (x, in_x, patch.get_x(), patch.get_width()),
            (y, in_y, patch.get_y(), patch.get_height()),
        ):
            row |= dict(zip(_ends(name), (low, low + wide), strict=True)) if known else {}
        yield series, row
    elif in_x and in_y:
        vertices = patch.get_patch_transform().transform_path(patch.get_path()).vertices
        yield from _table(series, {x: vertices[:, 0].tolist(), y: vertices[:, 1].tolist()})


def _mesh(axis: Axes, mesh: Any, names: Names, x: str, y: str) -> Iterator[Row]:
    corners, values = np.asarray(mesh.get_coordinates()), np.ma.asarray(mesh.get_array())
    rows, columns = corners.shape[0] - 1, corners.shape[1] - 1
    if values.size == rows * columns:
        corners = (corners[1:, 1:] + corners[1:, :-1] + corners[:-1, 1:] + corners[:-1, :-1]) / 4
    yield from _field(axis, names.series(mesh), corners.reshape(-1, 2), values, names.value(mesh), x, y)


def _image(axis: Axes, shown: Any, names: Names, x: str, y: str) -> Iterator[Row]:
    values = np.ma.asarray(shown.get_array())
    if values.ndim != 2:
        return
    left, right, bottom, top = shown.get_extent()
    if shown.origin == "upper":
        bottom, top = top, bottom
    rows, columns = values.shape
    across = left + (np.arange(columns) + 0.5) * (right - left) / columns
    up = bottom + (np.arange(rows) + 0.5) * (top - bottom) / rows
    at = np.stack(np.meshgrid(across, up), -1).reshape(-1, 2)
    yield from _field(axis, names.series(shown), at, values, names.value(shown), x, y)


def _field(axis: Axes, series: str, at: np.ndarray, values: Any, name: str, x: str, y: str) -> Iterator[Row]:
    """Values at places `[places, 2]`, but those that are masked or not finite."""
    flat: Any = np.ma.masked_invalid(np.ma.asarray(values, dtype=float).ravel())
    known = ~np.ma.getmaskarray(flat)
    across, up = place(axis.xaxis, at[known, 0]), place(axis.yaxis, at[known, 1])
    yield from _table(series, {x: across, y: up, name: flat.compressed().tolist()})


def _collection(axis: Axes, group: Any, names: Names, x: str, y: str) -> Iterator[Row]:
    """Points, coloured or not; bands; straight and broken lines; outlines."""
    series, offsets = names.series(group), np.ma.asarray(group.get_offsets())
    colors = group.get_array()
    if any(group.get_offset_transform().contains_branch_seperately(axis.transData)):
        if colors is not None and len(colors) == len(offsets):
            points = np.ma.filled(offsets.astype(float), np.nan)
            yield from _field(axis, series, points, colors, names.value(group), x, y)
        else:
            yield from _table(
                series, {x: place(axis.xaxis, offsets[:, 0]), y: place(axis.yaxis, offsets[:, 1])}
            )
        return
    if not all(_in_data(axis, group)):
        return
    pieces = [np.asarray(path.vertices) for path in group.get_paths() if len(path.vertices)]
    for number, vertices in enumerate(pieces, 1):
        columns = _band(axis, vertices, x, y) if isinstance(group, collections.PolyCollection) else None
        columns = columns or {x: place(axis.xaxis, vertices[:, 0]), y: place(axis.yaxis, vertices[:, 1])}
        if len(pieces) > 1:
            columns["piece"] = [number] * len(next(iter(columns.values())))
        if colors is not None and len(colors) == len(pieces):
            columns[names.value(group)] = [float(colors[number - 1])] * len(next(iter(columns.values())))
        yield from _table(series, columns)


def _band(axis: Axes, vertices: np.ndarray, x: str, y: str) -> dict[str, Any] | None:
    """Ends of what `fill_between` drew, which goes along one side and back along the other."""
    half = (len(vertices) - 3) // 2
    if half < 1 or len(vertices) != 2 * half + 3:
        return None
    there, back = vertices[1 : half + 1], vertices[half + 2 : 2 * half + 2][::-1]
    for along, own, at, across in ((0, axis.xaxis, x, y), (1, axis.yaxis, y, x)):
        if np.allclose(there[:, along], back[:, along], equal_nan=True):
            ends = np.sort(np.stack([there[:, 1 - along], back[:, 1 - along]]), 0).tolist()
            return {at: place(own, there[:, along]), **dict(zip(_ends(across), ends, strict=True))}
    return None


def _contours(axis: Axes, drawn: Any, names: Names, x: str, y: str) -> Iterator[Row]:
    name = names.value(drawn)
    for level, path in zip(drawn.levels, drawn.get_paths(), strict=False):
        for number, piece in enumerate(path.to_polygons(closed_only=False), 1):
            columns = {x: piece[:, 0].tolist(), y: piece[:, 1].tolist()}
            columns |= {name: [float(level)] * len(piece), "piece": [number] * len(piece)}
            yield from _table("", columns)


#: How each kind of artist is read: the first that fits.
READERS: list[tuple[type, Callable[..., Iterator[Row]]]] = [
    (lines.Line2D, _line),
    (patches.StepPatch, _steps),
    (patches.Patch, _patch),
    (contour.ContourSet, _contours),
    (collections.QuadMesh, _mesh),
    (image.AxesImage, _image),
    (collections.Collection, _collection),
]
