"""Energies of the reference and of each model's draws, as they come and reweighted."""

from __future__ import annotations

import numpy as np

from zoo.report.density import MOST, all_draws
from zoo.report.plot import INK, Drawing, finish, legend, look, panels, with_unit
from zoo.report.runs import Group

BINS = 80


def draw(group: Group) -> Drawing | None:
    """One panel for each model."""
    found = [d for d in all_draws(group) if d.weights is not None][:MOST]
    if not found:
        return None
    unit = group.dataset.units.energy
    known = found[0].arrays["reference_energy"]
    known = known[np.isfinite(known)]
    low, high = float(known.min()), float(known.max())
    # the reference's range and as much again above it, where a model's strained draws are
    edges = np.linspace(low - 0.1 * (high - low), high + (high - low), BINS + 1)
    figure, axes = panels(len(found), width=3.2, height=2.7, sharex=True, sharey=True)
    styles = look(group.palette)
    beyond = []
    for axis, draws in zip(axes[0], found, strict=True):
        color = styles[draws.label]["color"]
        how = [
            {"color": INK, "linewidth": 1.0},
            {"color": color, "linestyle": ":", "linewidth": 1.3},
            {"color": color},
        ]
        words = ("reference", "model", "reweighted")
        for word, (values, weights), style in zip(words, draws.sides("energy").values(), how, strict=True):
            w = np.ones(len(values)) if weights is None else weights
            share = np.histogram(values, edges, weights=w)[0] / max(w.sum(), 1e-300)
            axis.stairs(share / np.diff(edges), edges, label=word, **style)
        beyond.append(float((~(draws.arrays["energy"] <= edges[-1])).mean()))
        axis.set(title=draws.label, xlabel=with_unit("potential energy", unit))
    axes[0, 0].set_yscale("log")
    axes[0, 0].set_ylim(0.1 / len(known) / np.diff(edges)[0], None)
    axes[0, 0].set_ylabel(f"density (1/{unit})")
    legend(figure, axes[0, 0])
    caption = (
        f"Density of the potential energy in 1/{unit} (logarithmic): the reference ({len(known):,} frames), "
        "the model's draws as they come (dotted), and with their weights. Look for whether the reweighted "
        "line lies on the reference; draws to the right of it are strained and weigh little. Beyond the "
        "right edge or without a finite energy: "
        + ", ".join(f"{d.label} {100 * b:.2g} %" for d, b in zip(found, beyond, strict=True))
    )
    medians = ", ".join(f"{d.label} {np.median(d.arrays['energy']):.4g}" for d in found)
    alt = f"Energies: median of the reference {np.median(known):.4g} {unit}, of the draws {medians} {unit}"
    return finish(figure, "Potential energy of reference and draws", alt, caption + ".")
