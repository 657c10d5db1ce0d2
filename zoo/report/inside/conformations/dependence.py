"""What the slowest coordinate is a function of: torsions, sizes, beside what chance gives."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zoo.report.inside.conformations.common import having
from zoo.report.plot import COLORS, INK, MARKERS, Drawing, finish, legend, panels
from zoo.verbs.inside.record import Inside


def draw(records: Sequence[Inside]) -> Drawing | None:
    """A panel for each record, a point for each observable and set of features."""
    found = having(records, "dependence", "time scales")[:4]
    figure, (axes,) = panels(len(found), width=4.2, height=2.7, sharey=True)
    told = []
    for axis, record in zip(axes, found, strict=True):
        table, facts = record.arrays["dependence"], record.facts["dependence"]
        names = facts["observables"]
        place = np.arange(len(names))
        for i, (features, row) in enumerate(zip(facts["features"], table, strict=True)):
            at = place + 0.18 * (i - (len(table) - 1) / 2)
            axis.errorbar(
                at, row[:, 0], yerr=np.nan_to_num(row[:, 1]), fmt=MARKERS[i], color=COLORS[i], capsize=2,
                markersize=5, label=f"TICA of {features}",
            )  # fmt: skip
            axis.plot(
                at, row[:, 2], linestyle="", marker="_", color=INK, markersize=9,
                label="other runs' observable" if i == len(table) - 1 else None,
            )  # fmt: skip
            best = int(row[:, 0].argmax())
            told.append(f"{record.label}, {features}: {names[best]} {row[best, 0]:.2f} ± {row[best, 1]:.1g}")
        axis.set_xticks(place, names, rotation=45, ha="right")
        axis.set(ylim=(-0.03, 1.05), ylabel="share of variance explained, η² (1)", xlabel="observable")
        axis.set_title(record.label, fontsize=9)
    legend(figure, axes[0])
    caption = (
        "How much of the variance of the slowest coordinate that TICA finds is explained by each observable, "
        "whatever the function (correlation ratio η², no unit): 1 where the coordinate is a function of the "
        "observable, 0 where it does not care. Bars: standard errors over runs. Flat marks: the same with "
        "the observable of another run, which chance gives. Look for the one observable near 1: it is the "
        "slow motion; features that do not know it (distances) must find the same one. Largest: "
        f"{'; '.join(told)}."
    )
    return finish(figure, "What the slowest coordinate is", f"{'; '.join(told)}.", caption)
