"""The Laplace approximation: the energy minimum of the local coordinates, and their normal widths there."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from zoo.errors import RunFailed
from zoo.physics.target import BoltzmannTarget


@dataclass(frozen=True)
class Laplace:
    """A normal density of the local coordinates, given the circular ones.

    Args:
        q: `[d]` the minimum, circular coordinates included.
        mean: `[local]` of the local coordinates there.
        factor: `[local, local]` lower triangular L with covariance L Lᵀ, at the target's kT.
        energy: U at the minimum.
    """

    q: Tensor
    mean: Tensor
    factor: Tensor
    energy: float


def laplace(target: BoltzmannTarget, start: Tensor, *, iterations: int = 200) -> Laplace:
    """Relax a configuration and expand −log p̃ to second order in the local coordinates.

    Quasi-Newton (L-BFGS) on the energy of all coordinates, in float64; then the Hessian of U/kT − log |dx/dq|
    of the local coordinates with the circular ones held. Directions softer than a width of 1 rad (or nm)
    are cut there.

    Args:
        target: in float64.
        start: `[d]` coordinates.
        iterations: of L-BFGS, at most.

    Raises:
        RunFailed: the energy at the start is not finite, or there is no minimum.
    """
    circular = target.coordinates.circular
    scale = torch.ones_like(start)
    q = start.double().clone()
    if not torch.isfinite(target.energy_and_volume(q[None])[0]).all():
        raise RunFailed("the energy of the first frame is not finite: atoms overlap, or units are wrong")
    # bonds are in nm: brought to a common scale first, with the diagonal of the Hessian
    diagonal = _hessian(target, q, torch.arange(len(q))).diagonal()
    scale = diagonal.abs().clamp_min(1e-3).rsqrt()
    u = torch.zeros_like(q).requires_grad_()
    optimizer = torch.optim.LBFGS(
        [u], max_iter=iterations, line_search_fn="strong_wolfe", tolerance_grad=1e-6
    )

    def closure() -> Tensor:
        optimizer.zero_grad()
        energy, _ = target.energy_and_volume((q + scale * u)[None])
        loss = energy[0] / target.kT
        loss.backward()
        return loss

    optimizer.step(closure)
    relaxed = (q + scale * u.detach()).detach()
    local = torch.arange(circular, len(q))
    hessian = _hessian(target, relaxed, local)
    if not torch.isfinite(hessian).all():
        raise RunFailed("the first frame cannot be relaxed: its energy falls without end")
    values, vectors = torch.linalg.eigh(0.5 * (hessian + hessian.T))
    covariance = (vectors / values.clamp_min(1.0)) @ vectors.T
    energy = float(target.energy_and_volume(relaxed[None])[0].detach())
    return Laplace(relaxed, relaxed[circular:], torch.linalg.cholesky(covariance), energy)


def _hessian(target: BoltzmannTarget, q: Tensor, columns: Tensor) -> Tensor:
    """Second derivatives `[columns, columns]` of U/kT − log |dx/dq|: differences of the gradient."""
    step = 1e-4
    shift = torch.zeros(len(columns), len(q), dtype=q.dtype)
    shift[torch.arange(len(columns)), columns] = step
    points = torch.cat([q + shift, q - shift])
    point = points.requires_grad_()
    energy, volume = target.energy_and_volume(point)
    (gradient,) = torch.autograd.grad((energy / target.kT - volume).sum(), point)
    plus, minus = gradient[:, columns].chunk(2)
    return ((plus - minus) / (2 * step)).detach()
