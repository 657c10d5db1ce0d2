"""Implied time scales of the Markov model and of TICA against the lag."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zoo.report.inside.conformations.common import having
from zoo.report.plot import COLORS, DASHES, INK, MARKERS, Drawing, finish, legend, panels, with_unit
from zoo.verbs.compare import Cell
from zoo.verbs.inside.record import Inside

MOST = 4


def draw(records: Sequence[Inside]) -> Drawing | None:
    """A panel for each record."""
    found = having(records, "msm_timescales", "time scales")[:MOST]
    figure, (axes,) = panels(len(found), width=4.2, height=3.0)
    told = []
    for axis, record in zip(axes, found, strict=True):
        a, unit = record.arrays, record.facts["kinetics"]["unit"]
        lags, scales, errors = a["lags"], a["msm_timescales"], a["msm_timescales_error"]
        for k in range(scales.shape[1]):
            known = np.isfinite(scales[:, k])
            if known.any():
                axis.errorbar(
                    lags[known], scales[known, k], yerr=np.nan_to_num(errors[known, k]), color=COLORS[k],
                    linestyle=DASHES[k], marker=MARKERS[k], markersize=4, capsize=2,
                    label=f"Markov model, process {k + 1}",
                )  # fmt: skip
        slow = a["tica_timescale"]
        axis.errorbar(
            lags, slow, yerr=np.nan_to_num(a["tica_timescale_error"]), color=INK, linestyle=":", marker="x",
            markersize=4, capsize=2, linewidth=1, label="TICA, slowest",
        )  # fmt: skip
        span = np.array([lags.min(), lags.max()])
        low = 0.5 * min(lags.min(), np.nanmin(scales, initial=np.inf))
        axis.fill_between(span, low, span, color=INK, alpha=0.1, linewidth=0)
        axis.axvline(record.facts["kinetics"]["lag"], color=INK, linewidth=0.7, alpha=0.5)
        axis.set(
            xscale="log", yscale="log", xlabel=with_unit("lag", unit),
            ylabel=with_unit("implied time scale", unit), ylim=(low, None),
        )  # fmt: skip
        axis.set_title(record.label, fontsize=9)
        numbers = [record.numbers.get(f"timescale_{k + 1}") for k in range(scales.shape[1])]
        parts = [Cell(n["value"], n.get("error"), unit).text() for n in numbers if n is not None]
        lag = record.facts["kinetics"]["lag"]
        known_text = f"{', '.join(parts)} {unit}" if parts else "none known"
        told.append(f"{record.label} at a lag of {lag:g} {unit}: {known_text}")
    legend(figure, axes[0])
    caption = (
        "−lag / ln λ of the eigenvalues λ of a Markov model of k-means cells, and of TICA, against the lag "
        "at which they are found. Bars: standard errors over runs drawn anew; none where too few runs know "
        "the process. In the shaded part, below the lag itself, a time scale means nothing. Upright line: "
        "the lag of all other pictures. Look for a plateau: a line that still rises has not come to its "
        "value, at a longer lag it will be larger; where a line ends, runs no longer go both ways. "
        f"{'; '.join(told)}."
    )
    return finish(figure, "Implied time scales", f"{'; '.join(told)}.", caption)
