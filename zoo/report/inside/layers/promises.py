"""First-order promise of new neurons against what they bring."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zoo.report import plot
from zoo.report.inside.layers.rows import place_label
from zoo.report.runs import LeftOut
from zoo.verbs.inside.record import Inside

#: Curves.
PLACES = 6


def draw(records: Sequence[Inside]) -> plot.Drawing | None:
    """One panel a run, one curve a place."""
    known = [(r.label, r) for r in records if "tried_promises" in r.arrays][:3]
    if not known:
        raise LeftOut("the neurons were not tried on the loss (line_search=false)")
    figure, axes = plot.panels(len(known), width=4.2, height=3.4)
    words = []
    for axis, (label, record) in zip(axes[0], known, strict=True):
        promised, brought = record.arrays["tried_promises"], -record.arrays["tried_losses"]
        order = np.argsort(-record.arrays["decrease"])[:PLACES]
        styles = plot.look([record.facts["places"][k] for k in order])
        shown: list[float] = []
        for k in order:
            name = record.facts["places"][k]
            good = (brought[k] > 0) & (promised[k] > 0)
            shown += promised[k][good].tolist() + brought[k][good].tolist()
            axis.plot(
                promised[k][good], brought[k][good], label=place_label(name), markersize=4, **styles[name]
            )
        if not shown:
            words.append(f"{label}: nothing")
            axis.set_title(f"{label}: no amplitude brings the loss down")
            continue
        axis.set(xscale="log", yscale="log", title=label)
        line = [min(shown), max(shown)]
        axis.plot(line, line, color=plot.INK, linestyle=":", linewidth=1, zorder=0)
        unit = "nat" if record.facts["loss_unit"] == "nat" else "share of the loss"
        axis.set(xlabel=f"promised: amplitude × gain ({unit})", ylabel=f"brought ({unit})")
        axis.legend(fontsize=7)
        words.append(f"{label}: up to {np.nanmax(brought):.3g}")
    caption = (
        "Decrease of the loss on further graphs against what first order promises, amplitude × σ′(0) Σ "
        "Λ² (both as a share of the loss, or in nats), as the amplitude of new neurons grows: one curve a "
        "place. Dotted: promise kept. Look at how far a curve follows the dotted line (a promise good for "
        "more than a small step), and at how far below it begins: that part of the promise was chance, "
        "learned from few graphs. Places that bring nothing have no curve."
    )
    alt = "Decrease of the loss brought by new neurons. " + "; ".join(words)
    return plot.finish(figure, "What neurons promise and what they bring", alt, caption)
