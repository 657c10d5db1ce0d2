"""The parts of MEGNet: which node is whose neighbour, one block, and set2set."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch_geometric.data import Data

from zoo import keys
from zoo.data.graph import num_graphs
from zoo.graphs import (
    PolynomialCutoff,
    Segments,
    edge_vectors,
    gather,
    segment_mean,
    segment_softmax,
    segment_sum,
)
from zoo.models.activation import ShiftedSoftplus
from zoo.models.base import require_key


@dataclass(frozen=True, eq=False)
class Topology:
    """Who belongs to whom, for one graph or batch, with the edges within the cutoff alone.

    Args:
        senders, receivers: node at either end of each edge.
        graph_of_edge, graph_of_node: graph that they belong to.
        length: `[edges]`, differentiable by the positions.
        weight: `[edges]`, 1 for close neighbours, 0 with slope 0 at the cutoff.
    """

    senders: Segments
    receivers: Segments
    graph_of_edge: Segments
    graph_of_node: Segments
    length: Tensor
    weight: Tensor

    @classmethod
    def of(cls, graph: Data, envelope: PolynomialCutoff) -> Topology:
        """Read a graph. Raises `DataError` where it has no edges."""
        index, shift = require_key(graph, keys.EDGE_INDEX, "megnet"), graph.get(keys.EDGE_SHIFT)
        r = edge_vectors(graph[keys.POS], index, shift)
        near = r.detach().square().sum(-1) < envelope.cutoff**2
        if not bool(near.all()):  # batches of molecules come with all pairs as edges
            index, r = index[:, near], r[near]
        nodes, graphs = len(graph[keys.POS]), num_graphs(graph)
        batch = graph.get(keys.BATCH)
        batch = index.new_zeros(nodes) if batch is None else batch
        length = r.square().sum(-1).clamp_min(1e-24).sqrt()
        return cls(
            senders=Segments.unsorted(index[0], nodes),
            receivers=Segments.unsorted(index[1], nodes),
            graph_of_edge=Segments.unsorted(batch[index[1]], graphs),
            graph_of_node=Segments.sorted(batch, graphs),
            length=length,
            weight=envelope(length)[:, None],
        )

    def mean_of_edges(self, e: Tensor, owner: Segments) -> Tensor:
        """Average edge features over each owner: `Σ w e / (1 + Σ w)`.

        The paper's mean is over all neighbours alike and jumps when one comes or goes. The 1 is a
        silent neighbour that everyone has: with none other the average is 0, and it starts gently.
        """
        return segment_sum(self.weight * e, owner) / (1 + segment_sum(self.weight, owner))


class Join(nn.Module):
    """A linear layer on features put side by side, without putting them there.

    `W [a ⊕ b ⊕ …]` is `W_a a + W_b b + …`, and what belongs to nodes or graphs is multiplied before
    it is copied to every edge.
    """

    def __init__(self, parts: int, channels: int, out: int) -> None:
        super().__init__()
        whole = nn.Linear(parts * channels, out)  # initialised as the whole it stands for
        self.bias = whole.bias
        self.parts = nn.ParameterList(w.clone().detach() for w in whole.weight.T.split(channels))

    def forward(self, *features: tuple[Tensor, Segments | None]) -> Tensor:
        """Sum over parts, each `(x, owner)`: `x[owner]` or `x` itself, `[rows, channels]`."""
        out = self.bias
        for weight, (x, owner) in zip(self.parts, features, strict=True):
            y = x @ weight
            out = out + (y if owner is None else gather(y, owner))
        return out


class Block(nn.Module):
    """One MEGNet block: dense layers on each attribute, then edges, nodes and state in turn.

    Equations 1 to 6 of the paper, where `φ` is `[hidden, hidden, channels]` with softplus, and each
    result is added to what it was before.
    """

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.before = nn.ModuleList(dense(channels, hidden, channels) for _ in range(3))
        self.join_edge = Join(4, channels, hidden)
        self.join_node = Join(3, channels, hidden)
        self.join_state = Join(3, channels, hidden)
        self.after = nn.ModuleList(
            nn.Sequential(ShiftedSoftplus(), dense(hidden, hidden, channels)) for _ in range(3)
        )

    def forward(self, e: Tensor, v: Tensor, u: Tensor, at: Topology) -> tuple[Tensor, Tensor, Tensor]:
        """Return new features of edges, nodes and state, `[edges | nodes | graphs, channels]`."""
        old = e, v, u
        e, v, u = (layer(x) for layer, x in zip(self.before, old, strict=True))
        update_edge, update_node, update_state = self.after
        e = update_edge(self.join_edge((v, at.senders), (v, at.receivers), (e, None), (u, at.graph_of_edge)))
        received = at.mean_of_edges(e, at.receivers)
        v = update_node(self.join_node((received, None), (v, None), (u, at.graph_of_node)))
        edges, nodes = at.mean_of_edges(e, at.graph_of_edge), segment_mean(v, at.graph_of_node)
        u = update_state(self.join_state((edges, None), (nodes, None), (u, None)))
        return old[0] + e, old[1] + v, old[2] + u


class Set2Set(nn.Module):
    """A summary of the nodes of each graph in any order (Vinyals et al. 2016): `[graphs, 2 · channels]`.

    An LSTM asks, attention answers with an average over nodes, and both go into the next question.
    """

    def __init__(self, channels: int, steps: int) -> None:
        super().__init__()
        self.steps = steps
        self.lstm = nn.LSTMCell(2 * channels, channels)

    def forward(self, h: Tensor, at: Topology) -> Tensor:
        """Summarise `h [nodes, channels]`."""
        graphs, channels = at.graph_of_node.size, h.shape[1]
        summary = h.new_zeros(graphs, 2 * channels)
        state = h.new_zeros(graphs, channels), h.new_zeros(graphs, channels)
        for _ in range(self.steps):
            state = self.lstm(summary, state)
            question = gather(state[0], at.graph_of_node)
            attention = segment_softmax((h * question).sum(-1, keepdim=True), at.graph_of_node)
            summary = torch.cat([state[0], segment_sum(attention * h, at.graph_of_node)], dim=1)
        return summary


def dense(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    """Two linear layers, each followed by a softplus."""
    return nn.Sequential(
        nn.Linear(inputs, hidden), ShiftedSoftplus(), nn.Linear(hidden, outputs), ShiftedSoftplus()
    )
