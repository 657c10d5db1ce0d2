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
    runs = run_ranges(run)
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


def run_ranges(run: np.ndarray, block: int = 1 << 20) -> Ranges:
    """Return the half-open frame range of each run, looking at `block` frames at a time.

    Raises `DataError` if the frames of one run do not stand together.
    """
    edges = [0]
    for start in range(0, len(run), block):
        part = np.asarray(run[max(start - 1, 0) : start + block])
        edges += (np.flatnonzero(np.diff(part)) + max(start, 1)).tolist()
    if len(edges) > len({int(run[edge]) for edge in edges}):
        raise DataError("frames of one run must stand together: sort the frames by run")
    return list(pairwise([*edges, len(run)]))


def merge(ranges: Ranges) -> Ranges:
    """Join ranges that touch."""
    out: Ranges = []
    for start, stop in ranges:
        if out and out[-1][1] == start:
            out[-1] = (out[-1][0], stop)
        else:
            out.append((start, stop))
    return out


def check_ranges(ranges: Ranges, frames: int) -> None:
    """Raise `DataError` beyond the last frame."""
    for start, stop in ranges:
        if not 0 <= start < stop <= frames:
            raise DataError(f"split range [{start}, {stop}) does not fit {frames} frames")


def indices(ranges: Ranges) -> np.ndarray:
    """Return the frame indices of half-open ranges."""
    parts = [np.arange(start, stop) for start, stop in ranges]
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)


def check_disjoint(splits: dict[str, Ranges], frames: int) -> None:
    """Raise `DataError` if two splits share a frame, or one reaches beyond the last frame."""
    for ranges in splits.values():
        check_ranges(ranges, frames)
    taken = sorted((start, stop, name) for name, ranges in splits.items() for start, stop in ranges)
    for (_, stop, name), (start, _, other) in pairwise(taken):
        if start < stop:
            what = f"splits {name!r} and {other!r} share" if name != other else f"split {name!r} repeats"
            raise DataError(f"{what} frames")
