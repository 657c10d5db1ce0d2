"""The noise ceiling: how well a perfect model could correlate with a mean over finitely many clones."""

from __future__ import annotations

import numpy as np


def noise_ceiling(
    clone_displacements: np.ndarray, types: np.ndarray, *, splits: int = 20, seed: int = 0
) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """Return, for each type, the ceilings "mean" `[times]` and "pooled" `[times]`.

    √ of the reliability of the mean over all clones: the correlation of the means over two random
    halves of the clones, averaged over `splits` random halvings, corrected for the shorter mean by
    Spearman and Brown (Br. J. Psychol. 3, 271 and 296, 1910). "mean": correlation over the
    particles of one configuration, the ceilings then averaged over configurations; "pooled": over
    all particles of all configurations at once.

    Args:
        clone_displacements: `[frames, times, clones, particles]`, |Δr| of each clone.
        types: `[particles]`.
        splits: number of random halvings.
        seed: of the halvings.

    Returns:
        Empty with fewer than two clones: then there is nothing to compare.
    """
    frames, times, clones, _ = clone_displacements.shape
    half = clones // 2
    if half == 0 or frames == 0:
        return {}
    rng = np.random.default_rng(seed)
    weights = np.zeros((2, splits, clones))
    for k in range(splits):
        order = rng.permutation(clones)
        weights[0, k, order[:half]] = weights[1, k, order[half : 2 * half]] = 1 / half
    out = {}
    for kind in np.unique(types).tolist():
        members = types == kind
        mean, pooled = np.zeros(times), np.zeros(times)
        for time in range(times):
            # Sums of x, y, x², y², xy over particles, for each configuration and halving.
            sums = np.zeros((frames, 5, splits))
            for frame in range(frames):
                moves = np.asarray(clone_displacements[frame, time][:, members], np.float64)
                x, y = weights @ moves
                sums[frame] = [v.sum(1) for v in (x, y, x * x, y * y, x * y)]
            n = int(members.sum())
            mean[time] = _ceiling(_pearson(sums, n).mean(-1), clones / half).mean()
            pooled[time] = _ceiling(_pearson(sums.sum(0), n * frames).mean(-1), clones / half)
        out[kind] = (mean, pooled)
    return out


def _pearson(sums: np.ndarray, n: int) -> np.ndarray:
    x, y, xx, yy, xy = np.moveaxis(sums, -2, 0)
    spread = np.sqrt(np.maximum((xx - x * x / n) * (yy - y * y / n), 0.0))
    return np.where(spread > 0, (xy - x * y / n) / np.where(spread > 0, spread, 1.0), 0.0)


def _ceiling(half_correlation: np.ndarray, factor: float) -> np.ndarray:
    """√ of the Spearman-Brown prediction for a mean over `factor` times as many clones."""
    r = np.clip(half_correlation, 0.0, 1.0)
    return np.sqrt(factor * r / (1 + (factor - 1) * r))
