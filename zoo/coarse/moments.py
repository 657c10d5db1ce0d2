"""Second moments: all that a linear map, its decoder and their losses depend on."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

#: Ridge of least squares, as a share of the mean variance of a bead: centred frames make one combination of
#: beads vanish.
RIDGE = 1e-8


def second_moment(x: Tensor) -> Tensor:
    """G = ⟨Σ_d x_d x_dᵀ⟩ `[particles, particles]` over frames `[frames, particles, 3]`, in float64.

    For D and C that act on all three directions alike,
    ⟨‖x − D C x‖²⟩ = tr[(1 − D C) G (1 − D C)ᵀ]: the loss of all frames costs no more than that of one.
    """
    total = x.new_zeros(x.shape[1], x.shape[1], dtype=torch.float64)
    for part in x.split(4096):
        total += torch.einsum("fid,fjd->ij", part.double(), part.double())
    return total / len(x)


def least_squares_decoder(coarse: Tensor, moment: Tensor) -> Tensor:
    """D = G Cᵀ (C G Cᵀ)⁻¹ `[..., particles, beads]`, the decoder of least square error of a map C.

    Args:
        coarse: C, `[..., beads, particles]`.
        moment: G, `[particles, particles]`.
    """
    across = coarse @ moment
    return torch.linalg.solve(_regular(across @ coarse.mT), across).mT


class _Explained(torch.autograd.Function):
    """Σ (D* ∘ G Cᵀ) with its gradient in closed form.

    The decoder D* is a stationary point of the error, so that the derivative by C is that at fixed D
    (variable projection; Golub & Pereyra, SIAM J. Numer. Anal. 10, 413 (1973)): 2 Dᵀ (1 − D C) G.
    """

    @staticmethod
    def forward(ctx: Any, coarse: Tensor, moment: Tensor) -> Tensor:
        across = coarse @ moment
        decoder = torch.linalg.solve(_regular(across @ coarse.mT), across)
        ctx.save_for_backward(across, decoder, moment)
        return (decoder * across).sum((-2, -1))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        across, decoder, moment = ctx.saved_tensors
        slope = decoder @ moment - (decoder @ decoder.mT) @ across
        return 2 * grad[..., None, None] * slope, None


def explained(coarse: Tensor, moment: Tensor) -> Tensor:
    """tr[(C G Cᵀ)⁻¹ C G² Cᵀ] `[...]`: what the best decoder of a map brings back of tr G.

    Args:
        coarse: C, `[..., beads, particles]`; differentiable once.
        moment: G, `[particles, particles]`.
    """
    return _Explained.apply(coarse, moment)


def square_error(coarse: Tensor, decoder: Tensor, moment: Tensor) -> Tensor:
    """tr[(1 − D C) G (1 − D C)ᵀ] `[...]`: the mean square distance of a frame from its reconstruction."""
    off = torch.eye(len(moment)).to(moment) - decoder @ coarse
    return ((off @ moment) * off).sum((-2, -1))


def _regular(gram: Tensor) -> Tensor:
    size = gram.diagonal(dim1=-2, dim2=-1).mean(-1)[..., None, None]
    return gram + (RIDGE * size + 1e-300) * torch.eye(gram.shape[-1]).to(gram)
