"""Graph attention with radial edge features (Veličković et al. 2018; Brody et al. 2022)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch_geometric.data import Data

from zoo import keys
from zoo.data.info import DataInfo
from zoo.errors import ConfigError
from zoo.graphs import CosineCutoff, GaussianBasis, gather, segment_sum
from zoo.models.activation import SiLU
from zoo.models.base import TypeIndex, ZooModel, cutoff_of
from zoo.models.edges import Edges, make_edges
from zoo.models.gat.config import GATConfig
from zoo.models.gat.density import RadialDensity, RunningStandard
from zoo.models.heads import make_head

#: Types that have an embedding.
NUM_EMBEDDINGS = 100
#: Brings a sum over a few tens of neighbours to order one, as the average over them is.
SUM_SCALE = 0.1
#: Attention logits stay within ± this, so that their exponentials need no running maximum.
LOGIT_CAP = 10.0


class GAT(ZooModel):
    """Nodes attend to neighbours, with logits and values that know the distance.

    Attention is dynamic (GATv2: the activation comes before the scoring vector). The cutoff
    function multiplies exp(logit) in numerator and denominator, and each node attends to itself as
    well: a neighbour that leaves fades out, also the last one, so energies and forces are
    continuous. As an average does not tell how many neighbours there are, each layer also passes
    on a plain sum, and the input has the radial densities of each species. Invariant: distances only.

    Raises:
        ConfigError: a type below 0 or above 99.
    """

    def __init__(self, config: GATConfig, info: DataInfo) -> None:
        super().__init__(config, info, cutoff_of(config.cutoff, info))
        if not 0 <= min(info.types) <= max(info.types) < NUM_EMBEDDINGS:
            raise ConfigError(f"gat takes types 0 to {NUM_EMBEDDINGS - 1}, got {info.types}")
        channels, basis = config.hidden_channels, config.num_gaussians
        self.basis = GaussianBasis(0.0, self.cutoff, basis)
        self.envelope = CosineCutoff(self.cutoff)
        self.embedding = nn.Embedding(NUM_EMBEDDINGS, channels)
        self.index = TypeIndex(info.types)
        self.density = RadialDensity(len(info.types), basis)
        self.standard = RunningStandard(len(info.types), len(info.types) * basis)
        self.enter = nn.Linear(len(info.types) * basis, channels)
        self.layers = nn.ModuleList(
            AttentionLayer(channels, config.heads, basis, config.dropout) for _ in range(config.num_layers)
        )
        self.norm = nn.LayerNorm(channels)
        self.head = make_head(channels, info, SiLU)

    @property
    def message_layers(self) -> int:
        """See `ZooModel`."""
        return len(self.layers) + 1  # the densities that it starts from

    def forward(self, graph: Data) -> Tensor:
        """Return energies `[graphs]` or targets `[nodes, targets]`; see `ZooModel`."""
        h, edges, radial = self._start(graph)
        for layer in self.layers:
            h = layer(h, edges, radial)
        return self.head(self.norm(h), graph)

    def return_attention(self, graph: Data) -> list[tuple[Tensor, Tensor]]:
        """Return each layer's attention to neighbours `[edges, heads]` and to itself `[nodes, heads]`.

        The weights of a node's edges and its own sum to 1 in each head; order as in `edge_index`.
        """
        h, edges, radial = self._start(graph)
        attention = []
        for layer in self.layers:
            assert isinstance(layer, AttentionLayer)
            weight, own = layer.attention(layer.norm(h), edges, radial)
            weight = weight * edges.spread(radial.envelope)
            total = own + segment_sum(weight, edges.receivers)
            attention.append((weight / gather(total, edges.receivers), own / total))
            h = layer(h, edges, radial)
        return attention

    @torch.no_grad()
    def radial_filters(self, distances: Tensor) -> Tensor:
        """Return value filters at `distances [n]`, `[layers, channels, n]`; 0 beyond the cutoff."""
        basis, envelope = self.basis(distances), self.envelope(distances)[:, None]
        layers = [layer for layer in self.layers if isinstance(layer, AttentionLayer)]
        return torch.stack([(layer.value_filter(basis) * envelope).T for layer in layers])

    def _start(self, graph: Data) -> tuple[Tensor, Edges, Radial]:
        edges = make_edges(graph)
        radial = Radial(self.basis(edges.distance), self.envelope(edges.distance)[:, None])
        kind = self.index(graph[keys.Z])
        density = self.density(kind, edges, radial.basis * radial.envelope)
        h = self.embedding(graph[keys.Z]) + self.enter(self.standard(density, kind))
        return h, edges, radial


class Radial(NamedTuple):
    """Functions of the distance, a row for each pair of nodes."""

    basis: Tensor  # [rows, n]
    envelope: Tensor  # [rows, 1]


class AttentionLayer(nn.Module):
    """Attention, then a two-layer network on each node; both residual, normalised before."""

    def __init__(self, channels: int, heads: int, basis: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(channels)
        self.query = nn.Linear(channels, channels)
        self.key = nn.Linear(channels, channels, bias=False)
        self.value = nn.Linear(channels, channels)
        self.key_filter = nn.Linear(basis, channels, bias=False)
        self.value_filter = nn.Linear(basis, channels)
        self.own_key = nn.Parameter(torch.zeros(channels))
        self.own_value = nn.Parameter(torch.ones(channels))
        self.score = nn.Parameter(torch.randn(channels) * (heads / channels) ** 0.5)
        self.out = nn.Linear(2 * channels, channels)
        self.mlp = nn.Sequential(
            nn.LayerNorm(channels),
            nn.Linear(channels, 2 * channels),
            SiLU(),
            nn.Linear(2 * channels, channels),
        )
        self.act = SiLU()
        self.dropout = nn.Dropout(dropout)

    def forward(self, h: Tensor, edges: Edges, radial: Radial) -> Tensor:
        """Return new features of the nodes, `[nodes, channels]`."""
        x = self.norm(h)
        weight, own = self.attention(x, edges, radial)
        value, envelope = self.value(x), radial.envelope
        messages = gather(value, edges.senders) * edges.spread(self.value_filter(radial.basis) * envelope)
        total = own + segment_sum(weight * edges.spread(envelope), edges.receivers)
        attended = segment_sum(self._by_head(messages, weight), edges.receivers)
        average = self._by_head(attended + self._by_head(value * self.own_value, own), 1 / total)
        summed = segment_sum(messages, edges.receivers)
        h = h + self.dropout(self.out(torch.cat([average, summed * SUM_SCALE], dim=1)))
        return h + self.dropout(self.mlp(h))

    def attention(self, x: Tensor, edges: Edges, radial: Radial) -> tuple[Tensor, Tensor]:
        """Return exp(logit) of each edge `[edges, heads]` and of each node itself `[nodes, heads]`.

        The share of an edge is this times the envelope, over the sum of all that at its receiver.
        """
        query, key = self.query(x), self.key(x)
        near = edges.spread(self.key_filter(radial.basis))
        pre = gather(query, edges.receivers) + gather(key, edges.senders) + near
        return self._logits(pre).exp(), self._logits(query + key + self.own_key).exp()

    def _logits(self, pre: Tensor) -> Tensor:
        # a matrix with one block of the score for each head: one product instead of two passes
        score = torch.block_diag(*self.score.view(self.heads, -1)).T
        logits = self.act(pre) @ score
        return LOGIT_CAP * torch.tanh(logits / LOGIT_CAP)

    def _by_head(self, x: Tensor, factor: Tensor) -> Tensor:
        """Multiply `[rows, channels]` with one factor for each head, `[rows, heads]`."""
        return (x.view(-1, self.heads, x.shape[1] // self.heads) * factor[:, :, None]).flatten(1)
