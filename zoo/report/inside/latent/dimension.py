"""TwoNN: the fit, and how the dimension changes with the scale."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.ticker import NullLocator

from zoo.report.inside.latent.common import labels_of, required
from zoo.report.plot import Drawing, finish, legend, look, panels
from zoo.verbs.compare import Cell
from zoo.verbs.inside.record import Inside

#: Points of a curve that are drawn.
SHOWN = 300


def draw(records: Sequence[Inside]) -> Drawing | None:
    """Left the ratios of the two nearest distances with the line through them, right decimation."""
    required(records, "log_ratio", "fewer than 20 different samples: no intrinsic dimension")
    known = [r for r in records if "log_ratio" in r.arrays]
    figure, axes = panels(2, 1, width=3.4, height=2.9)
    fit, scale = axes[0]
    labels = labels_of(known)
    looks, words = look(labels), []
    for record, label in zip(known, labels, strict=True):
        x = record.arrays["log_ratio"]
        y = -np.log1p(-np.arange(1, len(x)) / len(x))
        x, last = x[:-1], record.facts["fitted ratios"]
        found = record.numbers["intrinsic_dimension"]
        rows = np.unique(np.linspace(0, len(x) - 1, min(SHOWN, len(x))).astype(int))
        own = looks[label]
        fit.plot(x[rows], y[rows], ".", color=own["color"], markersize=3, label=label)
        reach = x[: max(last, 1)].max()
        fit.plot([0, reach], [0, found["value"] * reach], color=own["color"], linestyle=own["linestyle"])
        points, dimension, error = record.arrays["decimated"].T
        scale.errorbar(points, dimension, np.nan_to_num(error), capsize=2, markersize=4, label=label, **own)
        words.append(f"{label} {Cell(found['value'], found.get('error'), '1').text()}")
    fit.set(xlabel="ln (r₂/r₁), no unit", ylabel="−ln (1 − F), no unit", title="the fit")
    low, high = fit.get_xlim()
    fit.set_xlim(low, min(high, 3 * max(np.quantile(r.arrays["log_ratio"], 0.9) for r in known)))
    scale.set(xscale="log", xlabel="samples kept", ylabel="dimension (no unit)", title="from fine to coarse")
    scale.invert_xaxis()
    counts = known[0].arrays["decimated"][:, 0].astype(int).tolist()
    scale.set_xticks(counts, [f"{n:,}" for n in counts])
    scale.xaxis.set_minor_locator(NullLocator())
    if len(known) > 1:
        legend(figure, fit)
    caption = (
        "TwoNN (Facco et al. 2017): r₂/r₁ is the ratio of the distances to the second and the first "
        "neighbour, F its cumulative share; on a manifold of dimension d the points lie on a line of slope "
        f"d through the origin. {'; '.join(words)}, with bootstrap errors over blocks of time. Look left "
        "for points that leave the line early: the density is uneven. Right, with fewer samples neighbours "
        "are further away: a plateau is the dimension, a fall towards fewer samples says that the finest "
        "scale is noise, and a rise that samples follow each other closely in time."
    )
    return finish(figure, "Intrinsic dimension", "Intrinsic dimension by TwoNN: " + "; ".join(words), caption)
