"""Expressivity bottleneck of each linear map."""

from __future__ import annotations

from collections.abc import Sequence

from zoo.report import plot
from zoo.report.inside.layers.rows import array, rows_of
from zoo.verbs.inside.record import Inside


def draw(records: Sequence[Inside]) -> plot.Drawing | None:
    """One row a map, one marker a run."""
    rows = rows_of(records, "maps", "share", array("share", factor=-1))
    if rows is None:
        return None
    figure, (axis,) = rows.figure(1, 5.2)
    rows.dots(axis, array("share"), array("share_error"))
    axis.axvline(1, color=plot.INK, linestyle=":", linewidth=1)
    largest = max(float(record.arrays["share"].max()) for record in records)
    axis.set(xlabel="bottleneck Ψ / ⟨‖V‖²⟩ (no unit)", xlim=(0, max(1.06, 1.04 * largest)))
    plot.legend(figure, axis)
    text = [f"{label} {record.numbers['bottleneck_median']['value']:.2f}" for label, record, _ in rows.runs]
    caption = (
        "Of what the loss wants of each linear map's outputs, V = −∂L/∂a, the share that no change of "
        "the map's own weights can give (Ψ over ⟨‖V‖²⟩, no unit; bars are standard errors over groups of "
        "graphs). It is judged on graphs that the change was not fitted to, so chance can bring it "
        "slightly above 1 (dotted). Look for what lies left of the dotted line: those maps can still "
        "learn by themselves. At the end of a training all lie at 1, whether the network is wide or "
        f"narrow: then the promised gains tell where width is missing.{rows.remark}"
    )
    return plot.finish(
        figure, "Expressivity bottleneck of each layer", "Median bottleneck: " + "; ".join(text), caption
    )
