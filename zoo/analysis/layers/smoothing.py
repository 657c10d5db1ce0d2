"""How alike the nodes of a graph become from layer to layer, and how widely attention is spread."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

#: Nodes whose pairs are looked at, of larger graphs every so many.
MOST_NODES = 512


def dirichlet_energy(h: Tensor, edge_index: Tensor) -> float:
    """Return how much features differ along edges, Σ‖h_i − h_j‖² / 2 Σ‖h_i‖² with means over edges and nodes.

    0: neighbours are alike, as after too many rounds of averaging; 1: as different as if they were
    independent of each other with mean 0. After T. K. Rusch, M. M. Bronstein, S. Mishra, "A survey on
    oversmoothing in graph neural networks", arXiv:2303.10993, divided by the size of the features, which
    changes from layer to layer for other reasons.

    Args:
        h: `[nodes, channels]`.
        edge_index: `[2, edges]`; with no edges the energy is 0.
    """
    size = h.square().sum(1).mean()
    if edge_index.shape[1] == 0 or size <= 0:
        return 0.0
    return float((h[edge_index[0]] - h[edge_index[1]]).square().sum(1).mean() / (2 * size))


def mean_cosine_distance(h: Tensor) -> float:
    """Return the mean of 1 − cos(h_i, h_j) over pairs of nodes, 0 to 2.

    D. Chen et al., "Measuring and relieving the over-smoothing problem", AAAI 2020 (MAD).

    Args:
        h: `[nodes, channels]`; nodes whose features are all 0 are left out.
    """
    h = h[:: max(1, len(h) // MOST_NODES)]
    length = h.norm(dim=1)
    unit = h[length > 0] / length[length > 0, None]
    n = len(unit)
    if n < 2:
        return 0.0
    total = unit.sum(0).square().sum()  # Σ_ij cos, its diagonal being n
    return float(1 - (total - n) / (n * (n - 1)))


def attention_entropy(weight: Tensor, own: Tensor, receivers: Tensor) -> np.ndarray:
    """Return the mean over nodes of the entropy of attention, divided by its largest value, `[heads]`.

    1: a node listens to all its neighbours and itself alike; 0: to one of them. Nodes without neighbours do
    not count; NaN where there are no others.

    Args:
        weight: share of each edge `[edges, heads]`.
        own: share of each node itself `[nodes, heads]`; with its edges' they sum to 1.
        receivers: node of each edge `[edges]`.
    """
    entropy = -torch.xlogy(own, own)
    entropy = entropy.index_add(0, receivers, -torch.xlogy(weight, weight))
    neighbours = torch.bincount(receivers, minlength=len(own))
    known = neighbours > 0
    most = torch.log(neighbours[known].to(entropy) + 1)
    return (
        (entropy[known] / most[:, None]).mean(0).numpy()
        if bool(known.any())
        else np.full(own.shape[1], np.nan)
    )
