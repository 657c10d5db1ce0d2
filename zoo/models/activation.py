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
