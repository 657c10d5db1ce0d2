"""What columns and series of a picture's table are called: as axes, colour bars and legends call them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import numpy as np
from matplotlib import colors, ticker
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.category import StrCategoryFormatter
from matplotlib.figure import Figure

#: What matplotlib calls an artist that nobody named.
UNNAMED = re.compile(r"_?_(child\d+|line\d+|nolegend_|container\d*)?")
#: How matplotlib writes ticks that were given as words.
WORDED = (ticker.FixedFormatter, ticker.FuncFormatter, StrCategoryFormatter)


class Names:
    """Names within one figure."""

    def __init__(self, figure: Figure) -> None:
        self.figure = figure
        self.bars = [axis for axis in figure.axes if hasattr(axis, "_colorbar")]
        self.panels = [axis for top in figure.axes if top not in self.bars for axis in _with_insets(top)]
        titles = [_plain(axis.get_title() or axis.get_title("left")) for axis in self.panels]
        self._titles = [
            f"panel {number}"
            if not title
            else f"{title} (panel {number})"
            if titles.count(title) > 1
            else title
            for number, title in enumerate(titles, 1)
        ]
        self._looks: dict[tuple[str, str], set[str]] = {}
        for axis in self.panels:
            for artist in [*axis.containers, *axis.get_children()]:
                name = own_name(artist)
                if name:
                    for look in (_look(artist), (_look(artist)[0], "")):
                        self._looks.setdefault(look, set()).add(name)

    def panel(self, axis: Axes) -> str:
        """The title of a panel, with its number where two have the same."""
        return self._titles[self.panels.index(axis)]

    def columns(self, axis: Axes) -> tuple[str, str]:
        """Labels of x and y; of a panel that has none, those of its neighbours."""
        x = _label(axis.xaxis, axis.get_shared_x_axes().get_siblings(axis), self._beside(axis, 1)) or "x"
        y = _label(axis.yaxis, axis.get_shared_y_axes().get_siblings(axis), self._beside(axis, 0)) or "y"
        return x, y if y != x else f"{y} (upwards)"

    def value(self, mappable: Any) -> str:
        """Label of the colour bar that tells what the colours are."""
        bar = mappable.colorbar or next((b._colorbar for b in self.bars if _alike(b, mappable)), None)
        if bar is None and len(self.bars) == 1:
            bar = self.bars[0]._colorbar
        return "value" if bar is None else _plain(bar.ax.get_ylabel() or bar.ax.get_xlabel()) or "value"

    def series(self, artist: Any) -> str:
        """The label of an artist; where it has none, that of the only others that look like it."""
        name = own_name(artist)
        if name:
            return name
        color, dash = _look(artist)
        for look in ((color, dash), (color, "")):
            found = self._looks.get(look, set())
            if len(found) == 1:
                return next(iter(found))
        return ""

    def _beside(self, axis: Axes, way: int) -> list[Axes]:
        """Panels of the same row (0) or column (1) of the grid."""
        own = axis.get_subplotspec()
        if own is None:
            return []
        found = []
        for other in self.panels:
            spec = other.get_subplotspec()
            if spec is not None and spec.get_gridspec() is own.get_gridspec():
                same = (spec.rowspan, spec.colspan)[way] == (own.rowspan, own.colspan)[way]
                found += [other] if same else []
        return found


def own_name(artist: Any) -> str:
    """The label of an artist. A leading underscore keeps it out of the legend, not out of the table."""
    label = str(artist.get_label() or "")
    return "" if UNNAMED.fullmatch(label) else _plain(label.lstrip("_"))


def place(axis: Axis, values: Any) -> list[Any]:
    """Coordinates along an axis: numbers, or where its ticks are words the nearest of these."""
    values = np.ma.filled(np.ma.asarray(values, dtype=float), np.nan).ravel()
    words = _words(axis)
    if not words:
        return values.tolist()
    at = np.array(list(words))
    near = [int(np.abs(at - v).argmin()) if np.isfinite(v) else -1 for v in values]
    return [
        words[at[k]] if k >= 0 and abs(at[k] - v) < 0.5 else float(v)
        for k, v in zip(near, values.tolist(), strict=True)
    ]


def _words(axis: Axis) -> dict[float, str]:
    """Words at the ticks of an axis of categories; nothing where ticks are numbers."""
    formatter, at = axis.get_major_formatter(), np.asarray(axis.get_majorticklocs(), float)
    if not isinstance(formatter, WORDED) or not np.array_equal(at, at.round()):
        return {}
    words = [_plain(str(word)) for word in formatter.format_ticks(at.tolist())]
    if all(_number(word) for word in words):
        return {}
    return {where: word for where, word in zip(at.tolist(), words, strict=False) if word}


def _number(word: str) -> bool:
    try:
        float(word.replace("−", "-").rstrip("°%") or 0)
    except ValueError:
        return False
    return True


def _with_insets(axis: Axes) -> Iterable[Axes]:
    if axis.get_visible():
        yield axis
        for child in axis.child_axes:
            if isinstance(child, Axes):
                yield from _with_insets(child)


def _label(axis: Axis, shared: Iterable[Axes], beside: Iterable[Axes]) -> str:
    which = f"get_{axis.axis_name}label"  # type: ignore[attr-defined]
    found = [axis.get_label_text(), *(getattr(other, which)() for other in (*shared, *beside))]
    return next((_plain(text) for text in found if text), "")


def _alike(bar: Axes, mappable: Any) -> bool:
    other = bar._colorbar.mappable  # type: ignore[attr-defined]
    return other.get_cmap().name == mappable.get_cmap().name and other.get_clim() == mappable.get_clim()


def _look(artist: Any) -> tuple[str, str]:
    """Colour and dash of an artist, as far as it has any."""
    first = artist
    if isinstance(artist, tuple):  # a container: its first part, the line of an errorbar
        parts = [part for part in artist if part is not None and part != ()]
        first = parts[0] if parts else None
    for ask in ("get_color", "get_edgecolor", "get_facecolor"):
        try:
            color = getattr(first, ask)()
            return colors.to_hex(np.atleast_2d(colors.to_rgba_array(color))[0]), str(_dash(first))
        except (AttributeError, ValueError, TypeError, IndexError):
            continue
    return "", ""


def _dash(artist: Any) -> Any:
    dash = getattr(artist, "get_linestyle", str)()
    names = {"solid": "-", "dashed": "--", "dashdot": "-.", "dotted": ":"}
    return names.get(dash, dash) if isinstance(dash, str) else "-"


def _plain(text: str) -> str:
    return " ".join(text.split())
