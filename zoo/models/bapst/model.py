"""The graph network of V. Bapst et al., Nat. Phys. 16, 448 (2020)."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch_geometric.data import Data

from zoo import keys
from zoo.data.info import DataInfo
from zoo.graphs import PolynomialCutoff, Segments, edge_vectors
from zoo.models.bapst.config import BapstConfig
from zoo.models.bapst.layers import Links, Round, perceptron
from zoo.models.base import TypeIndex, ZooModel, require_interface, require_key


class Bapst(ZooModel):
    """Encode, seven rounds of messages with the same weights, decode; all times at once.

    Nodes start from their type, edges from the vector of sender to receiver, so that directions count:
    the task's `rotations` has it learn from random symmetries of the cube. Layers are perceptrons of
    two layers with ReLU, the decoder's have a linear one behind: with the published sizes, two types
    and one time 62,401 parameters. `fade` lets messages vanish smoothly at the cutoff, where the
    published network jumps.

    Raises:
        ConfigError: another interface than targets of nodes.
    """

    mean: Tensor  # [types, targets]
    std: Tensor  # [types, targets]

    def __init__(self, config: BapstConfig, info: DataInfo) -> None:
        super().__init__(config, info, config.cutoff)
        require_interface(info, "node", type(self).__name__.lower())
        self.rounds, self.self_loops = config.rounds, config.self_loops
        width, targets = config.hidden_channels, len(info.target_names)
        self.fade = config.fade * self.cutoff
        self.envelope = PolynomialCutoff(self.fade) if self.fade else None
        self.index = TypeIndex(info.types)
        # the first type is 0 in all columns: of two types one column tells, as published
        self.encode_node = perceptron(max(1, len(info.types) - 1), width, width)
        self.encode_edge = perceptron(3, width, width)
        self.round = Round(width)
        self.decode_node = perceptron(width, width, width, targets, last=False)
        self.register_buffer("mean", torch.tensor(info.target_mean))
        self.register_buffer("std", torch.tensor(info.target_std))

    @property
    def message_layers(self) -> int:
        """See `ZooModel`."""
        return self.rounds

    def forward(self, graph: Data) -> Tensor:
        """Return targets `[nodes, targets]`; see `ZooModel`."""
        return self.nodes(self.features(graph)[0], graph)

    def nodes(self, h: Tensor, graph: Data) -> Tensor:
        """Decode features of the nodes `[nodes, hidden_channels]` to targets `[nodes, targets]`."""
        kind = self.index(graph[keys.Z])
        return self.decode_node(h) * self.std[kind] + self.mean[kind]

    def features(self, graph: Data) -> tuple[Tensor, Tensor, Tensor]:
        """Return features of nodes `[nodes, c]` and of edges `[n, c]` after the last round, and their edges.

        The third, `[n]`, says which of the graph's edges they are: those within the cutoff; features of
        `self_loops` are left out.
        """
        edges, vectors, kept = self._near(graph)
        for h, e in self._passes(graph, edges, vectors):  # noqa: B007
            pass
        return h, e[: len(kept)], kept

    def node_states(self, graph: Data) -> dict[str, Tensor]:
        """See `ZooModel`: from the encoder, and after each round."""
        edges, vectors, _ = self._near(graph)
        return {f"layer {k}": h for k, (h, _) in enumerate(self._passes(graph, edges, vectors))}

    def _near(self, graph: Data) -> tuple[Tensor, Tensor, Tensor]:
        """Edges `[2, n]` within the cutoff, their vectors `[n, 3]`, and which of the graph's they are."""
        edges = require_key(graph, keys.EDGE_INDEX, "bapst")
        vectors = edge_vectors(graph[keys.POS], edges, graph.get(keys.EDGE_SHIFT))
        kept = (vectors.square().sum(1) < self.cutoff**2).nonzero()[:, 0]
        if len(kept) < len(vectors):
            edges, vectors = edges[:, kept], vectors[kept]
        return edges, vectors, kept

    def _passes(self, graph: Data, edges: Tensor, vectors: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Features of nodes and of edges from the encoder, then after each round."""
        links, vectors = self._links(graph, edges, vectors)
        h = first = self.encode_node(self._types(graph))
        e = self.encode_edge(vectors)
        yield h, e
        fixed = self.round.encoded(e, h)
        for _ in range(self.rounds):
            e, h = self.round(e, h, first, fixed, links)
            yield h, e

    def _links(self, graph: Data, edges: Tensor, vectors: Tensor) -> tuple[Links, Tensor]:
        """Edges with their weight, and self-loops of length 0 behind them."""
        nodes = len(graph[keys.POS])
        if self.envelope is None:
            weight = torch.ones_like(vectors[:, 0])
        else:
            weight = self.envelope((vectors.norm(dim=1) - (self.cutoff - self.fade)).clamp_min(0))
        send, receive = edges
        if self.self_loops:
            own = torch.arange(nodes, device=edges.device)
            send, receive = torch.cat([send, own]), torch.cat([receive, own])
            vectors = torch.cat([vectors, vectors.new_zeros(nodes, 3)])
            weight = torch.cat([weight, weight.new_ones(nodes)])
        links = Links(Segments.unsorted(send, nodes), Segments.unsorted(receive, nodes), weight[:, None])
        return links, vectors

    def _types(self, graph: Data) -> Tensor:
        kind = self.index(graph[keys.Z])
        columns = self.encode_node[0]
        assert isinstance(columns, nn.Linear)
        others = torch.arange(1, columns.in_features + 1, device=kind.device)
        return (kind[:, None] == others).to(graph[keys.POS].dtype)
