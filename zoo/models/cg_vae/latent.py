"""Gaussian latents of beads."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

#: Range of the logarithm of a variance.
LEAST, MOST = -10.0, 6.0


class Gaussian(NamedTuple):
    """Independent normal distributions.

    Args:
        mean, log_variance: `[batch, beads, latent]`.
    """

    mean: Tensor
    log_variance: Tensor

    def draw(self, generator: torch.Generator | None = None) -> Tensor:
        """Return one draw of each, differentiable by mean and variance."""
        noise = torch.empty_like(self.mean).normal_(generator=generator)
        return self.mean + noise * (0.5 * self.log_variance).exp()


def bounded(mean: Tensor, log_variance: Tensor) -> Gaussian:
    """Return the `Gaussian` with its variance kept in range."""
    return Gaussian(mean, log_variance.clamp(LEAST, MOST))


def divergence(q: Gaussian, p: Gaussian) -> Tensor:
    """Kullback-Leibler divergence ∫ q ln(q/p) `[batch]`, nats, over all beads and latents."""
    gap = q.log_variance - p.log_variance
    off = (q.mean - p.mean).square() * (-p.log_variance).exp()
    return 0.5 * (gap.exp() + off - 1 - gap).sum((-2, -1))
