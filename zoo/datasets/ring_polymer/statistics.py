"""Averages over runs and their errors."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from zoo import keys
from zoo.data.dataset import Dataset

#: With fewer independent runs the error of a mean is not known well enough to judge by.
FEWEST_RUNS = 5


def run_slices(dataset: Dataset) -> list[slice]:
    """Return the frames of each run; one run where the dataset does not tell."""
    if keys.RUN not in dataset.arrays:
        return [slice(0, len(dataset))]
    edges = np.flatnonzero(np.diff(dataset.array(keys.RUN))) + 1
    return [slice(a, b) for a, b in pairwise([0, *edges.tolist(), len(dataset)])]


def some_runs(dataset: Dataset, limit: int) -> tuple[np.ndarray, list[slice]]:
    """Choose runs of together about `limit` frames at most, evenly spread; a long run is cut short.

    Returns:
        Numbers of the chosen frames, and where each run's are among them.
    """
    runs = run_slices(dataset)
    longest = max(s.stop - s.start for s in runs)
    number = max(1, min(len(runs), limit // min(longest, limit)))
    chosen = [runs[i] for i in np.unique(np.linspace(0, len(runs) - 1, number).astype(int))]
    frames = [np.arange(s.start, min(s.stop, s.start + limit)) for s in chosen]
    ends = np.cumsum([0, *map(len, frames)]).tolist()
    return np.concatenate(frames), [slice(a, b) for a, b in pairwise(ends)]


def jackknife(sums: np.ndarray, estimate: Callable[[np.ndarray], float]) -> tuple[float, float | None]:
    """Return an estimate and its standard error from leaving out one run at a time.

    Args:
        sums: `[runs, ...]` what each run adds to the sums that the estimate is made of.
        estimate: from the sum over runs `[...]` to a number.

    With fewer than `FEWEST_RUNS` there is no error: None.
    """
    total, runs = sums.sum(0), len(sums)
    if runs < FEWEST_RUNS:
        return estimate(total), None
    without = np.array([estimate(total - one) for one in sums])
    return estimate(total), float(np.sqrt((runs - 1) / runs * np.sum((without - without.mean()) ** 2)))


def average(
    values: np.ndarray, slices: list[slice], weights: np.ndarray | None = None
) -> tuple[float, float | None]:
    """Return the (weighted) mean of `[frames]` values and its standard error over independent runs."""
    weights = np.ones(len(values)) if weights is None else weights / weights.mean()
    sums = np.array([[np.sum((weights * values)[s]), np.sum(weights[s])] for s in slices])
    return jackknife(sums, lambda total: float(total[0] / total[1]))
