"""Conformations in their first two coordinates, coloured by a torsion and by size, with clusters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib import patheffects

from zoo.report.inside.conformations.common import axis_of, having, who
from zoo.report.plot import COLORS, Drawing, density_map, finish, panels
from zoo.verbs.inside.record import Inside

#: Records, a row each, and points of each that are drawn.
MOST, POINTS = 3, 800
#: Of the reference, and between the islands.
GREY = "#9aa3ab"


def draw(records: Sequence[Inside]) -> Drawing | None:
    """A row for each record: coloured by observables, and by islands of density."""
    found = having(records, "map", "clusters")[:MOST]
    columns = 1 + max(len(record.facts["map_colors"]) for record in found)
    figure, axes = panels(columns, len(found), width=3.1, height=2.7)
    for line, record in zip(axes, found, strict=True):
        for axis in line:
            _frame(axis, record)
        for k, (axis, of) in enumerate(zip(line, record.facts["map_colors"], strict=False)):
            _colored(figure, axis, record, k, of)
        last = len(record.facts["map_colors"])
        _islands(line[last], record)
        for axis in line[last + 1 :]:
            axis.set_axis_off()
    told = [
        f"{r.label}: {r.numbers['clusters']['value']:.0f} islands, "
        f"{100 * r.numbers['between_clusters']['value']:.2g} % between them"
        for r in found
    ]
    spaces = dict.fromkeys(_space(record) for record in found)
    caption = (
        f"Each point is one of the conformations of {'; '.join(who(r) for r in found)}, in two combinations "
        f"of features in units of their own width: {'; '.join(spaces)}. An angle in °, Rg in the unit of "
        "length. Numbers: centres of clusters by k-means, as in the pictures below. Right: islands of high "
        "density that HDBSCAN finds by itself, grey is between them. Light: the reference, where there is "
        "one. Look for one colour to each island: the observable tells the states apart; mixed colours say "
        f"that the coordinate is another one. {'; '.join(told)}."
    )
    return finish(figure, "Map of conformations", f"Map of conformations. {'; '.join(told)}.", caption)


def _space(record: Inside) -> str:
    """What the coordinates are."""
    space = record.facts["space"]
    how = "that change last (TICA)" if space["kind"] == "TICA" else "that vary most (PCA)"
    return f"those of {space['features']} {how} in {space['fitted']}"


def _points(record: Inside) -> np.ndarray:
    n = len(record.arrays["map"])
    return np.unique(np.linspace(0, n - 1, min(n, POINTS)).round().astype(int))


def _frame(axis: Any, record: Inside) -> None:
    names = [*record.facts["space"]["names"], ""][:2]
    axis.set(xlabel=f"{names[0]} (own width)", ylabel=f"{names[1]} (own width)")
    axis.set_title(record.label, fontsize=9)
    other = record.arrays.get("reference_map")
    if other is not None and other.shape[1] == 2:
        picked = np.unique(np.linspace(0, len(other) - 1, min(len(other), POINTS)).round().astype(int))
        axis.plot(
            *other[picked].T, ".", color=GREY, markersize=2, alpha=0.5, zorder=0, label="reference",
            rasterized=True,
        )  # fmt: skip


def _place(record: Inside, picked: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of a single coordinate the second is 0."""
    points = record.arrays["map"][picked]
    return points[:, 0], points[:, 1] if points.shape[1] > 1 else np.zeros(len(points))


def _colored(figure: Any, axis: Any, record: Inside, k: int, of: dict[str, Any]) -> None:
    picked = _points(record)
    label, factor = axis_of(of["name"], of["unit"], of["torsion"])
    values = factor * record.arrays[f"map_color_{k}"][picked]
    low, high = (-180, 180) if of["torsion"] else tuple(np.quantile(values, (0.02, 0.98)))
    colors = matplotlib.colormaps["twilight"] if of["torsion"] else density_map()
    dots = axis.scatter(
        *_place(record, picked),
        c=values,
        s=5,
        cmap=colors,
        vmin=low,
        vmax=high,
        linewidths=0,
        rasterized=True,
    )
    bar = figure.colorbar(dots, ax=axis, shrink=0.85, aspect=25, pad=0.02)
    bar.set_label(label)
    if of["torsion"]:
        bar.set_ticks([-180, -90, 0, 90, 180])
    _numbers(axis, record)


def _islands(axis: Any, record: Inside) -> None:
    picked = _points(record)
    labels = record.arrays["map_island"][picked]
    x, y = _place(record, picked)
    for island in np.unique(labels).tolist():
        own = labels == island
        color = GREY if island < 0 else COLORS[island % len(COLORS)]
        name = "between" if island < 0 else f"island {island + 1}"
        axis.scatter(x[own], y[own], s=5, color=color, linewidths=0, label=name, rasterized=True)
    _numbers(axis, record)


def _numbers(axis: Any, record: Inside) -> None:
    clusters = record.arrays["map_cluster"]
    halo = patheffects.withStroke(linewidth=2.5, foreground="#30363c")
    x, y = _place(record, np.arange(len(clusters)))
    for cluster in np.unique(clusters).tolist():
        own = clusters == cluster
        axis.text(
            np.median(x[own]), np.median(y[own]), str(cluster + 1), color="white", weight="bold",
            ha="center", va="center", fontsize=9, path_effects=[halo],
        )  # fmt: skip
