"""How the distances of neighbours change while clones of a configuration run: targets of pairs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from zoo import keys
from zoo.graphs import neighbor_list

#: Pairs up to this distance at the start are followed, σ: the reach of the networks that learn from them
#: (Bapst et al. 2020, Shiba et al. 2023), which takes in the first two shells of A around A.
PAIR_RANGE = 2.0


def near_pairs(start: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Return the pairs within `PAIR_RANGE` as `[pairs, 2]` int32, i < j, each once.

    None in a box of less than 4 σ, where a pair may be within the range of several of its images and a
    change would not say of which; nor where positions and box do not fit together.

    Args:
        start: `[particles, 2 or 3]`, wrapped or not.
        box: `[2 or 3]` edges of the cell.
    """
    dimensions = len(box)
    if start.shape[1:] != box.shape or dimensions not in (2, 3) or not (box > 2 * PAIR_RANGE).all():
        return np.zeros((0, 2), np.int32)
    pad = 3 - dimensions
    pos = torch.from_numpy(np.pad(np.asarray(start, np.float64), ((0, 0), (0, pad))))
    cell = torch.from_numpy(np.diag(np.pad(np.asarray(box, np.float64), (0, pad), constant_values=1.0)))
    edges = neighbor_list(pos, PAIR_RANGE, cell=cell, pbc=(True, True, dimensions == 3)).edge_index.numpy()
    return edges[:, edges[0] < edges[1]].T.astype(np.int32)


def changes_of(start: np.ndarray, moves: np.ndarray, box: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Return the clones' mean of `|r_ij(t)| − |r_ij(0)|`, `[pairs]` float32.

    `r_ij(0)` is the nearest image; the same image is followed, as displacements are unwrapped.

    Args:
        start: `[particles, dimensions]`.
        moves: `[clones, particles, dimensions]` displacements.
        box: `[dimensions]`.
        pairs: `[pairs, 2]`.
    """
    i, j = pairs.T
    before = start[j] - start[i]
    before -= box * np.round(before / box)
    total = np.zeros(len(pairs))
    for move in moves:  # one clone at a time: all at once would be 32 × 80,000 × 3 numbers
        total += np.linalg.norm(before + move[j] - move[i], axis=1)
    return (total / len(moves) - np.linalg.norm(before, axis=1)).astype(np.float32)


def stacked(pairs: Sequence[np.ndarray], changes: Sequence[Sequence[np.ndarray]]) -> dict[str, np.ndarray]:
    """Return the arrays `pairs` and `pair_changes` of a dataset; see `zoo.keys`.

    Changes are float16: their mean over some tens of clones is known to a few per cent, not to 0.1 %.

    Args:
        pairs: `[pairs, 2]` of each frame.
        changes: `[pairs]` of each target of each frame.
    """
    most = max(len(p) for p in pairs)
    targets = max(len(c) for c in changes)
    numbers = np.full((len(pairs), most, 2), -1, np.int32)
    values = np.zeros((len(pairs), most, targets), np.float16)
    for frame, (own, rows) in enumerate(zip(pairs, changes, strict=True)):
        numbers[frame, : len(own)] = own
        values[frame, : len(own)] = np.stack(rows, axis=1)
    return {keys.PAIRS: numbers, keys.PAIR_CHANGES: values}
