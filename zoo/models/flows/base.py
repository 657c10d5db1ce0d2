"""What flows start from: circular columns uniform, local ones normal."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn


class UniformNormal(nn.Module):
    """Angles uniform in (−π, π], then independent standard normal columns.

    Args:
        circular: number of angles.
        local: number of normal columns.
    """

    def __init__(self, circular: int, local: int) -> None:
        super().__init__()
        self.circular, self.local = circular, local

    def draw(self, n: int, generator: torch.Generator | None, like: Tensor) -> tuple[Tensor, Tensor]:
        """Draw u `[n, circular + local]` with its log-density `[n]`; dtype and device are those of `like`."""
        kind: dict[str, Any] = {"generator": generator, "dtype": like.dtype, "device": like.device}
        angle = math.pi * (1 - 2 * torch.rand(n, self.circular, **kind))
        u = torch.cat([angle, torch.randn(n, self.local, **kind)], 1)
        return u, self.log_density(u)

    def log_density(self, u: Tensor) -> Tensor:
        """Return the log-density `[batch]` of u `[batch, circular + local]`."""
        constant = self.circular * math.log(2 * math.pi) + 0.5 * self.local * math.log(2 * math.pi)
        return -0.5 * u[:, self.circular :].square().sum(1) - constant

    def extra_repr(self) -> str:
        """Sizes."""
        return f"circular={self.circular}, local={self.local}"
