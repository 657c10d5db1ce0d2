"""What figures of a glass share: which time to show, and the predictions of its models."""

from __future__ import annotations

import numpy as np

from zoo import keys
from zoo.data.dataset import Frames
from zoo.report.runs import Group


def telling_time(group: Group, times: int) -> int:
    """The last time at which the best model is within a fifth of its best: late, but not yet noise."""
    for place in group.board.places:
        cell = place.cells.get(group.board.headline)
        if cell is not None and cell.listed and len(cell.value) == times:
            scores = np.array([-1.0 if v is None else v for v in cell.value])
            return int(np.flatnonzero(scores >= 0.8 * scores.max())[-1]) if scores.max() > 0 else 0
    return 0


def propensities(group: Group, most: int) -> tuple[list[tuple[str, np.ndarray]], Frames] | None:
    """Label and predictions `[frames, particles, times]` of the best `most` models, and their frames.

    None where no run predicts propensities. Raises `LeftOut` where predictions do not fit the dataset.
    """
    if not group.predicts(keys.TARGETS):
        return None
    out: list[tuple[str, np.ndarray]] = []
    for label in group.order:
        run = group.first(label)
        if run is not None and len(out) < most:
            guess, frames = group.predicted(run, keys.TARGETS)
            out.append((label, guess))
    return out, frames


def at_time(group: Group, time: int) -> str:
    """` at t = 8.25 τ`; nothing where the dataset does not know its times."""
    data = group.dataset
    return f" at t = {data.target_times[time]:g} {data.units.time}" if data.target_times else ""
