"""SchNet's filters and their slopes, as functions of one number: the distance.

A filter network is most of SchNet's work, and force training differentiates it twice. Forward mode
is the cheaper way: filters `W(d)` and slopes `W′(d)` are computed together, the distance held
constant, so that one hand-written derivative by the weights serves both. Then `W` is attached to
`d`: its gradient by the distance is `Σ_c G_c W′_c`, and `W′` is attached likewise, with the
curvature `W″` computed only if someone asks for it (a Hessian).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from zoo.graphs import GaussianBasis

LOG2 = 0.6931471805599453
#: exp(−64) ≈ 2e-28 vanishes beside the Gaussians near d; numbers below 1e-38 would be denormal,
#: which makes exp seven times slower.
SMALLEST_EXPONENT = -64.0


class Radial(NamedTuple):
    """Gaussians and cutoff function of each distance, and their derivatives; constants."""

    basis: Tensor  # [rows, gaussians]
    basis_slope: Tensor  # [rows, gaussians]; per unit of length
    envelope: Tensor  # [rows, 1]
    envelope_slope: Tensor  # [rows, 1]


def make_radial(d: Tensor, gaussians: GaussianBasis, cutoff: float) -> Radial:
    """Return basis and envelope for distances `d [rows]`; both are zero beyond the cutoff."""
    with torch.no_grad():
        away = d.detach()[:, None] - gaussians.centers
        basis = away.square().mul_(gaussians.coefficient).clamp_(min=SMALLEST_EXPONENT).exp_()
        slope = away.mul_(2 * gaussians.coefficient).mul_(basis)
        turn = torch.pi / cutoff
        phase = d.detach()[:, None].clamp(max=cutoff) * turn
        inside = (d.detach()[:, None] < cutoff).to(d.dtype)
        envelope = (torch.cos(phase) + 1).mul_(0.5).mul_(inside)
        envelope_slope = torch.sin(phase).mul_(-0.5 * turn).mul_(inside)
    return Radial(basis, slope, envelope, envelope_slope)


def filters(
    d: Tensor, network: nn.Sequential, radial: Radial, gaussians: GaussianBasis, cutoff: float
) -> Tensor:
    """Return `network(basis(d)) · envelope(d)`, `[rows, filters]`.

    Differentiable by the weights once, by `d` twice, and by both together as force training does;
    what goes further raises a `RuntimeError`. Where the layers have forward hooks, they are called, and the
    filters cost more.

    Args:
        d: `[rows]` distances, unit of length.
        network: linear, shifted softplus, linear.
        radial: `make_radial(d, gaussians, cutoff)`, shared by all networks.
        gaussians, cutoff: what `radial` was made with.
    """
    first, last = network[0], network[2]
    assert isinstance(first, nn.Linear) and isinstance(last, nn.Linear)
    if any(layer._forward_hooks for layer in network):  # someone watches them
        envelope = 0.5 * (torch.cos(d[:, None] * (torch.pi / cutoff)) + 1) * (d[:, None] < cutoff)
        return network(gaussians(d)) * envelope
    weights = (first.weight, first.bias, last.weight, last.bias)
    if not (torch.is_grad_enabled() and d.requires_grad):
        return _Filters.apply(*weights, radial, False)[0]
    value, slope = _Filters.apply(*weights, radial, True)

    def curvature() -> Tensor:
        return _curvature(d, weights, radial, gaussians, cutoff)

    slope = _Glue.apply(slope, _Curvature.apply(d, slope.shape[1], curvature))
    return _Attach.apply(value, d, [slope])


class _Filters(torch.autograd.Function):
    """Filters and slopes as a function of the weights alone.

    With u = W1 g + b1, s = ssp(u), envelope e and derivatives by d marked ′:
    W = W2 (e s) + e b2 and W′ = W2 (e′ s + e σ(u) u′) + e′ b2, u′ = W1 g′.
    """

    @staticmethod
    def forward(
        ctx: Any, w1: Tensor, b1: Tensor, w2: Tensor, b2: Tensor, radial: Radial, with_slope: bool
    ) -> tuple[Tensor, Tensor | None]:
        ctx.set_materialize_grads(False)
        with _full_precision(w1):
            return _Filters.values(ctx, w1, b1, w2, b2, radial, with_slope)

    @staticmethod
    def values(
        ctx: Any, w1: Tensor, b1: Tensor, w2: Tensor, b2: Tensor, radial: Radial, with_slope: bool
    ) -> tuple[Tensor, Tensor | None]:
        """What `forward` computes; keeps what the gradients need."""
        basis, basis_slope, e, de = radial
        u = torch.addmm(b1, basis, w1.T)
        sigma = torch.sigmoid(u)
        s = softplus(u).sub_(LOG2)
        es = s * e
        value = (e * b2).addmm_(es, w2.T)
        if not with_slope:
            ctx.save_for_backward(w2, es, sigma.mul_(e))
            ctx.radial = radial
            return value, None
        p = torch.mm(basis_slope, w1.T).mul_(sigma).mul_(e)  # e σ u′
        des = s.mul_(de).add_(p)
        slope = (de * b2).addmm_(des, w2.T)
        bend = torch.sub(de, p).mul_(sigma).add_(p)  # ∂des/∂u = σ(e′ − p) + p, as σ′ = σ(1 − σ)
        ctx.save_for_backward(w2, es, sigma.mul_(e), des, bend)
        ctx.radial = radial
        return value, slope

    @staticmethod
    def backward(ctx: Any, by_value: Tensor | None, by_slope: Tensor | None) -> tuple[Any, ...]:
        with torch.no_grad(), _full_precision(ctx.saved_tensors[0]):
            grads = _Filters.by_weights(ctx, by_value, by_slope)
        if torch.is_grad_enabled() and grads:
            sources = [t for t in (by_value, by_slope, ctx.saved_tensors[0]) if t is not None]
            grads = [_Refuse.apply(g, *sources) for g in grads]
        return (*grads, *[None] * (6 - len(grads)))

    @staticmethod
    def by_weights(ctx: Any, by_value: Tensor | None, by_slope: Tensor | None) -> list[Tensor]:
        """Gradients by the four weights; none where nothing flows back."""
        w2, es, e_sigma, *rest = ctx.saved_tensors
        basis, basis_slope, e, de = ctx.radial
        by_w1, by_w2, by_b2, by_u = 0.0, 0.0, 0.0, None
        if by_value is not None:
            by_w2 = by_value.T @ es
            by_b2 = by_value.T @ e[:, 0]
            by_u = (by_value @ w2).mul_(e_sigma)
        if by_slope is not None:
            des, bend = rest
            by_w2 = by_w2 + by_slope.T @ des
            by_b2 = by_b2 + by_slope.T @ de[:, 0]
            by_des = by_slope @ w2
            by_u = by_des * bend if by_u is None else by_u.addcmul_(by_des, bend)
            by_w1 = by_des.mul_(e_sigma).T @ basis_slope  # through u′
        if by_u is None:
            return []
        return [by_w1 + by_u.T @ basis, by_u.sum(0), by_w2, by_b2]


class _Attach(torch.autograd.Function):
    """The value, with its slope as derivative by d.

    The slope comes in a list, hidden from autograd: the value does not depend on it, and a path
    through it to the positions would be followed for nothing.
    """

    @staticmethod
    def forward(ctx: Any, value: Tensor, d: Tensor, slope: list[Tensor]) -> Tensor:
        (ctx.slope,) = slope
        return value.view_as(value)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None]:
        return grad, _RowDot.apply(grad, ctx.slope), None


class _RowDot(torch.autograd.Function):
    """`Σ_c a_rc b_rc`, without keeping the products."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
        ctx.save_for_backward(a, b)
        with _full_precision(a):
            return torch.linalg.vecdot(a, b)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:
        a, b = ctx.saved_tensors
        return grad[:, None] * b, grad[:, None] * a


class _Glue(torch.autograd.Function):
    """The first argument; both get its gradient. Apart from `_Curvature`, so that autograd can skip that."""

    @staticmethod
    def forward(ctx: Any, value: Tensor, ghost: Tensor) -> Tensor:
        return value.view_as(value)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:
        return grad, grad


class _Curvature(torch.autograd.Function):
    """Zero, with the curvature as derivative by d: computed when asked for, and not further."""

    @staticmethod
    def forward(ctx: Any, d: Tensor, channels: int, curvature: Callable[[], Tensor]) -> Tensor:
        ctx.save_for_backward(d)
        ctx.curvature = curvature
        return d.new_zeros(()).expand(len(d), channels)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        with torch.no_grad(), _full_precision(grad):
            by_d = torch.linalg.vecdot(grad, ctx.curvature())
        return _Refuse.apply(by_d, grad, *ctx.saved_tensors), None, None


class _Refuse(torch.autograd.Function):
    """The first argument, which depends on the others in a way that has no derivative here."""

    @staticmethod
    def forward(ctx: Any, value: Tensor, *sources: Tensor) -> Tensor:
        return value.view_as(value)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        raise RuntimeError(
            "SchNet's filters can be differentiated twice by positions and once by weights, not further"
        )


def _full_precision(x: Tensor) -> torch.autocast:
    """Mixed precision is left to the layers on nodes: rounded to 8 bits, a slope is of no use."""
    return torch.autocast(x.device.type, enabled=False)


def _curvature(
    d: Tensor,
    weights: tuple[Tensor, ...],
    radial: Radial,
    gaussians: GaussianBasis,
    cutoff: float,
) -> Tensor:
    """`W″(d)`, `[rows, filters]`, per unit of length squared; a constant."""
    w1, b1, w2, b2 = (w.detach() for w in weights)
    basis, basis_slope, e, de = radial
    away = 2 * gaussians.coefficient * (d.detach()[:, None] - gaussians.centers)
    basis_bend = (away.square() + 2 * gaussians.coefficient) * basis
    # e = (1 + cos kd)/2, hence e″ = −k² (e − ½), and 0 beyond the cutoff
    inside = (d.detach()[:, None] < cutoff).to(d.dtype)
    dde = -((torch.pi / cutoff) ** 2) * (e - 0.5) * inside
    u, du, ddu = torch.addmm(b1, basis, w1.T), basis_slope @ w1.T, basis_bend @ w1.T
    sigma = torch.sigmoid(u)
    ds = sigma * du
    dds = sigma * (1 - sigma) * du.square() + sigma * ddu
    return (dde * (softplus(u) - LOG2) + 2 * de * ds + e * dds) @ w2.T + dde * b2
