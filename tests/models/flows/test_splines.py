"""Rational-quadratic splines beside zuko's, at their ends, on the circle, and against autograd."""

from __future__ import annotations

import math

import pytest
import torch

from zoo.models.flows.splines import FLOOR, LEAST_SLOPE, Spline, parameters_per_column


def raw(bins, circular, shape=(40, 3), scale=2.0, seed=0):
    generator = torch.Generator().manual_seed(seed)
    size = (*shape, parameters_per_column(bins, circular=circular))
    return scale * torch.randn(size, generator=generator, dtype=torch.float64)


def points(bound, shape=(40, 3), seed=1):
    generator = torch.Generator().manual_seed(seed)
    return bound * (2 * torch.rand(shape, generator=generator, dtype=torch.float64) - 1)


@pytest.mark.parametrize("bins", [2, 4, 11])
def test_it_is_the_spline_of_zuko(bins):
    """An independent implementation, given the same knots; beyond the bound both are the identity."""
    transforms = pytest.importorskip("zuko.transforms")
    bound = 3.0
    spline = Spline.build(raw(bins, False), bound, circular=False)
    last = torch.zeros(1, 40, 3, dtype=torch.float64)
    numbers = torch.zeros(40, 3, bins, dtype=torch.float64)
    peer = transforms.MonotonicRQSTransform(numbers, numbers, numbers[..., 1:], bound)
    peer.horizontal = (torch.cat([last, spline.widths.cumsum(0)]) - bound).movedim(0, -1)
    peer.vertical = (torch.cat([last, spline.heights.cumsum(0)]) - bound).movedim(0, -1)
    peer.derivatives = spline.slopes.movedim(0, -1)
    x = 1.3 * points(bound)
    y, ladj = spline.forward(x)
    expected, log_slope = peer.call_and_ladj(x)
    torch.testing.assert_close(y, expected, rtol=0, atol=1e-12)
    torch.testing.assert_close(ladj, log_slope, rtol=0, atol=1e-9)
    torch.testing.assert_close(spline.inverse(x)[0], peer.inv(x), rtol=0, atol=1e-10)


@pytest.mark.parametrize("circular", [True, False])
@pytest.mark.parametrize(
    ("dtype", "scale", "error"), [(torch.float64, 2.0, 1e-9), (torch.float32, 0.3, 1e-5)]
)
def test_inverse(circular, dtype, scale, error):
    """In float32 of gentle splines: where the slope is 1e-5, no digit of the inverse is left."""
    spline = Spline.build(raw(12, circular, scale=scale).to(dtype), math.pi, circular=circular)
    x = points(math.pi).to(dtype)
    y, ladj = spline.forward(x)
    back, inverse = spline.inverse(y)
    torch.testing.assert_close(back, x, rtol=0, atol=error)
    torch.testing.assert_close(ladj + inverse, torch.zeros_like(x), rtol=0, atol=100 * error)


@pytest.mark.parametrize("circular", [True, False])
@pytest.mark.parametrize("direction", ["forward", "inverse"])
def test_log_slope_is_that_of_autograd(circular, direction):
    spline = Spline.build(raw(7, circular), 2.0, circular=circular)
    x = points(2.0).requires_grad_()
    y, ladj = getattr(spline, direction)(x)
    (slope,) = torch.autograd.grad(y.sum(), x)
    assert (slope > 0).all()
    torch.testing.assert_close(ladj, slope.log(), rtol=0, atol=1e-9)


def test_zeros_are_the_identity():
    for circular in (True, False):
        numbers = torch.zeros(5, 2, parameters_per_column(8, circular=circular), dtype=torch.float64)
        y, ladj = Spline.build(numbers, 1.5, circular=circular).forward(points(1.5, (5, 2)))
        torch.testing.assert_close(y, points(1.5, (5, 2)), rtol=0, atol=1e-14)
        assert ladj.abs().max() < 1e-12


def test_ends_of_a_circle_meet():
    """−π and π are one point: the same slope from both sides, and the ends map onto themselves."""
    spline = Spline.build(raw(9, True), math.pi, circular=True)
    ends = torch.full((40, 3), math.pi, dtype=torch.float64)
    (low, before), (high, after) = spline.forward(-ends), spline.forward(ends)
    torch.testing.assert_close(low, -ends, rtol=0, atol=1e-12)
    torch.testing.assert_close(high, ends, rtol=0, atol=1e-12)
    torch.testing.assert_close(before, after, rtol=0, atol=1e-9)


def test_tails_are_straight_and_the_slope_has_no_step():
    spline = Spline.build(raw(9, False), 2.0, circular=False)
    edge = torch.full((40, 3), 2.0, dtype=torch.float64)
    outside, ladj = spline.forward(edge + 5)
    assert torch.equal(outside, edge + 5) and not ladj.any()
    assert spline.forward(edge - 1e-12)[1].abs().max() < 1e-5


def test_a_spline_for_all_rows_is_a_spline_for_each():
    one = raw(6, True, shape=(3,))
    x = points(1.0)
    shared = Spline.build(one, 1.0, circular=True)
    each = Spline.build(one.expand(40, 3, -1), 1.0, circular=True)
    for direction in ("forward", "inverse"):
        for a, b in zip(getattr(shared, direction)(x), getattr(each, direction)(x), strict=True):
            torch.testing.assert_close(a, b, rtol=0, atol=1e-14)


def test_bounds_by_column():
    bound = torch.tensor([math.pi, math.pi / 3, 1.0]).double()
    spline = Spline.build(raw(6, True), bound, circular=True)
    y, _ = spline.forward(points(1.0) * bound)
    assert (y.abs() <= bound).all() and (y.abs().amax(0) > 0.8 * bound).all()
    torch.testing.assert_close(spline.inverse(y)[0], points(1.0) * bound, rtol=0, atol=1e-9)


def test_extreme_numbers_stay_finite_and_have_a_floor():
    """Logits of ± 60: no bin is narrower than its floor, and gradients are numbers."""
    numbers = (30 * raw(8, True)).requires_grad_()
    spline = Spline.build(numbers, 1.0, circular=True)
    for sizes in (spline.widths, spline.heights):
        assert float(sizes.detach().min()) >= 2 * FLOOR / 8 * 0.999
        torch.testing.assert_close(sizes.sum(0), torch.full((40, 3), 2.0).double())
    assert float(spline.slopes.detach().min()) >= LEAST_SLOPE
    y, ladj = spline.inverse(points(1.0))
    assert torch.isfinite(y).all() and torch.isfinite(ladj).all()
    (gradient,) = torch.autograd.grad(y.sum() + ladj.sum(), numbers)
    assert torch.isfinite(gradient).all()
