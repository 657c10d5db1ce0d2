"""How far bonds, angles and corners of a structure are outside of what the training frames have."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from zoo.analysis.structures import angle_pairs

#: Spreads that a value may be off its mean for nothing.
FREE = 2.0


class Strain(nn.Module):
    """Mean square excess of 1–2 and 1–3 distances, and of the heights of corners.

    A corner is a particle with three bonds or more; its height is the triple product of three of them over
    the square of the mean bond ℓ: its sign is the corner's hand, which distances do not know, and it is 0
    where all is flat. What is within `FREE` spreads of the mean is free.

    Args:
        bonds: `[bonds, 2]`.
    """

    pairs: Tensor  # [pairs, 2]
    corners: Tensor  # [corners, 4] a particle, and three that are bonded to it
    length: Tensor  # ℓ, unit of length
    usual: Tensor  # [pairs + corners, 2] mean and spread, unit of length

    def __init__(self, bonds: np.ndarray) -> None:
        super().__init__()
        pairs = np.concatenate([bonds, angle_pairs(bonds)])
        corners = _corners(bonds)
        self.bonds = len(bonds)
        self.register_buffer("pairs", torch.from_numpy(pairs), persistent=False)
        self.register_buffer("corners", torch.from_numpy(corners), persistent=False)
        self.register_buffer("length", torch.ones(()))
        self.register_buffer("usual", torch.ones(len(pairs) + len(corners), 2))

    def prepare(self, x: Tensor) -> None:
        """Take means and spreads over frames `[frames, particles, 3]`."""
        if self.bonds:
            self.length.copy_(self._distances(x)[:, : self.bonds].mean())
            values = torch.cat([self._distances(x), self._heights(x)], 1)
            self.usual.copy_(torch.stack([values.mean(0), values.std(0, correction=0)], -1))

    def forward(self, x: Tensor) -> Tensor:
        """Return the strain of structures `[batch, particles, 3]`, unit of length²; 0 without bonds."""
        if not self.bonds:
            return x.new_zeros(())
        mean, spread = self.usual.unbind(-1)
        values = torch.cat([self._distances(x), self._heights(x)], 1)
        return ((values - mean).abs() - FREE * spread).clamp_min(0).square().mean()

    def _distances(self, x: Tensor) -> Tensor:
        i, j = self.pairs.T
        return ((x[:, i] - x[:, j]).square().sum(-1) + 1e-12).sqrt()

    def _heights(self, x: Tensor) -> Tensor:
        center, *others = self.corners.T
        a, b, c = (x[:, other] - x[:, center] for other in others)
        return (a * torch.linalg.cross(b, c)).sum(-1) / self.length.to(x).square()


def _corners(bonds: np.ndarray) -> np.ndarray:
    near: dict[int, list[int]] = {}
    for i, j in bonds.tolist():
        near.setdefault(i, []).append(j)
        near.setdefault(j, []).append(i)
    found = [[i, *sorted(n)[:3]] for i, n in sorted(near.items()) if len(n) >= 3]
    return np.array(found, np.int64).reshape(-1, 4)
