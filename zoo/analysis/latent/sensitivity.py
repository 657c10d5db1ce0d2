"""Which particles a latent listens to."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from zoo.physics.superpose import superposed


def sensitivity(encode: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Return ⟨|∂z_k/∂x_i|⟩ `[d, particles]` over frames: by how much latent k moves if particle i does.

    Args:
        encode: positions `[1, particles, 3]` → `[1, d]`, differentiable.
        x: `[frames, particles, 3]`.
    """
    total: Tensor | None = None
    for frame in x:
        point = frame[None].detach().requires_grad_()
        z = encode(point)[0]
        rows = [
            torch.autograd.grad(value, point, retain_graph=k + 1 < len(z))[0][0].norm(dim=-1)
            for k, value in enumerate(z)
        ]
        found = torch.stack(rows).detach()
        total = found if total is None else total + found
    assert total is not None
    return total / len(x)


def fluctuation(x: Tensor) -> Tensor:
    """Return the root mean square distance of each particle from its mean place, `[particles]`.

    Frames `[frames, particles, 3]` are superposed on their mean structure, which is found in three rounds.
    """
    mean = x[0]
    for _ in range(3):
        x = superposed(x, mean)
        mean = x.mean(0)
    return (x - mean).square().sum(-1).mean(0).sqrt()
