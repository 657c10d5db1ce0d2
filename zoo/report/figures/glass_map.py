"""A slice of a glass: measured and predicted propensity on one scale."""

from __future__ import annotations

import numpy as np

from zoo import keys
from zoo.report.glass import telling_time
from zoo.report.plot import Drawing, finish, panels, with_unit
from zoo.report.runs import Group
from zoo.report.slab import discs, middle, radii, relative, wrapped

MOST = 3  # models beside the truth


def draw(group: Group) -> Drawing | None:
    """Particles of a slab of the first test configuration, coloured by propensity over its type's mean."""
    if not group.predicts(keys.TARGETS):
        return None
    data = group.dataset
    labels = [label for label in group.order if group.first(label)]
    guesses = []
    for label in labels[:MOST]:
        run = group.first(label)
        assert run is not None
        guess, frames = group.predicted(run, keys.TARGETS)
        guesses.append((label, guess[0]))
    frame = int(frames.index[0])
    truth = np.asarray(data.array(keys.TARGETS)[frame], np.float64)
    time = telling_time(group, truth.shape[1])
    types, cell = data.system.types, data.array(keys.CELLS)[frame] if data.system.periodic else None
    x, side = wrapped(data.array(keys.POSITIONS)[frame], cell, data.system.pbc)
    radius = radii(types, data.system.pbc, x, side)
    slab = middle(x, side, radius)
    fields = [("measured", relative(truth[:, time], types))]
    fields += [(label, relative(guess[:, time], types)) for label, guess in guesses]
    low, high = np.quantile(fields[0][1][slab], [0.02, 0.98])
    figure, axes = panels(len(fields), width=2.7, height=2.9, sharex=True, sharey=True)
    unit = data.units.length
    for axis, (label, values) in zip(axes[0], fields, strict=True):
        drawn = discs(axis, x[slab], radius[slab], values[slab], (low, high))
        axis.set(title=label, xlabel=with_unit("x", unit), aspect="equal")
        axis.set(xlim=(0, side[0]), ylim=(0, side[1]))
        axis.grid(False)
    axes[0, 0].set_ylabel(with_unit("y", unit))
    figure.colorbar(
        drawn, ax=axes[0].tolist(), label="propensity / mean of its type", shrink=0.85, extend="both"
    )
    when = f" at t = {data.target_times[time]:g} {data.units.time}" if data.target_times else ""
    flat = bool((data.system.pbc[2] is False) and np.ptp(x[:, 2]) == 0)
    cut = "all particles" if flat else f"a slab {2 * radius.max():.2g} {unit} thick"
    caption = (
        f"Propensity{when} of {cut} of test configuration {frame}, divided by the mean of the particle's "
        f"type in this configuration (no unit; positions in {unit}): bright particles move more than "
        "their kind does on average. Same colours in all panels. Look for whether bright and dark "
        "regions are where they are measured; the colours of a good model are paler, as it predicts the "
        "mean of what it cannot know."
    )
    rs = [f"{label} {np.corrcoef(values[slab], fields[0][1][slab])[0, 1]:.2f}" for label, values in fields[1:]
          if np.std(values[slab]) > 0]  # fmt: skip
    alt = "Map of a slice of the glass. Correlation with the measured map in this slice: " + ", ".join(rs)
    return finish(figure, "Propensity map of a slice", alt, caption)
