"""Which particles each latent listens to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zoo.report.inside.latent.common import first_with, where
from zoo.report.plot import Drawing, finish, legend, look, panels
from zoo.verbs.inside.record import Inside

#: Particles that are named one by one.
NAMED = 40


def draw(records: Sequence[Inside]) -> Drawing | None:
    """A curve for each latent over the particles."""
    record = first_with(records, "sensitivity")
    if record is None:
        return None
    values, names = record.arrays["sensitivity"], record.facts["sensitivity of"]
    looks = look(names)
    particles = record.facts["atoms"]
    figure, axes = panels(1, 1, width=max(5.0, min(9.0, 0.28 * len(particles) + 1)), height=2.9)
    axis = axes[0, 0]
    number = np.arange(1, values.shape[1] + 1)
    for name, row in zip(names, values, strict=True):
        axis.plot(number, row, markersize=4, label=name, **looks[name])
    if len(particles) <= NAMED:
        axis.set_xticks(number, particles, rotation=90, fontsize=7)
    axis.set(xlabel="particle", ylabel="|∂z/∂x| σ / std z (no unit)", ylim=(0, None))
    legend(figure, axis)
    caption = (
        f"How much each column of the {where(record)} moves when a particle does: mean of |∂z/∂x| over "
        "frames, times by how much the particle moves in the data, over by how much the column does; no "
        "unit. Look for peaks at the atoms that the slow motion turns, and for atoms at zero, which this "
        "latent does not see. Hydrogens of a methyl should be alike."
    )
    peak = particles[int(values.max(0).argmax())]
    alt = f"Sensitivity of {', '.join(names)} to each particle; most to {peak}"
    return finish(figure, "What the latent listens to", alt, caption)
