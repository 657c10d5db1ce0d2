"""Importance weights of each model's draws, and where they are clipped."""

from __future__ import annotations

import numpy as np

from zoo.analysis.weights import CLIP, weight_scores
from zoo.report.density import all_draws
from zoo.report.plot import INK, Drawing, finish, legend, look, panels
from zoo.report.runs import Group

BINS = 100


def draw(group: Group) -> Drawing | None:
    """One curve for each model: log weights above the log of their mean."""
    found = [(d, d.log_weights) for d in all_draws(group)]
    known = [(d, log_w[np.isfinite(log_w)]) for d, log_w in found if log_w is not None]
    known = [(d, log_w) for d, log_w in known if len(log_w) >= 100]
    if not known:
        return None
    shifted = {d.label: log_w - weight_scores(log_w).log_z for d, log_w in known}
    low = min(float(np.quantile(v, 0.002)) for v in shifted.values())
    high = max(float(v.max()) for v in shifted.values())
    edges = np.linspace(max(low, -30.0), high + 0.5, BINS + 1)
    figure, axes = panels(1, width=5.6, height=3.0)
    axis, styles = axes[0, 0], look(group.palette)
    for label, values in shifted.items():
        share = np.histogram(values, edges)[0] / len(values) / np.diff(edges)
        color, dash = styles[label]["color"], styles[label]["linestyle"]
        axis.stairs(share, edges, label=label, color=color, linestyle=dash)
        axis.axvline(float(np.quantile(values, 1 - CLIP)), color=color, linestyle=":", linewidth=1)
    axis.axvline(0, color=INK, linewidth=0.8)
    axis.set_yscale("log")
    axis.set(xlabel="ln of weight over mean weight (no unit)", ylabel="density (no unit)")
    legend(figure, axis)
    words = []
    for d, log_w in known:
        s = weight_scores(log_w)
        words.append(f"{d.label} {100 * s.ess:.3g} % ({100 * s.ess_clipped:.3g} % clipped)")
    caption = (
        "Logarithm of each draw's importance weight over the mean weight. A perfect model has one line at 0 "
        f"(full line); dotted: where the largest {CLIP:g} of the weights are clipped. Look for a tail "
        "to the right, conformations that the model draws too seldom: few of them carry the averages; a tail "
        "to the left are wasted draws. Effective sample sizes: "
        + ", ".join(words)
        + ". They do not tell of a "
        "basin that is never drawn."
    )
    alt = "Importance weights. Effective sample sizes: " + ", ".join(words)
    return finish(figure, "Importance weights", alt, caption)
