"""What a picture shows, as a table: read from the drawn curves, bars, bands, points, maps and contours."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from matplotlib import container
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from zoo.report.saving.names import Names
from zoo.report.saving.readers import LOWER, READERS, UPPER, Row, bars, curve, errorbars

#: Columns that every row has.
HEAD = ("panel", "series")


def figure_table(figure: Figure) -> str:
    """Return what is drawn in a figure as CSV.

    A row for each point, bin or field of a map: the panel's title, the series' name of the legend, and
    columns that are called as the axes and colour bars are, with their units; a row leaves columns of
    other panels empty. Ends of error bars and bands are in columns `lower end of …`, `upper end of …`, so are
    ends of bins. Points of broken lines and outlines are numbered by `piece`.
    """
    names = Names(figure)
    return _write(
        {"panel": names.panel(axis), "series": series, **values}
        for axis in names.panels
        for series, values in _rows(axis, names)
    )


def _write(rows: Iterable[dict[str, Any]]) -> str:
    """Rows of named values as CSV, numbers with six digits; "" where there is no value in any."""
    told = [{key: _text(value) for key, value in row.items()} for row in rows]
    told = [row for row in told if any(text for key, text in row.items() if key not in HEAD)]
    if not told:
        return ""
    found = list(dict.fromkeys(key for row in told for key in row))
    stems = [key.removeprefix(LOWER).removeprefix(UPPER) for key in found]
    text = io.StringIO()
    columns = [found[k] for k in sorted(range(len(found)), key=lambda k: stems.index(stems[k]))]
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(told)
    return text.getvalue()


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return f"{value:.6g}" if value is not None and np.isfinite(value) else ""


def _rows(axis: Axes, names: Names) -> Iterator[Row]:
    """Rows of a panel, errorbars and bars first."""
    told: set[int] = set()
    x, y = names.columns(axis)
    for group in axis.containers:
        told |= {id(part) for part in group.get_children()}
        if isinstance(group, container.ErrorbarContainer):
            yield from errorbars(axis, group, names.series(group), x, y)
        elif isinstance(group, container.BarContainer):
            yield from bars(axis, group, names.series(group), x, y)
        elif isinstance(group, container.StemContainer):
            yield from curve(axis, group.markerline, names.series(group), x, y)
    for artist in axis.get_children():
        if id(artist) in told or not artist.get_visible():
            continue
        read = next((own for kind, own in READERS if isinstance(artist, kind)), None)
        if read is not None:
            yield from read(axis, artist, names, x, y)
