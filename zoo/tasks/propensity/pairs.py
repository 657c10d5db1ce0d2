"""Targets of pairs of neighbours beside those of particles (Shiba et al., J. Chem. Phys. 158, 084503)."""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch_geometric.data import Data

from zoo import keys
from zoo.data.dataset import Frames
from zoo.data.graph import Graph
from zoo.models.base import ZooModel
from zoo.models.ensemble import members_of
from zoo.models.pair_predictor import PairPredictor


def learns_pairs(model: ZooModel, frames: Frames) -> bool:
    """Whether a model, or an ensemble's members, predict pairs and the frames know of some."""
    member = members_of(model)[0]
    return (
        isinstance(member, PairPredictor)
        and member.predicts_pairs
        and keys.PAIR_CHANGES in frames.dataset.arrays
    )


def warn_without_pairs(model: ZooModel, frames: Frames) -> None:
    """Say on stderr, before training, that a model made for targets of pairs has none to learn from."""
    member = members_of(model)[0]
    if isinstance(member, PairPredictor) and not learns_pairs(model, frames):
        name = type(member).__name__.lower()
        print(
            f"{frames.dataset.name} does not tell how pairs of neighbours move: {name} learns from the "
            "targets of particles alone (`zoo data import` of files with end positions keeps what pairs do)",
            file=sys.stderr,
        )


def attach(graph: Graph, frames: Frames, number: int) -> None:
    """Give a graph `edge_targets`, NaN at edges whose pair was not followed; `number` in `frames`."""
    arrays, frame = frames.dataset.arrays, int(frames.index[number])
    pairs = np.asarray(arrays[keys.PAIRS][frame], np.int64)
    known = pairs[:, 0] >= 0
    changes = np.asarray(arrays[keys.PAIR_CHANGES][frame], np.float32)[known]
    graph[keys.EDGE_TARGETS] = edge_targets(
        graph[keys.EDGE_INDEX],
        torch.from_numpy(pairs[known]),
        torch.from_numpy(changes),
        len(graph[keys.POS]),
    )


def edge_targets(edge_index: Tensor, pairs: Tensor, changes: Tensor, nodes: int) -> Tensor:
    """Return `[edges, targets]`: for each direction of an edge the change of its pair, NaN if not known.

    Args:
        edge_index: `[2, edges]`.
        pairs: `[pairs, 2]`, i < j.
        changes: `[pairs, targets]`.
        nodes: number of nodes.
    """
    out = changes.new_full((edge_index.shape[1], changes.shape[1]), float("nan"))
    if not len(pairs):
        return out
    code, order = (pairs[:, 0] * nodes + pairs[:, 1]).sort()
    wanted = edge_index.min(0).values * nodes + edge_index.max(0).values
    place = torch.searchsorted(code, wanted).clamp(max=len(code) - 1)
    found = code[place] == wanted
    out[found] = changes[order[place[found]]]
    return out


def pair_error(
    guess: Tensor, edges: Tensor, batch: Data, std: Tensor, error: Callable[[Tensor], Tensor]
) -> tuple[Tensor, Tensor]:
    """Return the mean error of pairs that are known, and their mean absolute error in units of length.

    Args:
        guess: `[n, targets]` changes.
        edges: `[n]` whose they are.
        std: `[targets]` by which the residual is divided.
        error: of the scaled residual, elementwise.
    """
    residual = guess - batch[keys.EDGE_TARGETS][edges]
    known = ~residual.isnan()
    count = known.sum().clamp_min(1)
    # zero, not NaN, before the error: 0 · NaN would be NaN in the gradient
    residual = torch.where(known, residual, 0.0)
    return error(residual / std).sum() / count, residual.detach().abs().sum() / count
