"""Do fast and slow regions have the right size: spatial correlation of true and of predicted propensity."""

from __future__ import annotations

import numpy as np

from zoo import keys
from zoo.analysis.mobility import PairSums, mobility_pairs, reach_of, relative_mobility
from zoo.data.dataset import Frames

#: How far correlations are followed, by unit system: about five diameters of a particle.
REACH = {"lj": 5.0, "ase": 15.0}


def true_pairs(frames: Frames) -> PairSums:
    """Sums over pairs of the measured propensities, of all times, free of the clones' noise.

    Where clones are kept apart, one factor of each product is the mean over every second clone, the
    other the mean over the rest; else both are the stored propensity, noise included.
    """
    dataset = frames.dataset
    types = dataset.system.types
    halves = _halves(frames)
    if halves is None:
        return _pairs(frames, relative_mobility(frames.array(keys.TARGETS), types))
    one, other = (relative_mobility(half, types) for half in halves)
    return _pairs(frames, one, other)


def predicted_pairs(frames: Frames, guess: np.ndarray) -> PairSums:
    """Sums over pairs of predicted propensities `[frames, particles, times]`."""
    return _pairs(frames, relative_mobility(guess, frames.dataset.system.types))


def _halves(frames: Frames) -> tuple[np.ndarray, np.ndarray] | None:
    dataset = frames.dataset
    if keys.CLONES not in dataset.arrays or dataset.arrays[keys.CLONES].shape[2] < 2:
        return None
    shape = frames.array(keys.TARGETS).shape
    one, other = np.zeros(shape), np.zeros(shape)
    for row, frame in enumerate(frames.index):
        clones = np.asarray(dataset.arrays[keys.CLONES][frame], np.float32)  # [times, clones, particles]
        one[row], other[row] = clones[:, ::2].mean(1).T, clones[:, 1::2].mean(1).T
    return one, other


def _pairs(frames: Frames, fields: np.ndarray, others: np.ndarray | None = None) -> PairSums:
    dataset = frames.dataset
    pbc = dataset.system.pbc
    cells = frames.array(keys.CELLS) if dataset.system.periodic else None
    reach = reach_of(cells, pbc, REACH[dataset.manifest.units])
    return mobility_pairs(frames.array(keys.POSITIONS), cells, pbc, fields, others, reach=reach)
