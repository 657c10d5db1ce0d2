"""Graphs of particles: neighbour lists, sums over edges, radial functions."""

from __future__ import annotations

from zoo.graphs.neighbors import NeighborList, batched_all_pairs, edge_vectors, neighbor_list
from zoo.graphs.radial import BesselBasis, CosineCutoff, GaussianBasis, PolynomialCutoff
from zoo.graphs.search import BACKENDS, NeighborBackend
from zoo.graphs.segment import (
    Segments,
    gather,
    segment_backend,
    segment_mean,
    segment_softmax,
    segment_sum,
)

__all__ = [
    "BACKENDS",
    "BesselBasis",
    "CosineCutoff",
    "GaussianBasis",
    "NeighborBackend",
    "NeighborList",
    "PolynomialCutoff",
    "Segments",
    "batched_all_pairs",
    "edge_vectors",
    "gather",
    "neighbor_list",
    "segment_backend",
    "segment_mean",
    "segment_softmax",
    "segment_sum",
]
