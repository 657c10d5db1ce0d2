"""Fields: symmetries, and divergences against the full Jacobian."""

from __future__ import annotations

import pytest
import torch
from equivariant_cases import CASES, frames, made
from torch import Tensor

from zoo.models.equivariant_flow.field import Field


@pytest.mark.parametrize("options", CASES, ids=str)
def test_divergence_is_the_trace_of_the_jacobian(options: dict) -> None:
    model = made(**options)
    x, t = frames(model, 3), torch.tensor([0.1, 0.5, 0.9], dtype=torch.float64)
    v, trace = model.field.with_divergence(x, t)
    jacobian = torch.autograd.functional.jacobian(lambda y: model.velocity(y, t), x)
    expected = torch.stack([jacobian[b, :, :, b].reshape(x[0].numel(), -1).trace() for b in range(3)])
    assert expected.abs().min() > 1e-3  # the field is not divergence-free
    assert torch.allclose(trace, expected, atol=1e-9)
    assert torch.allclose(v, model.field(x, t), atol=1e-12)


def test_quick_divergence_has_the_gradients_of_the_slow_one() -> None:
    """By positions and weights, which reverse KL needs; detached parts would be seen here."""
    model = made(chiral=True)
    x = frames(model, 2).requires_grad_()
    t = torch.tensor([0.3, 0.6], dtype=torch.float64)
    over = [x, *model.field.parameters()]
    grads = []
    for divergence in (type(model.field).with_divergence, Field.with_divergence):
        v, trace = divergence(model.field, x, t)
        grads.append(torch.autograd.grad(trace.square().sum() + v.pow(3).sum(), over, allow_unused=True))
    for quick, slow in zip(*grads, strict=True):
        assert (quick is None) == (slow is None)
        assert quick is None or torch.allclose(quick, slow, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("options", CASES, ids=str)
def test_turned_and_moved(options: dict) -> None:
    model = made(**options)
    x, t = frames(model, 4), torch.full((4,), 0.4, dtype=torch.float64)
    turn = rotation(x.shape[2])
    v = model.velocity(x, t)
    assert v.abs().max() > 1e-2
    assert torch.allclose(model.velocity(x @ turn + 3.0, t), v @ turn, atol=1e-9)
    mirror = torch.ones(x.shape[2], dtype=x.dtype)
    mirror[0] = -1
    same = torch.allclose(model.velocity(x * mirror, t), v * mirror, atol=1e-9)
    assert same != model.field.spec.chiral


@pytest.mark.parametrize("field", ["egnn", "gat"])
def test_alike_particles_may_be_exchanged_and_bonded_ones_may_not(field: str) -> None:
    order = [2, 0, 3, 1, 4]
    t = torch.full((4,), 0.4, dtype=torch.float64)
    for options, same in (({}, True), ({"bonds": [(0, 1), (1, 2)]}, False)):
        model = made(field=field, **options)
        x = frames(model, 4)
        off = (model.velocity(x[:, order], t) - model.velocity(x, t)[:, order]).abs().max()
        assert (off < 1e-9) == same


@pytest.mark.parametrize("field", ["egnn", "gat"])
def test_cutoff_is_smooth_and_a_wide_one_changes_little(field: str) -> None:
    """A particle that comes into reach makes no jump; far ones are not seen at all."""
    model = made(field=field, cutoff=2.0)
    x = frames(model, 1)
    x[0, :4] *= 0.3
    t = torch.full((1,), 0.4, dtype=torch.float64)

    def others(distance: float) -> Tensor:
        y = x.clone()
        y[0, 4] = y[0, 0] + distance * torch.tensor([1.0, 0.0, 0.0], dtype=y.dtype)
        v = model.field(y - y[:, :4].mean(1, keepdim=True), t)
        return v[:, :4] - v[:, :4].mean(1, keepdim=True)

    inside, edge, outside = others(1.9), others(2.0 - 1e-7), others(2.0 + 1e-7)
    assert (inside - edge).abs().max() > 1e-7
    assert torch.allclose(edge, outside, atol=1e-5)


def test_estimate_is_unbiased() -> None:
    """Hutchinson's mean over many probes, within its own error, is the exact trace."""
    model = made()
    x, t = frames(model, 2), torch.tensor([0.2, 0.8], dtype=torch.float64)
    _, exact = model.field.with_divergence(x, t)
    signs = 2.0 * torch.randint(2, (200, *x.shape), generator=torch.Generator().manual_seed(3)) - 1
    each = torch.stack([model.field.with_estimate(x, t, s[None].to(x))[1] for s in signs])
    error = each.std(0) / len(signs) ** 0.5
    assert (error > 1e-4).all()
    assert ((each.mean(0) - exact).abs() < 4 * error).all()


def rotation(space: int) -> Tensor:
    """A proper rotation."""
    noise = torch.randn(space, space, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    turn = torch.linalg.qr(noise).Q
    turn[:, 0] *= torch.linalg.det(turn).sign()
    return turn
