"""Every picture that any of these tests draws is checked: it says what to look for, and has its data."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from zoo.report.plot import Drawing

MADE: list[Drawing] = []


@pytest.fixture(autouse=True, scope="package")
def all_drawings() -> Iterator[None]:
    begin = Drawing.__init__

    def remember(self: Drawing, *args: Any, **kwargs: Any) -> None:
        begin(self, *args, **kwargs)
        MADE.append(self)

    Drawing.__init__ = remember  # type: ignore[method-assign]
    yield
    Drawing.__init__ = begin  # type: ignore[method-assign]


@pytest.fixture(autouse=True)
def pictures_are_whole(all_drawings: None) -> Iterator[None]:
    yield
    while MADE:
        drawing = MADE.pop()
        assert "Look" in drawing.caption, f"{drawing.title}: the caption does not say what to look for"
        table = list(csv.reader(io.StringIO(drawing.table)))
        assert len(table) > 1 and len(table[0]) > 2, f"{drawing.title}: no data"
        told = {text for row in table for text in row}
        missing = _drawn(drawing) - told
        assert not missing, f"{drawing.title}: drawn, but not in the table: {sorted(missing)[:5]}"
        for axis in drawing.figure.axes if drawing.figure else ():
            ends = [axis.get_xlabel(), axis.get_ylabel()]
            assert not any(text.strip().endswith("()") for text in ends), f"{drawing.title}: unit"


def _drawn(drawing: Drawing) -> set[str]:
    """Heights of all curves and values of all maps, as the table writes them."""
    out: set[str] = set()
    for axis in drawing.figure.axes if drawing.figure and not drawing.rows else ():
        if hasattr(axis, "_colorbar") or not axis.get_visible():
            continue
        for line in axis.lines:
            inside = line.get_transform() == axis.transData and line.get_visible()
            caps = any(line in group.get_children() for group in axis.containers)
            # where ticks are words the table has these
            worded = type(axis.yaxis.get_major_formatter()).__name__ != "ScalarFormatter"
            if inside and not caps and not worded:
                out |= {f"{y:.6g}" for y in np.ma.filled(line.get_ydata().astype(float), np.nan)}
        for group in axis.collections:
            if type(group).__name__ == "QuadMesh":
                out |= {f"{v:.6g}" for v in np.ma.masked_invalid(group.get_array()).compressed()}
    return out - {"nan", "inf", "-inf"}
