"""Units that are flat or constant on all graphs."""

from __future__ import annotations

from collections.abc import Sequence

from zoo.report import plot
from zoo.report.inside.layers.rows import array, rows_of
from zoo.report.runs import LeftOut
from zoo.verbs.inside.record import Inside


def draw(records: Sequence[Inside]) -> plot.Drawing | None:
    """One row an activation, one marker a run."""
    share = array("dead", over="activation_units", factor=100)
    rows = rows_of(records, "activations", "dead", share)
    if rows is None:
        raise LeftOut("no activation is a module of its own")
    figure, (axis,) = rows.figure(1, 5.2)
    rows.dots(axis, share)
    largest = max(float(share(record).max()) for _, record, _ in rows.runs)
    axis.set(xlabel="dead units (%)", xlim=(-1, max(12.0, 1.08 * largest)))
    axis.axvline(0, color=plot.INK, linestyle=":", linewidth=1)
    plot.legend(figure, axis)
    words = [
        f"{label}: {int(record.arrays['dead'].sum())} of {int(record.arrays['activation_units'].sum())}"
        for label, record, _ in rows.runs
    ]
    caption = (
        "Units of each activation that are dead, in % of its units: on every row of all graphs looked at "
        "their slope is below 1 % of the activation's steepest, or their output varies by less than 1e-4 "
        f"of the layer's. In all: {'; '.join(words)}. Look for rows away from 0: such units pass no "
        "gradient and cost parameters for nothing; a lower learning rate or a narrower layer mends "
        f"it.{rows.remark}"
    )
    return plot.finish(figure, "Dead units", "Dead units: " + "; ".join(words), caption)
