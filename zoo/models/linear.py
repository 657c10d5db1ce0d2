"""Linear decoding of beads, shared by learned and fixed maps."""

from __future__ import annotations

import torch
from torch import Tensor


def bead_center(z: Tensor, weights: Tensor) -> Tensor:
    """Centre `[batch, 1, 3]` of beads z `[batch, beads, 3]`, each with the weight `[beads]` of its particles.

    That is the particles' own centre where each of them belongs to a bead.
    """
    w = weights.to(z)[:, None]
    return (w * z).sum(-2, keepdim=True) / w.sum()


def decode_linear(decoder: Tensor, z: Tensor, weights: Tensor, mean: Tensor | None = None) -> Tensor:
    """Return `c + x̄ + D (z − c − z̄)` `[batch, particles, 3]`, c being the beads' centre.

    Args:
        decoder: D, `[particles, beads]`.
        z: `[batch, beads, 3]`.
        weights: `[beads]`, of the centre.
        mean: x̄ over z̄ `[particles + beads, 3]`: a mean structure and its beads; None: 0.
    """
    center = bead_center(z, weights)
    d = decoder.to(z)
    if mean is None:
        return d @ (z - center) + center
    x_mean, z_mean = torch.split(mean.to(z), [len(d), d.shape[1]])
    return d @ (z - center - z_mean) + x_mean + center
