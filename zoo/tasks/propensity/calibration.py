"""Does an ensemble know how wrong it is."""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata

from zoo import keys
from zoo.analysis.bootstrap import bootstrap_error, error_of_mean
from zoo.data.dataset import Frames
from zoo.tasks.base import Predictions
from zoo.tasks.metrics import Metric, metric, pearson

#: Standard deviation of an ensemble's members, in predictions.
SPREAD = "targets_spread"


def calibration_scores(predictions: Predictions, frames: Frames) -> dict[str, Metric]:
    """Return `calibration_X` and `spread_correlation_X` of each type X, lists over times.

    `calibration_X`: root mean square of z = error / √(spread² + s²), where the spread is the standard
    deviation of the members and s the standard error of the measured propensity: 1 for an ensemble
    that knows its error, above 1 for one too sure of itself. `spread_correlation_X`: Spearman's rank
    correlation of spread and absolute error within a configuration, averaged over configurations.
    Nothing for predictions that are not an ensemble's.
    """
    if SPREAD not in predictions:
        return {}
    system = frames.dataset.system
    miss = np.abs(predictions[keys.TARGETS].astype(np.float64) - frames.array(keys.TARGETS))
    spread = predictions[SPREAD].astype(np.float64)
    variance = spread**2 + clone_errors(frames) ** 2
    out: dict[str, Metric] = {}
    for kind in sorted(set(system.types.tolist())):
        name, members = system.type_names[kind], system.types == kind
        known = np.where(variance[:, members] > 0, variance[:, members], np.inf)
        square = (miss[:, members] ** 2 / known).mean(1)  # [configurations, times]

        def typical(weights: np.ndarray, square: np.ndarray = square) -> np.ndarray:
            return np.sqrt(weights @ square / weights.sum(1)[:, None])

        error = bootstrap_error(typical, len(square))
        out[f"calibration_{name}"] = metric(
            typical(np.ones((1, len(square))))[0], "1", None if error is None else error.tolist()
        )
        ranks = (rankdata(v[:, members], axis=1).transpose(0, 2, 1) for v in (spread, miss))
        rank = np.nan_to_num(pearson(*ranks))
        error = error_of_mean(rank)
        out[f"spread_correlation_{name}"] = metric(
            rank.mean(0), "1", None if error is None else error.tolist()
        )
    return out


def clone_errors(frames: Frames) -> np.ndarray:
    """Standard error of each measured propensity `[frames, particles, times]`; 0 without its clones."""
    out = np.zeros(frames.array(keys.TARGETS).shape)
    clones = frames.dataset.arrays.get(keys.CLONES)
    if clones is not None and clones.shape[2] > 1:
        for row, frame in enumerate(frames.index):
            moves = np.asarray(clones[frame], np.float32)  # [times, clones, particles]
            out[row] = (moves.std(1, ddof=1) / np.sqrt(moves.shape[1])).T
    return out
