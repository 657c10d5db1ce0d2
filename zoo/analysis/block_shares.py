"""Shares of many states at once with errors, from counts of independent blocks."""

from __future__ import annotations

import numpy as np

from zoo.analysis.bootstrap import bootstrap_error
from zoo.analysis.populations import Population

#: Sets of blocks drawn anew: an error is then known to 4 %.
DRAWS = 300


def shares(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the share of each state and its standard error, `[states]` each.

    The error is the block bootstrap's, over blocks drawn anew with replacement, and never below that of
    independent frames: blocks that have seen nothing of a rare state look more alike than they are. Of fewer
    than three blocks it is the latter.

    Args:
        counts: `[blocks, states]` frames of each state in each independent block, or their weights with
            mean 1.
    """
    counts = np.asarray(counts, np.float64)
    total = float(counts.sum())
    share = _shares(counts.sum(0))
    between = bootstrap_error(lambda w: _shares(w @ counts), len(counts), draws=DRAWS)
    independent = np.sqrt(np.clip(share * (1 - share), 0, None) / max(total, np.finfo(float).tiny))
    return share, independent if between is None else np.maximum(between, independent)


def _shares(counts: np.ndarray) -> np.ndarray:
    return np.asarray(counts / np.maximum(counts.sum(-1, keepdims=True), np.finfo(float).tiny))


def populations_of(counts: np.ndarray) -> list[Population]:
    """Return the population of each state of counts `[blocks, states]`; see `shares`."""
    share, error = shares(counts)
    seen = np.asarray(counts).sum(0)
    mixed = (share > 0) & (share < 1)
    effective = np.full(len(share), float(seen.sum()))
    effective[mixed] = (share * (1 - share))[mixed] / error[mixed] ** 2
    if mixed.any():  # frames of a block are copies: no more of them count for a state that was never seen
        effective[~mixed] = np.median(effective[mixed])
    return [
        Population(float(s), float(e), float(n), int(c))
        for s, e, n, c in zip(share, error, effective, seen, strict=True)
    ]


def state_counts(
    states: np.ndarray, blocks: np.ndarray, number: int, weights: np.ndarray | None
) -> np.ndarray:
    """Return `[blocks, states]` frames of each state in each block; −1 is no state.

    Args:
        states: `[frames]` number of the state.
        blocks: `[frames]` number of the block.
        number: of states.
        weights: `[frames]`; brought to mean 1.
    """
    place = np.unique(blocks, return_inverse=True)[1]
    w = np.ones(len(states)) if weights is None else weights / weights.mean()
    size = number + 1
    rows = int(place.max()) + 1 if len(place) else 0
    cells = np.bincount(place * size + states + 1, w, rows * size).reshape(-1, size)
    return np.asarray(cells[:, 1:], np.float64)
