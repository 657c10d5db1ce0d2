"""How many neurons a place wants: singular values of what they are asked for."""

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
    known = [(r.label, r) for r in records if "singular_values" in r.arrays][:3]
    if not known:
        raise LeftOut("no place where neurons can be added")
    figure, axes = plot.panels(len(known), width=3.8, height=3.2, sharey=True)
    words = []
    for axis, (label, record) in zip(axes[0], known, strict=True):
        by = record.arrays.get("decrease", record.arrays["gain_share"])
        order = np.argsort(-by)[:PLACES]
        styles = plot.look([record.facts["places"][k] for k in order])
        for k in order:
            values = record.arrays["singular_values"][k]
            values = values[np.isfinite(values)]
            if len(values) and values[0] > 0:
                share = values**2 / (values**2).sum()
                name = record.facts["places"][k]
                axis.plot(
                    np.arange(1, len(share) + 1),
                    share,
                    label=place_label(name),
                    markersize=3.5,
                    **styles[name],
                )
                words.append(f"{label}, {name}: the first has {100 * share[0]:.0f} %")
        axis.set(xlabel="neuron", yscale="log", ylim=(1e-6, 1.5), title=label)
        axis.xaxis.get_major_locator().set_params(integer=True)
        if axis.get_legend_handles_labels()[1]:
            axis.legend(fontsize=7)
    axes[0, 0].set_ylabel("share of the gain, Λ² / Σ Λ² (no unit)")
    caption = (
        "How the promised gain of a place is shared among its neurons: squares of the singular values of "
        "S₋₂^(−1/2) N, over their sum (no unit), for the places that promise most. Look for a steep "
        "fall: there few neurons do; a flat curve wants many, or is what chance gives from few graphs."
    )
    return plot.finish(figure, "How many neurons a place wants", "; ".join(words[:6]), caption)
