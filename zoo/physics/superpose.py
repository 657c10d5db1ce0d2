"""Rigid superposition of conformations."""

from __future__ import annotations

import torch
from torch import Tensor


def rotation_onto(x: Tensor, y: Tensor, weights: Tensor | None = None) -> Tensor:
    """Return the rotations R `[batch, 3, 3]` that make Σ_i w_i |R x_i − y_i|² least; no reflections.

    Kabsch, Acta Cryst. A 32, 922 (1976).

    Args:
        x: `[batch, particles, 3]`, centred.
        y: the same, or `[particles, 3]` for all.
        weights: `[particles]`, such as masses; None: all equal.
    """
    w = x.new_ones(x.shape[-2]) if weights is None else weights.to(x)
    covariance = torch.einsum("...ni,n,...nj->...ij", y.expand_as(x), w, x)
    u, _, vh = torch.linalg.svd(covariance)
    sign = torch.linalg.det(u @ vh).sign()
    flip = torch.diag_embed(torch.stack([torch.ones_like(sign), torch.ones_like(sign), sign], -1))
    return u @ flip @ vh


def centered(x: Tensor, weights: Tensor | None = None) -> Tensor:
    """Return x `[..., particles, 3]` about its centre, of the weights `[particles]` where there are any."""
    if weights is None:
        return x - x.mean(-2, keepdim=True)
    w = weights.to(x)[:, None]
    return x - (w * x).sum(-2, keepdim=True) / w.sum()


def superposed(x: Tensor, onto: Tensor, weights: Tensor | None = None) -> Tensor:
    """Return x `[batch, particles, 3]` moved and turned onto `onto`, `[batch, particles, 3]` or one of
    them.
    """
    target = onto.expand_as(x)
    middle = target - centered(target, weights)
    x = centered(x, weights)
    return x @ rotation_onto(x, target - middle, weights).mT + middle
