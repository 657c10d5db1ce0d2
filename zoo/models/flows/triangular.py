"""Couplings and conditional affine maps of local coordinates."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn


def perceptron(inputs: int, hidden: int, layers: int, outputs: int) -> nn.Sequential:
    """SiLU network whose last layer starts at zero, so that what it steers starts as the identity."""
    sizes = [inputs, *[hidden] * layers]
    parts: list[nn.Module] = []
    for a, b in pairwise(sizes):
        parts += [nn.Linear(a, b), nn.SiLU()]
    last = nn.Linear(sizes[-1], outputs)
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    return nn.Sequential(*parts, last)


class AffineCoupling(nn.Module):
    """y_b = y_b · exp(s) + m, with s and m from y_a and a context; Dinh et al., arXiv:1605.08803, eq. 8.

    Args:
        mask: `[columns]` True of those that are changed.
        context: number of context features.
        hidden, layers: of the network.
        limit: largest |s|.
    """

    changed: Tensor
    kept: Tensor
    back: Tensor

    def __init__(self, mask: Tensor, context: int, hidden: int, layers: int, limit: float = 2.0) -> None:
        super().__init__()
        self.limit = limit
        self.register_buffer("changed", mask.nonzero()[:, 0], persistent=False)
        self.register_buffer("kept", (~mask).nonzero()[:, 0], persistent=False)
        back = torch.cat([self.changed, self.kept]).argsort()
        self.register_buffer("back", back, persistent=False)
        self.net = perceptron(len(self.kept) + context, hidden, layers, 2 * len(self.changed))

    def forward(self, z: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        """Return y `[batch, columns]` and log |dy/dz| `[batch]`."""
        kept = z[:, self.kept]
        s, m = self._steered(kept, context)
        y = torch.cat([z[:, self.changed] * s.exp() + m, kept], 1)
        return y[:, self.back], s.sum(1)

    def inverse(self, y: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        """Return z `[batch, columns]` and log |dz/dy| `[batch]`."""
        kept = y[:, self.kept]
        s, m = self._steered(kept, context)
        z = torch.cat([(y[:, self.changed] - m) * (-s).exp(), kept], 1)
        return z[:, self.back], -s.sum(1)

    def _steered(self, kept: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        s, m = self.net(torch.cat([kept, context], 1)).chunk(2, 1)
        return self.limit * torch.tanh(s / self.limit), m
