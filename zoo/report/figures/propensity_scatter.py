"""Predicted against measured propensity of single particles, by species."""

from __future__ import annotations

import numpy as np
from matplotlib.colors import LogNorm

from zoo import keys
from zoo.report.glass import at_time, propensities, telling_time
from zoo.report.plot import INK, Drawing, density_map, finish, panels, with_unit
from zoo.report.runs import Group

MOST = 3  # models
BINS = 45


def draw(group: Group) -> Drawing | None:
    """A row for each species, a column for each model; all particles of all test configurations."""
    found = propensities(group, MOST)
    if found is None:
        return None
    guesses, frames = found
    system, unit = group.dataset.system, group.dataset.units.length
    truth = frames.array(keys.TARGETS).astype(np.float64)
    time = telling_time(group, truth.shape[2])
    kinds = sorted(set(system.types.tolist()))
    figure, axes = panels(len(guesses), len(kinds), width=2.8, height=2.7)
    words, drawn = [], []
    for row, kind in zip(axes, kinds, strict=True):
        members, name = system.types == kind, system.type_names[kind]
        true = truth[:, members, time].ravel()
        low, high = np.quantile(true, [0.0005, 0.9995])
        pad = 0.04 * (high - low)
        edges = np.linspace(low - pad, high + pad, BINS + 1)
        for axis, (label, values) in zip(row, guesses, strict=True):
            guess = values[:, members, time].ravel().astype(np.float64)
            number = np.histogram2d(true, guess, bins=(edges, edges))[0].T
            shown = np.ma.masked_less(number, 1)
            drawn.append(axis.pcolormesh(edges, edges, shown, cmap=density_map(), rasterized=True))
            axis.plot(edges[[0, -1]], edges[[0, -1]], color=INK, linewidth=0.8, linestyle="--")
            r = np.corrcoef(true, guess)[0, 1] if guess.std() > 0 else 0.0
            axis.set(title=f"{label}, {name}: r = {r:.2f}", aspect="equal")
            words.append(f"{label} {name} {r:.2f}")
        row[0].set_ylabel(with_unit("predicted", unit))
    for axis in axes[-1]:
        axis.set_xlabel(with_unit("measured", unit))
    norm = LogNorm(1, max(2.0, *(float(mesh.get_array().max() or 1) for mesh in drawn)))
    for mesh in drawn:
        mesh.set_norm(norm)
    figure.colorbar(drawn[0], ax=axes.ravel().tolist(), label="particles in a bin", shrink=0.85)
    caption = (
        f"Propensity{at_time(group, time)} of every particle of the test split, in {unit}; colour: particles "
        "in a bin (logarithmic); r: correlation over all configurations. A perfect model lies on the dashed "
        "line but for the noise of the clones. Look at the right end: the fastest particles are "
        "predicted too slow by a model that sees only part of what makes them fast."
    )
    alt = "Predicted against measured propensity, correlation: " + ", ".join(words)
    return finish(figure, "Predicted against measured propensity", alt, caption)
