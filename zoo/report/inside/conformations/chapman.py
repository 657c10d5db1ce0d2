"""Chapman-Kolmogorov test: what the Markov model predicts beside what is seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zoo.report.inside.conformations.common import having
from zoo.report.plot import COLORS, DASHES, INK, Drawing, finish, legend, panels, with_unit
from zoo.verbs.inside.record import Inside

#: Metastable sets that start a panel.
MOST = 4


def draw(records: Sequence[Inside]) -> Drawing | None:
    """A row for each record, a panel for each set to begin in, a curve for each set to be in afterwards."""
    found = having(records, "ck_predicted", "Chapman-Kolmogorov test")[:MOST]
    sets = min(MOST, max(len(record.arrays["set_populations"]) for record in found))
    figure, axes = panels(sets, len(found), width=2.7, height=2.5, sharey=True)
    told = []
    for line, record in zip(axes, found, strict=True):
        a, unit = record.arrays, record.facts["kinetics"]["unit"]
        own = len(a["set_populations"])
        for i, axis in enumerate(line):
            if i >= own:
                axis.set_axis_off()
                continue
            for j in range(min(own, MOST)):
                axis.plot(
                    a["ck_lags"], a["ck_predicted"][:, i, j], color=COLORS[j], linestyle=DASHES[j],
                    label=f"in {j + 1}, predicted",
                )  # fmt: skip
                axis.errorbar(
                    a["ck_lags"], a["ck_observed"][:, i, j], yerr=np.nan_to_num(a["ck_error"][:, i, j]),
                    fmt="o", color=COLORS[j], markersize=4, capsize=2, label=f"in {j + 1}, seen",
                )  # fmt: skip
            axis.axhline(0, color=INK, linewidth=0.4, alpha=0.3)
            axis.set_title(
                f"{record.label}: from set {i + 1} ({100 * a['set_populations'][i]:.3g} %)", fontsize=9
            )
            axis.set(xlabel=with_unit("time", unit), ylim=(-0.05, 1.05))
        line[0].set_ylabel("probability (1)")
        error = record.numbers["ck_error"]["value"]
        if "ck_floor" not in record.numbers:
            told.append(f"{record.label}: {error:.2g}; too few runs to tell what chance gives")
            continue
        floor = record.numbers["ck_floor"]["value"]
        verdict = "passed" if error <= 2 * floor else "failed"
        told.append(f"{record.label}: {error:.2g}, chance {floor:.2g}: {verdict}")
    legend(figure, axes[0, 0])
    caption = (
        "Chapman-Kolmogorov test. Begun in one metastable set (its share at equilibrium in brackets), the "
        "probability to be in each set after some time: lines as the Markov model at the first lag predicts "
        "(T to the power k), points as transitions at that time show it. Bars: standard error of the "
        "difference over runs drawn anew. Look for points that leave their line by more than their bars: the "
        "model forgets too fast, take a longer lag (--set lag=…) or more cells. Root mean square difference "
        f"beyond the first lag, passed within twice what chance gives: {'; '.join(told)}."
    )
    return finish(figure, "Chapman-Kolmogorov test", f"{'; '.join(told)}.", caption)
