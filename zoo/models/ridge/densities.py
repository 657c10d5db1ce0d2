"""Radial densities: how many neighbours of each species a particle has, shell by shell."""

from __future__ import annotations

import torch
from torch import Tensor
from torch_geometric.data import Data

from zoo import keys
from zoo.graphs import edge_vectors
from zoo.models.base import require_key

CHUNK = 2**18  # edges looked at in one go: 50 MB


def radial_densities(
    graph: Data, kind: Tensor, kinds: int, centers: Tensor, width: float, cutoff: float
) -> Tensor:
    """Return `G_sk(i) = Σ_{j of species s} exp(−(r_ij − μ_k)²/δ²)`, `[nodes, kinds · shells]` float64.

    Args:
        graph: with edges up to `cutoff` or more; longer ones are left out.
        kind: `[nodes]` species of each node, 0 … kinds − 1.
        kinds: number of species.
        centers: μ `[shells]` in the unit of length.
        width: δ.
        cutoff: in the unit of length.

    Source: Schoenholz et al., Nat. Phys. 12, 469 (2016), eq. 1 (after Behler and Parrinello 2007).
    """
    edge_index = require_key(graph, keys.EDGE_INDEX, "ridge")
    shift = graph.get(keys.EDGE_SHIFT)
    nodes = len(kind)
    pos, centers = graph[keys.POS].double(), centers.double()
    density = pos.new_zeros(nodes * kinds, len(centers))
    for start in range(0, edge_index.shape[1], CHUNK):
        send, receive = edges = edge_index[:, start : start + CHUNK]
        part = None if shift is None else shift[start : start + CHUNK].double()
        r = edge_vectors(pos, edges, part).norm(dim=1)
        near = r < cutoff
        shells = torch.exp(-((r[near, None] - centers) / width).square())
        density.index_add_(0, receive[near] * kinds + kind[send[near]], shells)
    return density.view(nodes, kinds * len(centers))
