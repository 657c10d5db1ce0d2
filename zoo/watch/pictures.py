"""Pictures of a run for its page, drawn when they are asked for and again when their files change."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from zoo.errors import RunError
from zoo.report import plot
from zoo.report.inside import PICTURES
from zoo.report.inside.kind import drawn
from zoo.report.inside.look import Look
from zoo.run import METRICS
from zoo.verbs.inside.record import Inside
from zoo.verbs.looking.callback import epoch_folder
from zoo.watch import curves
from zoo.watch.state import Reader, version

#: Answers that are kept.
KEPT = 64
Answer = dict[str, Any]


class Pictures:
    """Draws, one picture at a time: matplotlib's style belongs to the whole process.

    Args:
        reader: of the run.
    """

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, ...], Answer] = OrderedDict()

    def curves(self) -> Answer:
        """Return the learning curves."""
        mark = version(self.reader.path / METRICS)
        return self._answer(("curves", mark), mark, self._draw_curves)

    def look(self, kind: str, epochs: int) -> Answer:
        """Return the pictures of a look after so many epochs, or why there are none."""
        folder = epoch_folder(self.reader.path, epochs)
        mark = version(folder / f"{kind}.json")

        def draw() -> Answer:
            return self._draw_look(Inside.load(folder, kind))

        return {"kind": kind, "epochs": epochs, **self._answer((kind, str(epochs), mark), mark, draw)}

    def _answer(self, key: tuple[str, ...], mark: str, draw: Callable[[], Answer]) -> Answer:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
            empty = {"version": mark, "pictures": [], "left_out": [], "numbers": [], "problem": ""}
            try:
                answer = {**empty, **draw()}
            except RunError as error:  # half of it is there, or none; it is asked for again
                return {**empty, "version": "", "problem": str(error)}
            except Exception as error:  # what fails shall not take the page down
                answer = {**empty, "problem": f"cannot be drawn: {type(error).__name__}: {error}"}
            self._kept[key] = answer
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
            return answer

    def _draw_curves(self) -> Answer:
        rows = self.reader.rows()
        if not rows:
            raise RunError("no epoch is done yet")
        with plot.style():
            return {"pictures": [_picture(curves.draw(rows, self.reader.units))]}

    def _draw_look(self, record: Inside) -> Answer:
        drawings, left_out = drawn_one_by_one(record)
        rows = Look(record.kind, record.kind, [record]).rows
        seconds = (record.facts.get("look") or {}).get("seconds")
        return {
            "pictures": [_picture(drawing) for drawing in drawings],
            "left_out": left_out,
            "numbers": [[name, str(cells[0]), unit] for name, cells, unit in rows],
            "seconds": seconds,
        }


def drawn_one_by_one(record: Inside) -> tuple[list[plot.Drawing], list[tuple[str, str]]]:
    """Return drawings of a look, and names and reasons of those that could not be drawn.

    A picture that fails, be it for a record of another version, is left out as well, and stops no other.
    """
    drawings, left_out = [], []
    for name, draw in PICTURES[record.kind].items():
        try:
            found, missing = drawn({name: draw}, [record])
        except Exception as error:
            left_out.append((name, f"cannot be drawn: {type(error).__name__}: {error}"))
            continue
        drawings += found
        left_out += missing
    return drawings, left_out


def _picture(drawing: plot.Drawing) -> dict[str, str]:
    return {"title": drawing.title, "svg": drawing.svg, "caption": drawing.caption}
