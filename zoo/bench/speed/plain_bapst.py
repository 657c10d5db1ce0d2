"""The network of Bapst et al. in plain torch-geometric layers, as one would write it down."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch_geometric.data import Data
from torch_geometric.loader import DataLoader
from torch_geometric.nn import MessagePassing

from zoo import keys
from zoo.data.dataset import Frames
from zoo.models.bapst.layers import SUM_SCALE
from zoo.models.bapst.model import Bapst


def _mlp(*sizes: int, last: bool = True) -> nn.Sequential:
    layers: list[nn.Module] = []
    for number in range(len(sizes) - 1):
        layers.append(nn.Linear(sizes[number], sizes[number + 1]))
        if last or number < len(sizes) - 2:
            layers.append(nn.ReLU())
    return nn.Sequential(*layers)


class PlainRound(MessagePassing):
    """Edges from `[edge, receiver, sender]`, nodes from `[sum of edges, node]`, each concatenated."""

    def __init__(self, channels: int) -> None:
        super().__init__(aggr="add")
        self.edge = _mlp(6 * channels, channels, channels)
        self.node = _mlp(3 * channels, channels, channels)

    def forward(self, x: Tensor, edge_index: Tensor, edge_attr: Tensor) -> tuple[Tensor, Tensor]:
        """`x [nodes, 2c]`, `edge_attr [edges, 2c]` → new edges `[edges, c]`, nodes `[nodes, c]`."""
        row, column = edge_index
        new = self.edge(torch.cat([edge_attr, x[column], x[row]], dim=-1))
        received = self.propagate(edge_index, edge_attr=new, size=(len(x), len(x)))
        return new, self.node(torch.cat([received * SUM_SCALE, x], dim=-1))

    def message(self, edge_attr: Tensor) -> Tensor:
        """An edge's own features."""
        return edge_attr


class PlainBapst(nn.Module):
    """The same function as `bapst` without `fade`; weights have the same names.

    Args:
        like: the model whose sizes and weights it takes.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, like: Bapst) -> None:
        super().__init__()
        width, self.rounds = like.round.channels, like.rounds
        columns, targets = max(1, len(like.info.types) - 1), len(like.info.target_names)
        self.encode_node = _mlp(columns, width, width)
        self.encode_edge = _mlp(3, width, width)
        self.round = PlainRound(width)
        self.decode_node = _mlp(width, width, width, targets, last=False)
        self.register_buffer("mean", torch.zeros_like(like.mean))
        self.register_buffer("std", torch.zeros_like(like.std))
        self.load_state_dict(like.state_dict())

    def forward(self, data: Data) -> Tensor:
        """Return targets `[nodes, targets]` of a batch with `x`, `edge_index`, `edge_attr`."""
        first = h = self.encode_node(data.x)
        encoded = e = self.encode_edge(data.edge_attr)
        for _ in range(self.rounds):
            e, h = self.round(torch.cat([h, first], -1), data.edge_index, torch.cat([e, encoded], -1))
        return self.decode_node(h) * self.std[data.kind] + self.mean[data.kind]


def plain_loader(model: Bapst, frames: Frames, *, shuffle: bool) -> DataLoader:
    """Return torch-geometric's loader of single frames held in memory, with edges as vectors."""
    graphs = []
    for number in range(len(frames)):
        graph = frames.graph(number, model.cutoff)
        send, receive = graph[keys.EDGE_INDEX]
        vector = graph[keys.POS][receive] - graph[keys.POS][send] + graph[keys.EDGE_SHIFT]
        kind = model.index(graph[keys.Z])
        others = torch.arange(1, max(2, len(model.info.types)))
        graphs.append(
            Data(
                x=(kind[:, None] == others).float(), kind=kind, y=graph[keys.TARGETS],
                edge_index=graph[keys.EDGE_INDEX], edge_attr=vector,
            )
        )  # fmt: skip
    return DataLoader(graphs, batch_size=1, shuffle=shuffle)
