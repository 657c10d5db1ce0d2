"""Averages over frames, with errors that know of independent runs."""

from __future__ import annotations

import numpy as np

#: A mean may be off by so many standard errors: 1 in 16,000 by chance if Gaussian.
SIGMAS = 4.0


def mean_and_error(values: np.ndarray, run: np.ndarray, blocks: int = 8) -> tuple[float, float]:
    """Return the mean of `values` `[frames]` and its standard error between independent parts.

    Parts are whole runs; where there are fewer than `blocks`, each run is cut into equal blocks of
    time. The error is never below that of independent frames.

    Args:
        values: `[frames]`.
        run: `[frames]` number of the independent run of each frame.
        blocks: least number of parts.
    """
    values = np.asarray(values, np.float64)
    runs = np.unique(run)
    cuts = -(-blocks // len(runs))
    parts = [p for r in runs for p in np.array_split(values[run == r], cuts) if len(p)]
    means = np.array([p.mean() for p in parts])
    weights = np.array([len(p) for p in parts]) / len(values)
    mean = float(values.mean())
    n = len(parts)
    between = n / max(n - 1, 1) * float((weights**2 * (means - mean) ** 2).sum())
    independent = float(values.var()) / max(len(values) - 1, 1)
    return mean, float(np.sqrt(max(between, independent)))
