"""How the pictures of one kind of look are drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from zoo.report import plot
from zoo.report.runs import LeftOut
from zoo.verbs.inside.record import Inside

Draw = Callable[[Sequence[Inside]], plot.Drawing | None]


def drawn(
    pictures: Mapping[str, Draw], records: Sequence[Inside]
) -> tuple[list[plot.Drawing], list[tuple[str, str]]]:
    """Return drawings, and names and reasons of those that could not be drawn."""
    drawings, left_out = [], []
    with plot.style():
        for name, draw in pictures.items():
            try:
                drawing = draw(records)
            except LeftOut as reason:
                left_out.append((name, str(reason)))
                continue
            if drawing is not None:
                drawings.append(drawing)
    return drawings, left_out
