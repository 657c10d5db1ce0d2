"""Rank and condition of what reaches each linear map."""

from __future__ import annotations

from collections.abc import Sequence

from zoo.report import plot
from zoo.report.inside.layers.rows import array, rows_of
from zoo.verbs.inside.record import Inside


def draw(records: Sequence[Inside]) -> plot.Drawing | None:
    """One row a map, one marker a run: effective rank over units, numerical rank, condition number."""
    effective = array("effective_rank", over="units")
    rows = rows_of(records, "maps", "rank", array("effective_rank", over="units", factor=-1))
    if rows is None:
        return None
    figure, axes = rows.figure(3, 2.9)
    rows.dots(axes[0], effective)
    rows.dots(axes[1], array("rank", over="units"))
    rows.dots(axes[2], array("condition"))
    axes[0].set(xlabel="effective rank / units", xlim=(0, 1.03))
    axes[1].set(xlabel="numerical rank / units", xlim=(0, 1.03))
    axes[2].set(xlabel="condition number", xscale="log")
    plot.legend(figure, axes[0])
    text = [f"{label} {effective(record).min():.2g}" for label, record, _ in rows.runs]
    caption = (
        "Activations that reach each linear map, about their mean, none with a unit. Left: effective "
        "rank, exp of the entropy of the variances along principal axes, over the number of units; 1 "
        "would be equal variance in all directions. Middle: directions whose standard deviation is above "
        "1e-6 of the largest, over the number of units. Right: largest over least of those standard "
        "deviations. Look for maps before which the effective rank falls to one or two directions: "
        "whatever is behind sees no more than that. Radial bases have large condition numbers by nature, "
        f"as neighbouring functions overlap.{rows.remark}"
    )
    return plot.finish(
        figure, "Rank and condition of activations", "Least effective rank over units: " + "; ".join(text),
        caption,
    )  # fmt: skip
