"""Message passing over descriptors, with radial weights that are not learned."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch_geometric.data import Data

from zoo import keys
from zoo.data.info import DataInfo
from zoo.descriptors.operators import csr
from zoo.graphs import CosineCutoff, edge_vectors
from zoo.models.activation import SiLU
from zoo.models.base import require_key
from zoo.models.described import DescribedModel
from zoo.models.descriptor_gnn.config import DescriptorGNNConfig
from zoo.models.gat.density import RunningStandard
from zoo.models.heads import NodeHead

#: Added to the variance of descriptors: fields that have diffused far vary little, and tell all the same.
FLOOR = 1e-8
#: Standardised descriptors beyond this, in either direction, count as this.
LARGEST = 6.0


class DescriptorGNN(DescribedModel):
    """`h ← h + drop(silu(W [h, Σ_j w_λ(r_ij) h_j of each species and λ]))`, scalars alone.

    With few configurations the descriptors do what a deep network would learn from many; messages with
    fixed weights mix them. Invariant: nothing but distances is looked at.

    Raises:
        ConfigError: another interface than targets of nodes.
    """

    config: DescriptorGNNConfig

    def __init__(self, config: DescriptorGNNConfig, info: DataInfo) -> None:
        super().__init__(config, info, config.descriptors, config.cutoff)
        channels, types = config.hidden_channels, len(info.types)
        self.envelope = CosineCutoff(config.cutoff)
        self.standard = RunningStandard(types, self.num_descriptors, FLOOR)
        self.enter = nn.Linear(self.num_descriptors, channels)
        self.embedding = nn.Embedding(types, channels)
        wide = channels * (1 + types * len(config.decays))
        self.layers = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(wide), nn.Linear(wide, channels), SiLU(), nn.Dropout(config.dropout))
            for _ in range(config.num_layers)
        )
        self.leave = nn.Sequential(nn.LayerNorm(channels), nn.Dropout(config.dropout))
        self.head = NodeHead(channels, info, SiLU)

    @property
    def message_layers(self) -> int:
        """See `ZooModel`."""
        return len(self.layers)

    def forward(self, graph: Data) -> Tensor:
        """Return targets `[nodes, targets]`; see `ZooModel`."""
        kind = self.index(graph[keys.Z])
        x = self.inputs(graph).to(self.enter.weight)
        h = self.enter(self.standard(x, kind).clamp(-LARGEST, LARGEST)) + self.embedding(kind)
        if len(self.layers):
            sums = self._sums(graph, h)
            own = [(kind == k).to(h)[:, None] for k in range(len(self.info.types))]
        for layer in self.layers:
            apart = torch.cat([h * mine for mine in own], dim=1)
            h = h + layer(torch.cat([h, *(_Product.apply(apart, matrix) for matrix in sums)], dim=1))
        return self.head(self.leave(h), graph)

    def radial_filters(self, distances: Tensor) -> Tensor:
        """Return the radial weights `[decays, distances]` of `distances`, which are not learned."""
        return torch.stack([torch.exp(-distances / decay) for decay in self.config.decays]) * self.envelope(
            distances
        )

    def _sums(self, graph: Data, h: Tensor) -> list[Tensor]:
        """One symmetric sparse matrix `[nodes, nodes]` of weights for each decay, with rows of about one."""
        send, receive = edges = require_key(graph, keys.EDGE_INDEX, "descriptor-gnn")
        r = edge_vectors(graph[keys.POS], edges, graph.get(keys.EDGE_SHIFT)).norm(dim=1)
        near = r < self.config.cutoff
        send, receive, r = send[near], receive[near], r[near]
        out = []
        for weights, scale in zip(self.radial_filters(r), self._scales(), strict=True):
            out.append(csr(receive, send, (weights / scale).to(h), (len(h), len(h))))
        return out

    def _scales(self) -> list[float]:
        """Sum of each filter over a liquid of density one: 4π ∫ w(r) r² dr."""
        r = torch.linspace(0, self.config.cutoff, 201)
        return (4 * torch.pi * torch.trapezoid(self.radial_filters(r) * r.square(), r)).tolist()


class _Product(torch.autograd.Function):
    """A symmetric sparse matrix times features: its own transpose, so that backward is the same product."""

    @staticmethod
    def forward(ctx: Any, h: Tensor, matrix: Tensor) -> Tensor:
        ctx.matrix = matrix
        return matrix @ h

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:  # type: ignore[override]
        return ctx.matrix @ grad.contiguous(), None
