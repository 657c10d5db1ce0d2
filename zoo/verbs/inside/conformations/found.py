"""What the parts of a look share: the samples, what was computed of them, and the record that they fill."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from zoo.analysis.averages import mean_and_error
from zoo.analysis.contact_map import Sites
from zoo.verbs.inside.conformations.options import Options
from zoo.verbs.inside.conformations.quantities import Quantity
from zoo.verbs.inside.conformations.sample import Sample
from zoo.verbs.inside.conformations.space import Space
from zoo.verbs.inside.record import Inside


@dataclass
class Found:
    """A look on its way.

    Args:
        record: filled part by part.
        own, other: the subject's conformations, and the reference's where there is one.
        options, seed: of the look.
        quantities: of both.
        sites: whose contacts are counted; None where there are none.
        space: slow or wide coordinates; None where nothing varies.
        states: names and members `[frames]` (own, other) of states that conformations are counted in:
            basins, clusters.
    """

    record: Inside
    own: Sample
    other: Sample | None
    options: Options
    seed: int
    quantities: list[Quantity]
    sites: Sites | None
    space: Space | None
    states: dict[str, tuple[np.ndarray, np.ndarray | None]] = field(default_factory=dict)

    def leave_out(self, name: str, why: str) -> None:
        """Say what is not there, and why; pictures tell it on."""
        self.record.facts.setdefault("left_out", {})[name] = why

    def named(self, name: str) -> Quantity | None:
        """Return a quantity by its name."""
        return next((q for q in self.quantities if q.name == name), None)


def mean_of(values: np.ndarray, sample: Sample) -> tuple[float, float]:
    """Return the weighted mean of values `[frames, k]` and its standard error between independent parts.

    The error is NaN of a single frame.
    """
    each = values.mean(1)
    if len(each) < 2:
        return float(each.mean()), float("nan")
    if sample.weights is None:
        return mean_and_error(each, sample.blocks)
    w = sample.weights / sample.weights.mean()
    mean = float(np.average(each, weights=w))
    # to first order the error of a ratio of sums is that of the mean of w (x − mean)
    return mean, mean_and_error(w * (each - mean), sample.blocks)[1]
