"""Directed edges of a batch, with what is the same in both directions computed once."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from torch_geometric.data import Data

from zoo import keys
from zoo.graphs import Segments, gather
from zoo.models.base import require_key
from zoo.models.pairs import complete_atoms, edge_length


@dataclass(frozen=True)
class Edges:
    """Edges and their lengths, differentiable by the positions."""

    senders: Segments
    receivers: Segments
    distance: Tensor  # [rows], a row for each pair, or for each edge where there are no pairs
    pairs: Segments | None  # row of each edge

    def spread(self, rows: Tensor) -> Tensor:
        """Copy `[rows, ...]` to the edges, `[edges, ...]`."""
        return rows if self.pairs is None else gather(rows, self.pairs)


def make_edges(graph: Data) -> Edges:
    """Read the edges of a graph or batch. Raises `DataError` if it has no `edge_index`."""
    send, receive = require_key(graph, keys.EDGE_INDEX, "a graph network")
    pos, shift = graph[keys.POS], graph.get(keys.EDGE_SHIFT)
    senders = Segments.unsorted(send, len(pos))
    pair, one = graph.get(keys.EDGE_PAIR), graph.get(keys.PAIR_EDGE)
    if pair is None or one is None:
        distance = edge_length(pos, send, receive, shift)
        return Edges(senders, Segments.unsorted(receive, len(pos)), distance, None)
    atoms = complete_atoms(graph)
    receivers = Segments.sorted(receive, len(pos), atoms - 1 if atoms else None)
    i, j = receive.index_select(0, one), send.index_select(0, one)
    distance = edge_length(pos, j, i, shift, one)
    return Edges(senders, receivers, distance, Segments.unsorted(pair, len(distance)))
