"""Distribution of each torsion: reference, model, model reweighted."""

from __future__ import annotations

import numpy as np

from zoo.analysis.histograms import circle, jensen_shannon
from zoo.report.density import all_draws
from zoo.report.plot import INK, Drawing, finish, legend, look, panels
from zoo.report.runs import Group

BINS = 60  # 6° each
MOST_TORSIONS, COLUMNS = 16, 4


def draw(group: Group) -> Drawing | None:
    """One panel for each torsion, of the best model."""
    found = [d for d in all_draws(group) if d.names]
    if not found:
        return None
    best = found[0]
    shown = best.names[:MOST_TORSIONS]
    rows = -(-len(shown) // COLUMNS)
    columns = min(COLUMNS, len(shown))
    figure, axes = panels(columns, rows, width=2.4, height=1.9, sharex=True, sharey=True)
    color = look(group.palette)[best.label]["color"]
    styles = [
        {"color": INK, "linewidth": 1.0},
        {"color": color, "linestyle": ":", "linewidth": 1.3},
        {"color": color},
    ]
    edges = np.linspace(-180, 180, BINS + 1)
    for axis in axes.ravel()[len(shown) :]:
        axis.set_axis_off()
    distance: dict[str, float] = {}
    for i, (axis, name) in enumerate(zip(axes.ravel(), shown, strict=False)):
        shares = {}
        for (side, (angles, weights)), how in zip(best.sides("torsions").items(), styles, strict=False):
            shares[side] = circle(angles[:, i], BINS, weights)
            axis.stairs(shares[side] * BINS / 360 * 100, edges, label=side, **how)
        distance[name] = jensen_shannon(*list(shares.values())[:: len(shares) - 1])
        axis.set_title(name, fontsize=9)
        axis.set_xticks(np.arange(-180, 181, 90))
    axes[0, 0].set_yscale("log")
    axes[0, 0].set_ylim(1e-3, 120 * BINS / 360)  # all in one bin, and some room
    for axis in axes[:, 0]:
        axis.set_ylabel("% per °")
    for axis in axes[-1]:
        axis.set_xlabel("angle (°)")
    legend(figure, axes[0, 0])
    left = "" if len(shown) == len(best.names) else f" The first {len(shown)} of {len(best.names)}."
    caption = (
        f"Share of conformations per degree of each torsion, in % (logarithmic), bins of 6°.{left} ω is a "
        "peptide bond, 180° is trans. Look for a hole in the model's line where the reference has none, a "
        "dropped mode, and for a floor where the reference is empty: mass in forbidden regions, which costs "
        "samples."
    )
    worst = max(distance, key=lambda k: distance[k])
    alt = (
        f"Torsions of {best.label}: the furthest from the reference is {worst}, Jensen-Shannon divergence "
        + (f"{distance[worst]:.2g} nats")
    )
    return finish(figure, f"Torsions of {best.label}", alt, caption)
