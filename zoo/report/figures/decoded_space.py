"""Decoded structures beside their originals, to be turned by hand."""

from __future__ import annotations

import numpy as np

from zoo.report.figures.samples import superposed
from zoo.report.plot import Drawing
from zoo.report.reconstruction import all_decoded
from zoo.report.runs import Group
from zoo.report.viewer import scene

MOST_FRAMES, MOST_NUMBERS = 20, 24_000


def draw(group: Group) -> Drawing | None:
    """Originals at the left, decoded at the right, in one orientation; the slider chooses the frame."""
    found = all_decoded(group)
    if not found:
        return None
    best, system = found[0], group.dataset.system
    x, y = best.original, best.structures
    count = max(1, min(len(x), MOST_FRAMES, MOST_NUMBERS // (6 * system.num_particles)))
    picked = np.linspace(0, len(x) - 1, count).round().astype(int)
    off = np.sqrt(np.square(y - x).sum(2).mean(1))[picked]
    # both turned alike, or else their difference could not be seen
    both = superposed(np.concatenate([x[picked], y[picked]], 1))
    n = system.num_particles
    width = 1.15 * float(np.ptp(both[..., 0]))
    both[:, :n, 0] -= width / 2
    both[:, n:, 0] += width / 2
    unit = group.dataset.units.length
    notes = [f"frame {i + 1} of {count}: {o:.3g} {unit} apart" for i, o in enumerate(off)]
    bonds = np.concatenate([system.bonds, system.bonds + n])
    caption = (
        f"Test frames (left) and what {best.label} decodes from their beads or latents (right), in one "
        "orientation. Drag to turn, or use the arrow keys; + and − zoom; the slider chooses the frame. Look "
        "for bonds that are too short, flattened methyls and broken rings: averages over what the beads do "
        "not tell."
    )
    return scene(
        f"Originals and structures of {best.label} in space", both, np.concatenate([system.elements] * 2),
        bonds, notes, f"Originals and structures decoded by {best.label}, {n} particles each", caption,
        unit=unit, bead=0.3,
    )  # fmt: skip
