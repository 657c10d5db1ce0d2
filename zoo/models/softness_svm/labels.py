"""Which particles the plane of the softness is to part."""

from __future__ import annotations

import torch
from torch import Tensor
from torch_geometric.data import Data

from zoo import keys
from zoo.data.graph import num_graphs
from zoo.errors import DataError
from zoo.models.softness_svm.config import SoftnessConfig


def labels_of(graph: Data, config: SoftnessConfig) -> Tensor:
    """Return `[nodes]` int64: 1 soft, 0 hard, −1 neither.

    Raises:
        DataError: labels by p_hop are asked for, and the dataset has none.
    """
    known = graph.get(keys.REARRANGES)
    if known is None and config.labels == "p_hop":
        raise DataError(
            "the dataset does not tell which particles rearrange (p_hop); set model.labels=propensity"
        )
    if known is not None and config.labels != "propensity":
        return known
    return fastest_and_slowest(graph, config.share)


def fastest_and_slowest(graph: Data, share: float) -> Tensor:
    """Label the `share` of the particles of each type and configuration that move farthest 1, and least 0.

    By the last target: F. P. Landes et al., Phys. Rev. E 101, 010602 (2020).
    """
    graphs = graph.get(keys.BATCH)
    kind, moved = graph[keys.Z], graph[keys.TARGETS][:, -1]
    graphs = torch.zeros_like(kind) if graphs is None else graphs
    out = torch.full_like(kind, -1)
    for number in range(num_graphs(graph)):
        for z in kind.unique():
            mine = ((graphs == number) & (kind == z)).nonzero().squeeze(1)
            count = min(max(1, int(share * len(mine))), len(mine) // 2)
            order = mine[moved[mine].argsort()]
            out[order[:count]], out[order[len(order) - count :]] = 0, 1
    return out
