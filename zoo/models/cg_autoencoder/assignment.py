"""Soft assignments of particles to beads, and what is penalised of them."""

from __future__ import annotations

import torch
from torch import Tensor

#: Least total weight of a bead, and ridge of the projection: soft beads may be nearly empty, or alike.
LEAST = 1e-9


def gumbel(like: Tensor) -> Tensor:
    """Gumbel noise −ln(−ln u) of the shape of `like`: argmax(logits + noise) is a draw of softmax(logits)."""
    return -torch.empty_like(like).exponential_().clamp_min(1e-30).log()


def soft_map(assigned: Tensor, weights: Tensor) -> Tensor:
    """C `[..., beads, particles]`: C_Ii = w_i S_iI / Σ_j w_j S_jI.

    Args:
        assigned: S `[..., particles, beads]`, rows add up to one.
        weights: w `[particles]`, of centres.
    """
    scaled = (weights[:, None] * assigned).mT
    return scaled / scaled.sum(-1, keepdim=True).clamp_min(LEAST)


def soft_projection(assigned: Tensor, coarse: Tensor) -> Tensor:
    """B = (Sᵀ Cᵀ)⁻¹ Sᵀ `[..., beads, particles]`, for which B Cᵀ = 1.

    Of a hard map it is the sum of forces over each bead, whatever the weights of the centres; with equal
    weights it is (C Cᵀ)⁻¹ C, the projection of Wang & Gómez-Bombarelli 2019. A ridge keeps it bounded where
    two soft beads are alike.
    """
    membership = assigned.mT
    gram = membership @ coarse.mT
    ridge = 1e-6 * torch.eye(gram.shape[-1]).to(gram)
    return torch.linalg.solve(gram + ridge, membership)


def contiguity(assigned: Tensor, bonds: Tensor) -> Tensor:
    """Expected share of bonds `[bonds, 2]` between different beads, `[...]`."""
    together = (assigned[..., bonds[:, 0], :] * assigned[..., bonds[:, 1], :]).sum(-1)
    return 1 - together.mean(-1)


def entropy(assigned: Tensor) -> Tensor:
    """Mean entropy of a particle's assignment, `[...]` nats; 0 where all are hard."""
    return -torch.xlogy(assigned, assigned).sum(-1).mean(-1)
