"""Simulated conformations beside the frames of the data that are most like them, to be turned by hand."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import torch

from zoo import keys
from zoo.analysis.features import distances
from zoo.physics.superpose import superposed
from zoo.report.figures import samples
from zoo.report.plot import Drawing
from zoo.report.runs import Group
from zoo.report.simulation import all_simulated
from zoo.report.viewer import scene

MOST_FRAMES, MOST_NUMBERS = 20, 24_000
#: Frames of the data, and particles of each, among which the nearest is looked for.
SEARCHED, COMPARED = 2000, 32


def draw(group: Group) -> Drawing | None:
    """The data at the left, the best model's simulation at the right, in one orientation."""
    found = all_simulated(group)
    if not found:
        return None
    best, system = found[0], group.dataset.system
    n, unit = system.num_particles, group.dataset.units.length
    kept = best.arrays["positions"].astype(np.float64)
    count = max(1, min(len(kept), MOST_FRAMES, MOST_NUMBERS // (6 * n)))
    picked = np.linspace(0, len(kept) - 1, count).round().astype(int)
    model = kept[picked]
    index = np.unique(np.linspace(0, len(best.data) - 1, min(SEARCHED, len(best.data))).astype(int))
    data = best.data.array(keys.POSITIONS, index).astype(np.float64)
    nearest = _nearest(model, data)
    data = samples.superposed(data[nearest])
    model = superposed(torch.from_numpy(model), torch.from_numpy(data)).numpy()
    off = np.sqrt(np.square(model - data).sum(2).mean(1))
    width = 1.15 * max(float(np.ptp(data[..., 0])), float(np.ptp(model[..., 0])))
    aside = np.array([width / 2, 0.0, 0.0])
    left, right = data - aside, model + aside
    replicas = best.arrays["replica"][picked]
    notes = [
        f"{i + 1} of {count}: replica {r + 1}, {o:.3g} {unit} from the data"
        for i, (r, o) in enumerate(zip(replicas.tolist(), off, strict=True))
    ]
    closest = distances(data[:1], np.array(list(combinations(range(n), 2)), int).reshape(-1, 2))
    bead = 0.2 * float(closest.min()) if closest.size else 0.4
    caption = (
        f"Right: {count} conformations from the simulation of {best.label}, spread out over time and "
        f"replicas. Left: of {len(index):,} frames of the data the one whose distances between particles are "
        "most like it, in one orientation. Drag to turn, or use the arrow keys; + and − zoom; the slider "
        "chooses the conformation. The line below tells how far the two are from each other, root mean "
        f"square, {np.median(off):.2g} {unit} in the median. Look for conformations that nothing in the data "
        "is like, for mirror images and for beads too near each other."
    )
    return scene(
        f"Simulation of {best.label} in space", np.concatenate([left, right], 1),
        np.concatenate([system.elements] * 2), np.concatenate([system.bonds, system.bonds + n]), notes,
        f"Data and simulation by {best.label}, {n} particles each", caption, unit=unit, bead=bead,
    )  # fmt: skip


def _nearest(model: np.ndarray, data: np.ndarray) -> np.ndarray:
    """The frame of the data nearest to each of the model's by distances between particles, `[frames]`."""
    n = data.shape[1]
    particles = np.unique(np.linspace(0, n - 1, min(n, COMPARED)).astype(int)).tolist()
    pairs = np.array(list(combinations(particles, 2)), int).reshape(-1, 2)
    of_data = distances(data, pairs)
    return np.array([np.square(of_data - d).sum(1).argmin() for d in distances(model, pairs)])
