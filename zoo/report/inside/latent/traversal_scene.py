"""Decoded structures along each latent, to be turned and stepped through."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zoo.report.figures.samples import nearest
from zoo.report.inside.latent.common import first_with
from zoo.report.plot import Drawing
from zoo.report.viewer import scene
from zoo.verbs.inside.record import Inside

#: Coordinates of a page, at most: about 200 kB.
MOST_NUMBERS = 50_000


def draw(records: Sequence[Inside]) -> Drawing | None:
    """One axis behind the other on one slider."""
    record = first_with(records, "traversal")
    if record is None:
        return None
    x = record.arrays["traversal"].astype(np.float64)
    names, values = record.facts["traversals"], record.arrays["traversal_values"]
    shares = record.arrays["traversal_shares"]
    axes = max(1, min(len(x), MOST_NUMBERS // x[0].size))
    notes = [
        f"{names[a]} = {values[a, s]:.2f} ({100 * share:.0f} % quantile)"
        for a in range(axes)
        for s, share in enumerate(shares)
    ]
    frames = x[:axes].reshape(-1, *x.shape[2:])
    unit = record.facts["unit of length"]
    caption = (
        f"Structures that {record.label} decodes along {', '.join(names[:axes])} (positions in {unit}), one "
        "axis behind the other, each superposed on its first structure. The slider goes along; drag to "
        "turn, or use the arrow keys. Look for the one motion that a latent stands for, and for bonds that "
        "break or atoms that overlap on the way."
    )
    alt = f"Structure decoded along {names[0]}, one of {len(frames)} steps along {axes} axes"
    elements, bonds = np.array(record.facts["elements"]), np.array(record.facts["bonds"], int).reshape(-1, 2)
    bead = 0.3 * max(nearest(frame) for frame in frames)
    return scene("Traversals in space", frames, elements, bonds, notes, alt, caption, unit=unit, bead=bead)
