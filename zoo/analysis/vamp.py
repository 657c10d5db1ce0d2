"""VAMP-2 score: how much of the slow dynamics a set of features sees, on runs that were not fitted.

H. Wu, F. Noé, J. Nonlinear Sci. 30, 23 (2020); by deeptime.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zoo.analysis.dynamics import Estimate
from zoo.errors import DataError

#: Pairs of frames in each fold for each dimension, at least: of fewer, any features seem to forget nothing.
PAIRS = 10


def vamp2(runs: Sequence[np.ndarray], lag: int, dimension: int, folds: int = 5, seed: int = 0) -> Estimate:
    """Return the cross-validated VAMP-2 score of features, and its standard error over the folds.

    The sum of squares of the leading singular values of the Koopman operator in these features, the constant
    one included: 1 where nothing is remembered after the lag, dimension + 1 where nothing is forgotten. Each
    fold of whole runs is scored by what the other runs say.

    Args:
        runs: each `[frames, k]`; at least two that are longer than the lag.
        lag: frames.
        dimension: singular values to count, beside the constant.
        folds: at most the number of runs.
        seed: of the order of the runs.

    Raises:
        DataError: fewer than two runs are longer than the lag, they are too short, or nothing varies.
    """
    from deeptime.covariance import Covariance
    from deeptime.decomposition import VAMP
    from deeptime.numeric import ZeroRankError

    long = [np.asarray(r, np.float64) for r in runs if len(r) > lag]
    if len(long) < 2:
        raise DataError(f"a VAMP score needs two runs that are longer than the lag of {lag} frames")
    every = np.concatenate(long)
    width = every.std(0)
    moving = width > 1e-9 * max(float(width.max()), np.finfo(float).tiny)
    if not moving.any():
        raise DataError("nothing varies along the runs")
    middle = every.mean(0)[moving]
    long = [(r[:, moving] - middle) / width[moving] for r in long]
    order = np.random.default_rng(seed).permutation(len(long))
    parts = np.array_split(order, min(folds, len(long)))
    fewest = min(sum(len(long[i]) - lag for i in part) for part in parts)
    if fewest < PAIRS * dimension:
        raise DataError(
            f"a VAMP score of {dimension} dimensions needs {PAIRS * dimension} pairs of frames in each of "
            f"{len(parts)} parts of the runs, not {fewest}"
        )

    def moments(members: Sequence[int]) -> object:
        kept = Covariance(
            lagtime=lag, compute_c0t=True, compute_ctt=True, remove_data_mean=True, bessels_correction=False
        )  # fmt: skip
        return kept.fit_fetch([long[i] for i in members])

    scores = []
    for part in parts:
        others = [int(i) for i in order if i not in part]
        try:
            model = VAMP(dim=dimension, epsilon=1e-6).fit_from_covariances(moments(others)).fetch_model()
            test = (
                VAMP(dim=dimension, epsilon=1e-6).fit_from_covariances(moments(part.tolist())).fetch_model()
            )
        except ZeroRankError as reason:
            raise DataError("nothing varies along one part of the runs") from reason
        scores.append(float(model.score(2, test_model=test, dim=dimension)))
    error = float(np.std(scores, ddof=1) / np.sqrt(len(scores)))
    return Estimate(float(np.mean(scores)), error)
