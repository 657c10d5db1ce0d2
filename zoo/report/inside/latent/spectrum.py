"""How the variance of a latent is shared out among directions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zoo.report.inside.latent.common import labels_of
from zoo.report.plot import Drawing, finish, legend, look, panels, set_scale
from zoo.verbs.inside.record import Inside


def draw(records: Sequence[Inside]) -> Drawing | None:
    """Shares of the variance, falling, and the participation ratio as an upright line."""
    figure, axes = panels(1, 1, width=5.6, height=3.0)
    axis = axes[0, 0]
    labels = labels_of(records)
    looks, ratios = look(labels), []
    drawn: list[float] = []
    for record, label in zip(records, labels, strict=True):
        share = record.arrays["spectrum"] / max(float(record.arrays["spectrum"].sum()), 1e-300)
        ratio = record.numbers["participation_ratio"]["value"]
        ratios.append(f"{label}: {ratio:.2f} of {record.facts['width']}" if ratio is not None else label)
        number = np.arange(1, len(share) + 1)
        own = looks[label]
        kept = share > 1e-8
        drawn += share[kept].tolist()
        axis.plot(number[kept], share[kept], markersize=4, label=label, **own)
        if ratio is not None:
            axis.axvline(ratio, color=own["color"], linestyle=own["linestyle"], linewidth=0.9, alpha=0.8)
    axis.set(xlabel="direction, by falling variance", ylabel="share of the variance (no unit)")
    set_scale(axis, drawn)
    axis.xaxis.get_major_locator().set_params(integer=True)
    if len(records) > 1:
        legend(figure, axis)
    caption = (
        "Share of the latent's variance along each principal direction (no unit). Upright lines: the "
        "participation ratio (Σλ)²/Σλ², the number of directions that are really used: "
        f"{'; '.join(ratios)}. Look for a cliff: what is behind it is noise, or asleep. A ratio near one in "
        "a wide latent is collapse."
    )
    alt = "Spectrum of the latent's covariance; participation ratio " + "; ".join(ratios)
    return finish(figure, "Spectrum of the latent", alt, caption)
