"""Splits by blocks of time or by independent run, never frame by frame."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from zoo.errors import DataError

Ranges = list[tuple[int, int]]
SPLITS = ("train", "val", "test")


def split_runs(
    run: np.ndarray, fractions: tuple[float, float, float] = (0.7, 0.15, 0.15), gap: int = 0
) -> dict[str, Ranges]:
    """Split frames by independent run, or by blocks of time where there are too few runs.

    Args:
        run: `[frames]` number of the independent run of each frame, equal numbers adjacent.
        fractions: shares of train, validation and test.
        gap: frames left out between two blocks of one run, so that no neighbours are shared.

    Returns:
        Half-open frame ranges of "train", "val" and "test". With five runs or more every run
        goes whole into one split; with fewer, each run is cut into three blocks of time.

    Raises:
        DataError: too few frames to fill three splits, or the runs are mixed.
    """
    frames = len(run)
    edges = np.flatnonzero(np.diff(run)) + 1
    if len(edges) + 1 > len(np.unique(run)):
        raise DataError("frames of one run must stand together: sort the frames by run")
    bounds = [0, *edges.tolist(), frames]
    runs = list(pairwise(bounds))
    shares = np.asarray(fractions) / sum(fractions)
    if len(runs) >= 5:
        n_test = max(1, round(shares[2] * len(runs)))
        n_val = max(1, round(shares[1] * len(runs)))
        n_train = len(runs) - n_val - n_test
        cuts = {"train": runs[:n_train], "val": runs[n_train:-n_test], "test": runs[-n_test:]}
        return {name: merge(ranges) for name, ranges in cuts.items()}
    splits: dict[str, Ranges] = {name: [] for name in SPLITS}
    for start, stop in runs:
        usable = stop - start - 2 * gap
        if usable < 3:
            raise DataError(f"a run of {stop - start} frames is too short for three splits")
        sizes = np.maximum(1, np.round(shares * usable).astype(int))
        sizes[0] = usable - sizes[1] - sizes[2]
        at = start
        for name, size in zip(SPLITS, sizes.tolist(), strict=True):
            splits[name].append((at, at + size))
            at += size + gap
    return splits


def merge(ranges: Ranges) -> Ranges:
    """Join ranges that touch."""
    out: Ranges = []
    for start, stop in ranges:
        if out and out[-1][1] == start:
            out[-1] = (out[-1][0], stop)
        else:
            out.append((start, stop))
    return out


def indices(ranges: Ranges, frames: int) -> np.ndarray:
    """Return the frame indices of half-open ranges. Raises `DataError` beyond the last frame."""
    for start, stop in ranges:
        if not 0 <= start < stop <= frames:
            raise DataError(f"split range [{start}, {stop}) does not fit {frames} frames")
    parts = [np.arange(start, stop) for start, stop in ranges]
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)


def check_disjoint(splits: dict[str, Ranges], frames: int) -> None:
    """Raise `DataError` if two splits share a frame."""
    owner = np.full(frames, -1)
    names = list(splits)
    for number, name in enumerate(names):
        index = indices(splits[name], frames)
        taken = owner[index]
        if (taken >= 0).any():
            other = names[int(taken[taken >= 0][0])]
            raise DataError(f"splits {name!r} and {other!r} share frames")
        owner[index] = number
