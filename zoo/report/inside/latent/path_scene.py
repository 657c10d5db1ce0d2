"""From one conformation to another, in space."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zoo.report.figures.samples import nearest
from zoo.report.inside.latent.common import first_with
from zoo.report.plot import Drawing
from zoo.report.viewer import scene
from zoo.verbs.inside.record import Inside


def draw(records: Sequence[Inside]) -> Drawing | None:
    """Through the latent, then in a straight line, on one slider."""
    record = first_with(records, "path_latent", "path_Cartesian")
    if record is None:
        return None
    ways = {"through the latent": "path_latent", "straight line": "path_Cartesian"}
    frames = np.concatenate([record.arrays[name] for name in ways.values()]).astype(np.float64)
    notes = []
    for words, name in ways.items():
        steps = len(record.arrays[name])
        energy, clashes = record.arrays.get(f"{name}_energy"), record.arrays[f"{name}_clashes"]
        for step in range(steps):
            note = f"{words}, {100 * step / (steps - 1):.0f} %, {clashes[step]:.0f} clashes"
            notes.append(note if energy is None else f"{note}, {energy[step]:.3g} kT")
    i, j = record.facts["interpolation"]["frames"]
    unit = record.facts["unit of length"]
    caption = (
        f"From frame {i} to frame {j} of {record.facts['dataset']} (positions in {unit}): first decoded "
        f"along a straight line of the latent of {record.label}, then as the straight line of the "
        "positions, all superposed on the first frame. The slider goes along; drag to turn, or use the "
        "arrow keys. Look for groups that rotate as a whole (latent) where the straight line squeezes them "
        "together."
    )
    alt = f"Structure on the way from frame {i} to frame {j}, one of {len(frames)}"
    elements, bonds = np.array(record.facts["elements"]), np.array(record.facts["bonds"], int).reshape(-1, 2)
    bead = 0.3 * max(nearest(frame) for frame in frames)
    return scene("Interpolation in space", frames, elements, bonds, notes, alt, caption, unit=unit, bead=bead)
