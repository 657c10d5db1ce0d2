"""Scores of reconstructions, from predictions alone."""

from __future__ import annotations

import numpy as np

from zoo import keys
from zoo.analysis.structures import rmsd, sanity
from zoo.coarse.maps import pieces
from zoo.data.dataset import Frames
from zoo.tasks.base import Predictions
from zoo.tasks.metrics import Metric, block_means, metric, standard_error


def scores(predictions: Predictions, frames: Frames) -> dict[str, Metric]:
    """Return the metrics of a reconstruction; errors are over independent runs.

    `mse` is the mean over all coordinates of the squared distance, the literature's; `rmsd` that of
    superposed structures, the mean over frames, `rmsd_heavy` without hydrogens. `decode_…` is of structures
    decoded from the beads or latents alone, where a model has more than that when it reconstructs. Then of
    models with beads: `beads`, `beads_used`, `contiguity` (beads over connected pieces of beads, 1 where each
    hangs together) and `mean_force` (mean square force on a bead, the regularisation of Wang &
    Gómez-Bombarelli 2019).
    """
    data = frames.dataset
    x = frames.array(keys.POSITIONS).astype(np.float64)
    blocks = frames.dataset.runs()[frames.index]
    units = data.units
    out: dict[str, Metric] = {}

    def mean(name: str, values: np.ndarray, unit: str) -> None:
        out[name] = metric(values.mean(), unit, standard_error(block_means(values, blocks)))

    heavy = np.flatnonzero(data.system.elements != 1)
    for prefix, key in (("", "reconstruction"), ("decode_", "decoded")):
        if key not in predictions:
            continue
        y = predictions[key].astype(np.float64)
        mean(prefix + "mse", np.square(y - x).mean((1, 2)), f"{units.length}²")
        mean(prefix + "rmsd", rmsd(y, x), units.length)
        if len(heavy) < data.system.num_particles:
            mean(prefix + "rmsd_heavy", rmsd(y[:, heavy], x[:, heavy]), units.length)
    if "map" in predictions:
        out |= _of_beads(predictions, frames, mean)
    drawn = predictions.get("draws")
    best = predictions.get("decoded", predictions["reconstruction"]) if drawn is None else drawn
    judged = best.reshape(-1, *x.shape[1:]).astype(np.float64)
    found = sanity(judged, x, data.system)
    for name, value in found.items():
        per_frame = value.reshape(len(x), -1).mean(1)
        mean(name, per_frame, "1")
    if drawn is not None:
        mean("diversity", _diversity(drawn.astype(np.float64)), units.length)
    return out


def _of_beads(predictions: Predictions, frames: Frames, mean: object) -> dict[str, Metric]:
    group = predictions["map_group"]
    used = len(np.unique(group[group >= 0]))
    beads = int(predictions["beads"][0])
    out = {"beads": metric(beads, "1"), "beads_used": metric(used, "1")}
    if len(frames.dataset.system.bonds):
        out["contiguity"] = metric(used / pieces(group, frames.dataset.system.bonds), "1")
    if keys.FORCES in frames.dataset.arrays:
        forces = np.einsum("bp,fpd->fbd", predictions["map_forces"], frames.array(keys.FORCES))
        squares = np.square(forces).sum(2).mean(1)
        unit = f"({frames.dataset.units.force})²"
        blocks = frames.dataset.runs()[frames.index]
        out["mean_force"] = metric(squares.mean(), unit, standard_error(block_means(squares, blocks)))
    return out


def _diversity(draws: np.ndarray) -> np.ndarray:
    """Root mean square distance of a frame's draws from their mean, `[frames]`."""
    return np.sqrt(np.square(draws - draws.mean(1, keepdims=True)).sum(3).mean((1, 2)))
