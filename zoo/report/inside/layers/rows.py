"""What pictures of layers share: a row for each layer, a marker for each run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from zoo.report import plot
from zoo.verbs.inside.record import Inside

#: Rows of a picture; of more layers those are shown that matter most.
MOST = 36
#: Height of a row and of what is around the rows, inches.
ROW, AROUND = 0.19, 0.95
#: Takes what is drawn of each layer from a record, `[layers]`.
Values = Callable[[Inside], np.ndarray]
#: Letters of a name.
LETTERS = 34


@dataclass(frozen=True)
class Rows:
    """Values of layers, of several runs.

    Args:
        names: of the layers that are shown, from the top.
        hidden: how many are not.
        runs: of each run its label and the place of its layers among those that it has.
    """

    names: list[str]
    hidden: int
    runs: list[tuple[str, Inside, dict[str, int]]]

    @property
    def remark(self) -> str:
        """What the caption says of layers that are left out."""
        if not self.hidden:
            return ""
        return (
            f" Of {self.hidden + len(self.names)} layers the {len(self.names)} that stand out most are shown."
        )

    def figure(self, columns: int, width: float) -> tuple[Any, Any]:
        """Return a figure with named rows, and its axes."""
        height = ROW * len(self.names) + AROUND
        figure, axes = plot.panels(columns, width=width, height=height, sharey=True)
        axes[0, 0].set(
            yticks=range(len(self.names)), yticklabels=[_short(n) for n in self.names],
            ylim=(len(self.names) - 0.4, -0.6),
        )  # fmt: skip
        axes[0, 0].tick_params(axis="y", labelsize=8)
        return figure, axes[0]

    def dots(self, axis: Any, value: Values, error: Values | None = None) -> None:
        """Draw one value of each layer of all runs; bars are standard errors."""
        styles = plot.look([label for label, *_ in self.runs])
        off = np.linspace(-0.22, 0.22, len(self.runs)) if len(self.runs) > 1 else [0.0]
        for (label, record, where), shift in zip(self.runs, off, strict=True):
            own = [(y, where[name]) for y, name in enumerate(self.names) if name in where]
            y, k = np.array(own).T
            axis.errorbar(
                value(record)[k], y + shift, xerr=None if error is None else np.nan_to_num(error(record)[k]),
                label=label, linestyle="none", markersize=4.5, elinewidth=1,
                color=styles[label]["color"], marker=styles[label]["marker"],
            )  # fmt: skip


def array(name: str, *, over: str | None = None, factor: float = 1.0) -> Values:
    """Take an array of a record, times a factor; divided by the array `over`."""

    def values(record: Inside) -> np.ndarray:
        found = factor * record.arrays[name]
        return found if over is None else found / record.arrays[over]

    return values


def rows_of(records: Sequence[Inside], names: str, needs: str, weight: Values) -> Rows | None:
    """Gather the layers of runs, in their order; None if there are none.

    Args:
        records: of runs.
        names: fact that names the rows of arrays.
        needs: array that a run must have.
        weight: by which layers are chosen where there are too many: those of the largest.
    """
    runs = [
        (record.label, record, {name: k for k, name in enumerate(record.facts.get(names, []))})
        for record in records
        if record.facts.get(names) and needs in record.arrays
    ]
    every = list(dict.fromkeys(name for *_, where in runs for name in where))
    if not every:
        return None
    kept = every
    if len(every) > MOST:
        weights = [weight(record) for _, record, _ in runs]
        most = {
            name: max(
                float(own[where[name]])
                for own, (*_, where) in zip(weights, runs, strict=True)
                if name in where
            )
            for name in every
        }
        chosen = set(sorted(every, key=lambda name: -most[name])[:MOST])
        kept = [name for name in every if name in chosen]
    return Rows(kept, len(every) - len(kept), runs)


def place_label(name: str) -> str:
    """`interactions.0.filter.0 > interactions.0.filter.2` as `interactions.0.filter: 0 > 2`."""
    first, arrow, second = name.partition(" > ")
    a, b = first.split("."), second.split(".")
    same = 0
    while arrow and same < min(len(a), len(b)) - 1 and a[same] == b[same]:
        same += 1
    if not same:
        return name
    return f"{'.'.join(a[:same])}: {'.'.join(a[same:])} > {'.'.join(b[same:])}"


def _short(name: str) -> str:
    name = place_label(name)
    return name if len(name) <= LETTERS else "…" + name[1 - LETTERS :]
