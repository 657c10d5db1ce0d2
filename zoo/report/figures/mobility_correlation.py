"""Size of fast and slow regions: correlation of mobility between particles, measured and predicted."""

from __future__ import annotations

import numpy as np

from zoo.analysis.bootstrap import error_of_mean
from zoo.analysis.mobility import PairSums
from zoo.report.glass import at_time, propensities, telling_time
from zoo.report.plot import INK, Drawing, finish, legend, look, panels, set_scale, with_unit
from zoo.report.runs import Group
from zoo.tasks.propensity.heterogeneity import predicted_pairs, true_pairs

MOST = 4  # models


def draw(group: Group) -> Drawing | None:
    """G(r) at one time, and the susceptibility within reach against time."""
    found = propensities(group, MOST)
    if found is None:
        return None
    guesses, frames = found
    fields = [("measured", true_pairs(frames))]
    fields += [(label, predicted_pairs(frames, guess)) for label, guess in guesses]
    data = group.dataset
    time = telling_time(group, guesses[0][1].shape[2])
    styles = look(group.palette)
    number = fields[0][1].own.shape[1]
    figure, axes = panels(2 if number > 1 else 1, width=4.2, height=3.1)
    times = data.target_times if len(data.target_times) == number else list(range(number))
    for label, pairs in fields:
        how = {"color": INK, "linestyle": "--"} if label == "measured" else {**styles[label], "markersize": 3}
        curve = pairs.correlation()[time]
        shown = _enough(pairs) & np.isfinite(curve)
        middle = (pairs.edges[1:] + pairs.edges[:-1]) / 2
        axes[0, 0].plot(middle[shown], curve[shown], label=label, **how)
        if number > 1:
            chi = pairs.susceptibility()
            axes[0, 1].errorbar(times, chi.mean(0), yerr=error_of_mean(chi), capsize=2, label=label, **how)
    axes[0, 0].axhline(0, color=INK, linewidth=0.6)
    axes[0, 0].set(xlabel=with_unit("distance r", data.units.length), ylabel="G(r) (no unit)",
                   title=f"correlation{at_time(group, time)}")  # fmt: skip
    if number > 1:
        axes[0, 1].set(
            xlabel=with_unit("time", data.units.time), ylabel="χ (no unit)", title="susceptibility"
        )
        set_scale(axes[0, 1], [v for _, p in fields for v in p.susceptibility().mean(0)])
        if min(times) > 0:
            axes[0, 1].set_xscale("log")
    legend(figure, axes[0, 0])
    reach = f"{fields[0][1].edges[-1]:.3g} {data.units.length}"
    caption = (
        "u: propensity over the mean of the particle's type, less 1. G(r): mean of uᵢuⱼ over pairs at "
        f"distance r in {data.units.length}, over the mean of u²: 1 where neighbours move alike. χ: mean "
        f"over particles of the sum of uᵢuⱼ over all within {reach}, itself included, averaged over the test "
        "configurations: how strong and how large fast and slow regions are (the part of χ4 within this "
        "distance); bars: standard error by bootstrap over configurations. The noise of the "
        "clones is taken out of the measured curves where they are kept apart. "
        "Look for curves on the measured G(r): a model that averages over neighbours decays too slowly, and "
        "a χ far below the measured one means pale regions."
    )
    words = ", ".join(f"{label} {pairs.susceptibility()[:, time].mean():.2g}" for label, pairs in fields)
    alt = f"Spatial correlation of mobility; susceptibility{at_time(group, time)}: {words}"
    return finish(figure, "Spatial correlation of mobility", alt, caption)


def _enough(pairs: PairSums) -> np.ndarray:
    """Shells with pairs enough for a mean: closer ones are empty but for a few."""
    number = pairs.pairs.sum(0)
    return number > 0.02 * number.max() * (pairs.edges[1:] / pairs.edges[-1]) ** 2
