"""The frame in which a group of atoms is turned neither here nor there: Eckart's conditions."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class EckartFrame(nn.Module):
    """3n − 6 linear coordinates of n atoms about a reference r, rigid motions taken off.

    y = r + B q, with B an orthonormal basis of displacements that fulfil Σ (y_i − r_i) = 0 and
    Σ r_i × y_i = 0 (C. Eckart, Phys. Rev. 47, 552 (1935), with equal masses). The rotation that
    brings positions nearest to r, in the least squares, fulfils the second condition. In the measure of
    positions with translations and turns about the axes split off,

        |dx/dq| = n^{3/2} det M / √det G,   M = Σ (r_i · y_i) 1 − y_i r_iᵀ,   G = Σ |r_i|² 1 − r_i r_iᵀ:

    beside B and the translations, a turn ω moves y by ω × y, of which det M / √det G is the volume along the
    turns of r. M is positive where the rotation is the nearest; elsewhere q is not what positions give.

    Args:
        reference: `[n, 3]`, n ≥ 3, not on one line.
    """

    reference: Tensor
    basis: Tensor

    def __init__(self, reference: Tensor) -> None:
        super().__init__()
        r = (reference - reference.mean(0)).double()
        n = len(r)
        axes = torch.eye(3, dtype=r.dtype)
        turns = torch.linalg.cross(axes[:, None].expand(3, n, 3), r.expand(3, n, 3)).flatten(1)
        rigid = torch.cat([axes.repeat(1, n), turns]).T
        self.register_buffer("reference", r, persistent=False)
        # saved with the weights: another linear algebra library may choose another basis
        self.register_buffer("basis", torch.linalg.qr(rigid, mode="complete").Q[:, 6:].contiguous())
        inertia = r.square().sum() * axes - r.T @ r
        self.constant = 1.5 * math.log(n) - 0.5 * float(torch.linalg.slogdet(inertia)[1])

    def into(self, x: Tensor) -> Tensor:
        """Positions `[batch, n, 3]` → q `[batch, 3n − 6]`."""
        r = self.reference.to(x)
        x = x - x.mean(1, keepdim=True)
        u, _, vh = torch.linalg.svd(torch.einsum("bia,ic->bac", x, r))
        sign = torch.linalg.det(u @ vh)
        flip = torch.stack([torch.ones_like(sign), torch.ones_like(sign), sign], 1)
        turned = x @ ((u * flip[:, None]) @ vh)
        return (turned - r).flatten(1) @ self.basis.to(x)

    def out(self, q: Tensor) -> Tensor:
        """q `[batch, 3n − 6]` → positions `[batch, n, 3]` in the frame of the reference."""
        return self.reference.to(q) + (q @ self.basis.to(q).T).unflatten(1, (-1, 3))

    def log_volume(self, y: Tensor) -> Tensor:
        """Return log |dx/dq| `[batch]` of positions y `[batch, n, 3]` in the frame."""
        return torch.linalg.slogdet(self._moment(y))[1] + self.constant

    def nearest(self, y: Tensor) -> Tensor:
        """Return where y `[batch, n, 3]` is turned as near to the reference as can be `[batch]`."""
        moment = self._moment(y)
        finite = torch.isfinite(moment).all(2).all(1)
        safe = torch.where(finite[:, None, None], moment, -torch.eye(3, dtype=y.dtype, device=y.device))
        return torch.linalg.eigvalsh(safe)[:, 0] > 0

    def _moment(self, y: Tensor) -> Tensor:
        product = torch.einsum("bia,ic->bac", y, self.reference.to(y))
        trace = product.diagonal(dim1=1, dim2=2).sum(1)
        return trace[:, None, None] * torch.eye(3, dtype=y.dtype, device=y.device) - product
