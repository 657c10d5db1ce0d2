"""Maps of a latent in the plane, coloured by physical observables."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.colors import ListedColormap

from zoo.report.inside.latent.common import Observed, observed, where
from zoo.report.plot import COLORS, Drawing, density_map, finish, panels
from zoo.verbs.inside.record import Inside

#: Observables, and records, that are drawn.
COLORED, COMPARED = 3, 4
#: Points of a map that are drawn, evenly spaced: each is in the page's data as well.
DRAWN = 400
#: Title and axes of each map, and what its distances mean.
KINDS = {
    "map_axes": ("the latent itself", "{0}", "{1}"),
    "map_pca": ("principal components", "PC1", "PC2"),
    "map_tica": ("slow coordinates (TICA)", "slowest", "second"),
    "map_neighbors": ("neighbours (t-SNE)", "no unit", "no unit"),
}


def draw(records: Sequence[Inside]) -> Drawing | None:
    """Of one run all maps, a row each; of several runs the leading plane of each."""
    several = len(records) > 1
    rows = [(r, _plane(r)) for r in records[:COMPARED]] if several else _all(records[0])
    shown = [observed(record, COLORED) for record, _ in rows]
    columns = max(len(found) for found in shown)
    figure, axes = panels(columns, len(rows), width=2.9, height=2.5)
    for row, (record, kind), found in zip(axes, rows, shown, strict=True):
        for axis, one in zip(row, found, strict=False):
            _panel(figure, axis, record, kind, one)
        for axis in row[len(found) :]:
            axis.set_visible(False)
        title = record.label if several else KINDS[kind][0]
        row[0].set_title(f"{title}", loc="left")
    count = len(records[0].arrays["map_pca"])
    caption = (
        f"Each point is one of {count} {records[0].facts['samples']} in the {where(records[0])}, the colour "
        "an observable; axes in the latent's own unit. Look for colours that lie in order or in patches: "
        "the latent knows that observable; colours that are mixed like confetti are not in this plane "
        "(mutual information, below, looks at all of it). Principal components show where most variance "
        "is, slow coordinates what changes last, and in the map of neighbours only which points are near "
        "means anything: gaps and sizes of its islands do not."
    )
    names = ", ".join(one.name for one in shown[0])
    alt = f"Maps of the {where(records[0])} coloured by {names}"
    return finish(figure, "Maps of the latent", alt, caption)


def _all(record: Inside) -> list[tuple[Inside, str]]:
    kinds = [kind for kind in KINDS if kind in record.arrays]
    kinds.remove("map_pca" if record.facts["width"] == 2 else "map_axes")  # of two columns a mere rotation
    return [(record, kind) for kind in kinds]


def _plane(record: Inside) -> str:
    return "map_axes" if record.facts["width"] == 2 else "map_pca"


def _panel(figure: object, axis: object, record: Inside, kind: str, one: Observed) -> None:
    place, values = record.arrays[kind], one.values
    if kind == "map_neighbors":
        values = values[record.arrays["map_neighbors_rows"]]
    low, high = (-180.0, 180.0) if one.period else tuple(float(q) for q in np.quantile(values, (0.01, 0.99)))
    colors = matplotlib.colormaps["twilight"] if one.period else density_map()
    if one.name == "part":
        colors = ListedColormap(COLORS[: int(high) + 1])
    size = max(3.0, min(14.0, 4000 / len(place)))
    dots = axis.scatter(  # type: ignore[attr-defined]
        *place.T, c=values, s=size, cmap=colors, vmin=low, vmax=high, linewidths=0, rasterized=True
    )
    names = (record.facts["columns"] + ["", ""])[:2]
    _, x, y = KINDS[kind]
    axis.set(xlabel=x.format(*names), ylabel=y.format(*names))  # type: ignore[attr-defined]
    bar = figure.colorbar(dots, ax=axis)  # type: ignore[attr-defined]
    bar.set_label(one.label, fontsize=8)
    bar.outline.set_visible(False)
    if one.period:
        bar.set_ticks([-180, -90, 0, 90, 180])
    if one.name == "part":
        bar.set_ticks(range(int(high) + 1))
