"""Size of the gradient in each linear map."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zoo.report import plot
from zoo.report.inside.layers.rows import array, rows_of
from zoo.verbs.inside.record import Inside


def _unusual(record: Inside) -> np.ndarray:
    """How far gradients are from the middle one, in powers of ten."""
    logs = np.log10(np.maximum(record.arrays["gradient"], 1e-300))
    return np.abs(logs - np.median(logs))


def draw(records: Sequence[Inside]) -> plot.Drawing | None:
    """One row a map, one marker a run."""
    rows = rows_of(records, "maps", "gradient", _unusual)
    if rows is None:
        return None
    figure, (axis,) = rows.figure(1, 5.2)
    rows.dots(axis, array("gradient"), array("gradient_error"))
    axis.set(xlabel="gradient of a weight, root mean square (loss)", xscale="log")
    plot.legend(figure, axis)
    text = [
        f"{label} {record.numbers['gradient_spread']['value']:.2g}"
        for label, record, _ in rows.runs
        if "gradient_spread" in record.numbers
    ]
    caption = (
        "Root mean square over the weights of each linear map of ∂L/∂W of one graph (in the loss's unit, "
        "weights have none), averaged over graphs; bars are standard errors. Look for a steady fall "
        "towards the first layers over many powers of ten: gradients that vanish, layers that hardly "
        "learn. Adam divides by these sizes, so a factor of a hundred among layers does no "
        f"harm.{rows.remark}"
    )
    return plot.finish(
        figure, "Gradients of each layer", "Largest over least gradient: " + "; ".join(text), caption
    )
