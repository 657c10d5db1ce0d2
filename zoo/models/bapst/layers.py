"""Layers of the encode-process-decode network, without `[edge, receiver, sender]` in memory."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from zoo.graphs import Segments, gather, segment_sum

#: Factor of sums of messages, which the published network has not: weights can take it in. About one
#: over the number of neighbours, it keeps features of order one through the rounds.
SUM_SCALE = 1 / 32


class Links(NamedTuple):
    """Directed edges, and how much their messages count."""

    senders: Segments
    receivers: Segments
    weight: Tensor  # [edges, 1]


def perceptron(*sizes: int, last: bool = True) -> nn.Sequential:
    """Linear layers with ReLU between them, and behind the last one as well if `last`.

    Weights start as He et al. 2015 have it, so that features keep their size through all rounds.
    """
    layers: list[nn.Module] = []
    for number, (a, b) in enumerate(pairwise(sizes), 2):
        layer = nn.Linear(a, b)
        active = last or number < len(sizes)
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu" if active else "linear")
        nn.init.zeros_(layer.bias)
        layers += [layer, nn.ReLU()] if active else [layer]
    return nn.Sequential(*layers)


class Round(nn.Module):
    """One round: each edge from itself and its ends, then each node from its edges and itself.

    "Itself" is twice as wide as a layer: what it is now, and what the encoder made of it (Bapst et al.,
    Methods). The first layer of an edge acts on `[edge, receiver, sender]`, six parts of `channels`
    columns; here each part is multiplied by its own columns of the weight where it lives, nodes' parts at
    the nodes, and the products are summed at the edge. The encoder's parts are the same in all rounds
    and are multiplied once.

    Args:
        channels: width.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.edge = perceptron(6 * channels, channels, channels)
        self.node = perceptron(3 * channels, channels, channels)

    def encoded(self, e: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        """Return what the encoder's features `e [edges, c]`, `h [nodes, c]` add to an edge's first layer.

        Of the edge itself `[edges, c]`, and of a node as receiver and as sender `[nodes, 2c]`. Where the
        layer has a forward hook, the features as they are: it is called then, and costs more.
        """
        if self.edge[0]._forward_hooks:
            return e, h
        parts = self._parts()
        bias = self.edge[0].bias
        return linear(e, parts[1], bias), linear(h, torch.cat([parts[3], parts[5]]))  # type: ignore[arg-type]

    def forward(
        self, e: Tensor, h: Tensor, first: Tensor, fixed: tuple[Tensor, Tensor], links: Links
    ) -> tuple[Tensor, Tensor]:
        """Return new features of edges `[edges, c]` and nodes `[nodes, c]`.

        Args:
            e: features of the edges now.
            h: features of the nodes now.
            first: features of the nodes from the encoder.
            fixed: from `encoded`.
            links: see `Links`.
        """
        if self.edge[0]._forward_hooks:
            ends = torch.cat([h, fixed[1]], dim=1)
            around = gather(ends, links.receivers), gather(ends, links.senders)
            e = self.edge(torch.cat([e, fixed[0], *around], dim=1))
            return e, self._at_nodes(e, h, first, links)
        parts = self._parts()
        as_receiver, as_sender = (fixed[1] + linear(h, torch.cat([parts[2], parts[4]]))).chunk(2, dim=1)
        x = torch.addmm(fixed[0], e, parts[0].T)
        # in place: one array of [edges, c] serves the sum and the activation, and is all that is kept
        x.add_(gather(as_receiver, links.receivers))
        x.add_(gather(as_sender, links.senders))
        e = self.edge[2](x.relu_()).relu_()
        return e, self._at_nodes(e, h, first, links)

    def _at_nodes(self, e: Tensor, h: Tensor, first: Tensor, links: Links) -> Tensor:
        received = segment_sum(e * links.weight, links.receivers) * SUM_SCALE
        return self.node(torch.cat([received, h, first], dim=1))

    def _parts(self) -> tuple[Tensor, ...]:
        """Columns of the first weight: edge now, encoded; receiver now, encoded; sender now, encoded."""
        weight = self.edge[0].weight
        assert isinstance(weight, Tensor)
        return weight.split(self.channels, dim=1)
