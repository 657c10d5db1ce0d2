"""Places of the reference that the subject never visits, and places where only the subject is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.lines import Line2D

from zoo.report.inside.conformations.common import against, axis_of, share
from zoo.report.plot import COLORS, INK, Drawing, finish, panels
from zoo.report.runs import LeftOut
from zoo.verbs.inside.record import Inside

#: Panels: planes of one record, or the first plane of several.
MOST = 4
KINDS = ("both", "unvisited", "too few to tell", "subject alone")
FILLS = ("#9aa3ab", COLORS[1], COLORS[5], COLORS[3])
SIGNS = ("", "x", ".", "+")


def draw(records: Sequence[Inside]) -> Drawing | None:
    """A panel for each plane, its bins by who is there; below the shares of named basins or clusters."""
    found = [record for record in records if "plane_0_visited" in record.arrays]
    if not found:
        raise LeftOut("there is no reference whose places could be missed: name one with --against")
    if len(found) == 1:
        first = found[0]
        cells = [(first, k) for k in range(MOST) if f"plane_{k}_visited" in first.arrays]
    else:
        cells = [(record, 0) for record in found[:MOST]]
    figure, (line,) = panels(len(cells), width=3.0, height=3.0)
    told = []
    for axis, (record, k) in zip(line, cells, strict=True):
        _panel(axis, record, k)
        plane = record.facts["planes"][k]
        told.append(
            f"{record.label} misses {plane['unvisited_places']} places in {' and '.join(plane['names'])} "
            f"with {share(plane['unvisited'])} of the reference"
        )
    handles = [
        Line2D([], [], linestyle="", marker="s", color=fill, markersize=8, label=kind)
        for kind, fill in zip(KINDS, FILLS, strict=True)
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=4)
    states = [f"{r.label}: {r.facts['mode_drop']}" for r in found if "mode_drop" in r.facts]
    caption = (
        f"Places in the plane, 2 × 2 bins each, by who is there: subject and reference, {against(found)}. "
        "Unvisited (orange, crosses): the subject has less than a tenth of the reference's share, and so few "
        "that chance is one in a hundred for the whole picture; too few to tell: the reference is there, but "
        "so rarely that the subject's conformations might well miss it; subject alone: the reference never "
        "is there. Look for crosses in islands: these are modes that a network dropped. A rim of lone places "
        f"is no alarm, both samples are finite. {'; '.join(told)}. By states, "
        f"{'; '.join(states) or 'none are named'}."
    )
    return finish(figure, "Places never visited", f"{'; '.join(told)}. {'; '.join(states)}", caption)


def _panel(axis: Any, record: Inside, k: int) -> None:
    plane = record.facts["planes"][k]
    codes = record.arrays[f"plane_{k}_visited"]
    labels = [axis_of(*of) for of in zip(plane["names"], plane["units"], plane["periodic"], strict=True)]
    x, y = (
        factor * record.arrays[f"plane_{k}_{side}"] for side, (_, factor) in zip("xy", labels, strict=True)
    )
    axis.grid(False)
    shown = np.ma.masked_equal(codes.astype(float), 0)
    axis.pcolormesh(x, y, shown, cmap=ListedColormap(FILLS), vmin=0.5, vmax=4.5, rasterized=True)
    for code, (kind, sign) in enumerate(zip(KINDS, SIGNS, strict=True), 1):
        row, column = np.nonzero(codes[::2, ::2] == code)
        if sign and len(row):
            at = [edges[1::2][place] for edges, place in ((x, column), (y, row))]
            axis.plot(*at, linestyle="", marker=sign, color=INK, markersize=3.5, label=kind)
    axis.set(xlabel=labels[0][0], ylabel=labels[1][0])
    axis.set_title(record.label, fontsize=9)
    if all(plane["periodic"]):
        axis.set(aspect="equal", xticks=np.arange(-180, 181, 90), yticks=np.arange(-180, 181, 90))
