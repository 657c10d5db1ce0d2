"""Heads: from features of nodes to energies or to targets, in the dataset's units."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch_geometric.data import Data

from zoo import keys
from zoo.data.graph import num_graphs
from zoo.data.info import DataInfo
from zoo.models.base import TypeIndex


class EnergyHead(nn.Module):
    """Energy of each graph as a sum over its nodes: `h [nodes, channels]` → `[graphs]`.

    `U = Σ_i (s · mlp(h_i) + e)`, with s = `info.force_rms` times one unit of length and
    e = `info.energy_per_particle`, so that the network works with numbers of order one.
    """

    scale: Tensor  # []
    shift: Tensor  # []

    def __init__(self, channels: int, info: DataInfo, activation: Callable[[], nn.Module]) -> None:
        super().__init__()
        self.lin1 = nn.Linear(channels, max(1, channels // 2))
        self.act = activation()
        self.lin2 = nn.Linear(max(1, channels // 2), 1)
        self.register_buffer("scale", torch.tensor(float(info.force_rms)))
        self.register_buffer("shift", torch.tensor(float(info.energy_per_particle)))

    def node_energies(self, h: Tensor) -> Tensor:
        """Return `[...]`, one energy for each row of `h [..., channels]`."""
        return self.lin2(self.act(self.lin1(h))).squeeze(-1) * self.scale + self.shift

    def forward(self, h: Tensor, graph: Data) -> Tensor:
        """Return `[graphs]`."""
        return sum_nodes(self.node_energies(h), graph)


class NodeHead(nn.Module):
    """Targets of each node: `h [nodes, channels]` → `[nodes, targets]`.

    One column of the network for each type and target, brought to the mean and standard deviation
    that the type has in the training data.
    """

    mean: Tensor  # [types, targets]
    std: Tensor  # [types, targets]

    def __init__(self, channels: int, info: DataInfo, activation: Callable[[], nn.Module]) -> None:
        super().__init__()
        self.index = TypeIndex(info.types)
        self.lin1 = nn.Linear(channels, channels)
        self.act = activation()
        self.lin2 = nn.Linear(channels, len(info.types) * len(info.target_names))
        self.register_buffer("mean", torch.tensor(info.target_mean))
        self.register_buffer("std", torch.tensor(info.target_std))

    def forward(self, h: Tensor, graph: Data) -> Tensor:
        """Return `[nodes, targets]`. Raises `DataError` on types that were not trained on."""
        kind = self.index(graph[keys.Z])
        types, targets = self.mean.shape
        every = self.lin2(self.act(self.lin1(h))).view(-1, types, targets)
        own = every.gather(1, kind[:, None, None].expand(-1, 1, targets))[:, 0]
        return own * self.std[kind] + self.mean[kind]


def sum_nodes(values: Tensor, graph: Data) -> Tensor:
    """Sum `[nodes, ...]` over the nodes of each graph: `[graphs, ...]`."""
    batch = graph.get(keys.BATCH)
    if batch is None:
        return values.sum(0, keepdim=True)
    total = values.new_zeros(num_graphs(graph), *values.shape[1:])
    return total.index_add(0, batch, values)


def make_head(channels: int, info: DataInfo, activation: Callable[[], nn.Module]) -> nn.Module:
    """Return the head that `info.interface` asks for."""
    kind = EnergyHead if info.interface == "potential" else NodeHead
    return kind(channels, info, activation)
