"""What a network makes, to be turned by hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zoo.report.figures.samples import nearest, superposed
from zoo.report.inside.kind import Draw
from zoo.report.plot import Drawing
from zoo.report.viewer import scene
from zoo.verbs.inside.record import Inside


def draw(records: Sequence[Inside]) -> Drawing | None:
    """Structures superposed on the first."""
    record = records[0]
    notes, unit = record.facts["notes"], record.facts["unit"]
    x = superposed(record.arrays["positions"].astype(np.float64))
    decoded = any("decoded" in note for note in notes)
    what = "frames and what is decoded from each" if decoded else "draws"
    look = (
        "Look at a frame and what is decoded from it, step by step: they should differ in fast motions alone."
        if decoded
        else "Look for broken rings, overlaps and wrong hands, and whether all draws are one and the same."
    )
    caption = (
        f"{len(x)} structures that {record.label} made, as they come and superposed: {what} (positions in "
        f"{unit}). Drag to turn, or use the arrow keys; + and − zoom; the slider chooses. {look}"
    )
    alt = f"One of {len(x)} structures that {record.label} made, {x.shape[1]} particles"
    elements, bonds = record.arrays["elements"], record.arrays["bonds"]
    bead = 0.3 * nearest(x[0])
    title = "Structures in space"
    return scene(title, x, elements, bonds, notes, alt, caption, unit=unit, bead=bead)


PICTURES: dict[str, Draw] = {"structures": draw}
