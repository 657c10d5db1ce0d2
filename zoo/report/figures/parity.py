"""Predicted against true force components, as a two-dimensional histogram."""

from __future__ import annotations

import numpy as np
from matplotlib.colors import LogNorm

from zoo import keys
from zoo.report.plot import INK, Drawing, density_map, finish, panels, with_unit
from zoo.report.runs import Group

BINS = 100
MOST = 4  # panels


def draw(group: Group) -> Drawing | None:
    """One panel a model, the trained ones first, all on one scale."""
    if not group.predicts(keys.FORCES):
        return None
    shown = [(label, run) for label in group.order if (run := group.first(label))][:MOST]
    pairs = []
    for label, run in shown:
        guess, frames = group.predicted(run, keys.FORCES)
        pairs.append((label, frames.array(keys.FORCES).ravel(), guess.ravel()))
    unit = group.dataset.units.force
    # a few forces of extreme frames would shrink all others to a dot
    reach = float(np.quantile(np.abs(pairs[0][1]), 0.9995)) * 1.05
    edges = np.linspace(-reach, reach, BINS + 1)
    counts = [np.histogram2d(true, guess, bins=(edges, edges))[0].T for _, true, guess in pairs]
    norm = LogNorm(1, max(2, max(c.max() for c in counts)))
    figure, axes = panels(len(pairs), width=2.6, height=2.8, sharex=True, sharey=True)
    for axis, (label, true, guess), number in zip(axes[0], pairs, counts, strict=True):
        drawn = axis.pcolormesh(
            edges, edges, np.ma.masked_less(number, 1), norm=norm, cmap=density_map(), rasterized=True
        )
        axis.plot([-reach, reach], [-reach, reach], color=INK, linewidth=0.8, linestyle="--")
        error = np.abs(guess - true).mean()
        axis.set(title=f"{label}\nMAE {error:.3g} {unit}", xlabel=with_unit("true", unit), aspect="equal")
    axes[0, 0].set_ylabel(with_unit("predicted", unit))
    figure.colorbar(drawn, ax=axes[0].tolist(), label="components in a bin", shrink=0.85)
    caption = (
        f"Each of the {pairs[0][1].size:,} Cartesian force components of the test split, in {unit}; "
        "colour: how many fall into a bin (logarithmic). A perfect model lies on the dashed line. "
        "Look for a flat cloud, which is a model that predicts less force than there is, and for clouds "
        "beside the line, which are atoms that it does not tell apart."
    )
    alt = "Predicted against true forces: " + "; ".join(
        f"{label}, mean absolute error {np.abs(g - t).mean():.3g} {unit}" for label, t, g in pairs
    )
    return finish(figure, "Predicted against true forces", alt, caption)
