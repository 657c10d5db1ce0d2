"""Activations whose derivatives reuse what the value computed."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus


class _ShiftedSoftplus(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return softplus(x).sub_(math.log(2.0))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grad * torch.sigmoid(x)


class ShiftedSoftplus(nn.Module):
    """`ln(½ eˣ + ½)`, any shape; SchNet (Schütt et al. 2017, section 4.1)."""

    def forward(self, x: Tensor) -> Tensor:
        """Return a tensor of the same shape."""
        return _ShiftedSoftplus.apply(x)


class _SiLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return torch.nn.functional.silu(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return _SiLUBackward.apply(grad, *ctx.saved_tensors)


class _SiLUBackward(torch.autograd.Function):
    """`g · silu′(x)` with torch's fused kernel, which torch itself gives up when forces are trained."""

    @staticmethod
    def forward(ctx: Any, grad: Tensor, x: Tensor) -> Tensor:
        ctx.save_for_backward(grad, x)
        return torch.ops.aten.silu_backward(grad, x)

    @staticmethod
    def backward(ctx: Any, up: Tensor) -> tuple[Tensor, Tensor]:
        grad, x = ctx.saved_tensors
        sigma = torch.sigmoid(x)
        # silu″ = σ(1 − σ)(2 + x(1 − 2σ))
        bend = (sigma - sigma * sigma) * (2 + x * (1 - 2 * sigma))
        return _SiLUBackward.apply(up, x), up * grad * bend


class SiLU(nn.Module):
    """`x σ(x)`, any shape, differentiable any number of times."""

    def forward(self, x: Tensor) -> Tensor:
        """Return a tensor of the same shape."""
        return _SiLU.apply(x)
