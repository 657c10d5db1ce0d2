"""Shares of many states at once with errors, from counts of independent blocks."""

from __future__ import annotations

import numpy as np

from zoo.analysis.populations import Population


def shares(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the share of each state and its standard error, `[states]` each.

    The share is a ratio of sums over blocks; its error is linearised (delta method, which the bootstrap over
    blocks tends to), and never below that of independent frames: blocks that have seen nothing of a rare
    state look more alike than they are.

    Args:
        counts: `[blocks, states]` frames of each state in each independent block, or their weights with
            mean 1.
    """
    counts = np.asarray(counts, np.float64)
    total = max(float(counts.sum()), np.finfo(float).tiny)
    share = counts.sum(0) / total
    off = (counts - counts.sum(1, keepdims=True) * share) / total
    blocks = len(counts)
    between = np.sqrt(blocks / max(blocks - 1, 1) * (off**2).sum(0))
    return share, np.maximum(between, np.sqrt(np.clip(share * (1 - share), 0, None) / total))


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
