"""What new neurons promise at each place where they can be added."""

from __future__ import annotations

from collections.abc import Sequence

from zoo.report import plot
from zoo.report.inside.layers.rows import array, rows_of
from zoo.report.runs import LeftOut
from zoo.verbs.inside.record import Inside


def draw(records: Sequence[Inside]) -> plot.Drawing | None:
    """One row a place, one marker a run: decrease of the loss, and for a parameter."""
    if not any(record.facts.get("places") for record in records):
        raise LeftOut("no place where neurons can be added")
    rows = rows_of(records, "places", "decrease", array("decrease"))
    if rows is None:
        raise LeftOut("the neurons were not tried on the loss (line_search=false)")
    records = [record for _, record, _ in rows.runs]
    nats = records[0].facts["loss_unit"] == "nat"
    unit = "nat" if nats else "share of the loss"
    figure, axes = rows.figure(2, 3.7)
    rows.dots(axes[0], array("decrease"), array("decrease_error"))
    rows.dots(
        axes[1],
        array("decrease", over="cost", factor=1000),
        array("decrease_error", over="cost", factor=1000),
    )
    axes[0].set(xlabel=f"decrease of the loss ({unit})")
    axes[1].set(xlabel=f"for 1000 parameters ({unit})")
    for axis in axes:
        axis.axvline(0, color=plot.INK, linestyle=":", linewidth=1)
    styles = plot.look([label for label, *_ in rows.runs])
    for label, record, _ in rows.runs:
        own = record.numbers["update_decrease"]["value"]
        axes[0].axvline(own, color=styles[label]["color"], linestyle="--", linewidth=1)
    plot.legend(figure, axes[0])
    best = [f"{label}: {record.facts['best_place']}" for label, record, _ in rows.runs]
    count = records[0].facts["options"]["neurons"]
    caption = (
        f"What the best {count} neurons bring at each place (first map > second map): decrease of the "
        f"loss ({unit}) at the best amplitude, on graphs that the neurons were not made from, and the "
        "same for 1000 of the parameters that they add. Bars: standard errors over graphs. "
        "Dashed: what the best change of all weights that are there brings, found in the same way. Look "
        "for places to the right of the dashed line, and farther from 0 than their bars: there the network "
        "is too narrow, the more the farther right in the second panel. All left of the dashed line: it "
        f"can still learn as it is. All near 0: width is not what it lacks.{rows.remark}"
    )
    return plot.finish(figure, "What more neurons would bring", "Best places: " + "; ".join(best), caption)
