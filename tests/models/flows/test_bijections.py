"""Bijections of the flows: inverse, log-determinant by autograd's Jacobian, circles without a seam."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch import Tensor, nn

from zoo.models.flows.couplings import SplineCoupling, wrapped
from zoo.models.flows.masks import halves
from zoo.models.flows.splines import Spline, parameters_per_column
from zoo.models.realnvp.model import CutOpen, Plain
from zoo.testing.subject import perturb

CIRCULAR, COLUMNS = 3, 8
MASK = torch.tensor([True, False, True, True, False, True, False, True])


def bijections() -> dict[str, nn.Module]:
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(1)
    found = {
        "spline": SplineCoupling(MASK, CIRCULAR, 6, 16, 2, generator),
        "spline without angles": SplineCoupling(MASK, 0, 6, 16, 2, generator),
        "spline of angles": SplineCoupling(MASK, COLUMNS, 6, 16, 2, generator),
        "affine": Plain(MASK, 16, 2),
        "cut": CutOpen(CIRCULAR),
    }
    for module in found.values():
        perturb(module.double())
        perturb(module)
    return found


def points(rows: int) -> Tensor:
    """Angles in (−π, π), then columns of which some are beyond the splines' interval."""
    noise = torch.Generator().manual_seed(2)
    angle = math.pi * (2 * torch.rand(rows, CIRCULAR, generator=noise, dtype=torch.float64) - 1)
    rest = 1.1 * torch.randn(rows, COLUMNS - CIRCULAR, generator=noise, dtype=torch.float64)
    rest[0, 0] = 7.0
    return torch.cat([angle, rest], 1)


@pytest.mark.parametrize("name", list(bijections()))
def test_inverse_and_volume(name: str) -> None:
    module, u = bijections()[name], points(16)
    if name == "spline of angles":
        u = wrapped(u)
    v, ladj = module(u)
    back, minus = module.inverse(v)
    torch.testing.assert_close(back, u, rtol=0, atol=1e-9)
    torch.testing.assert_close(minus, -ladj, rtol=0, atol=1e-9)
    for row, expected in zip(u[:4], ladj, strict=False):
        jacobian = torch.autograd.functional.jacobian(lambda x: module(x[None])[0][0], row)
        assert torch.linalg.slogdet(jacobian)[1].item() == pytest.approx(expected.item(), abs=1e-9)


def test_the_circle_has_no_seam() -> None:
    """Just left and right of ±π, angles come out side by side, with the same slope."""
    module, u = bijections()["spline"], points(8)
    left, right = u.clone(), u.clone()
    left[:, :CIRCULAR], right[:, :CIRCULAR] = math.pi - 1e-7, -math.pi + 1e-7
    (v, a), (w, b) = module(left), module(right)
    assert wrapped(v - w)[:, :CIRCULAR].abs().max() < 1e-5
    torch.testing.assert_close(v[:, CIRCULAR:], w[:, CIRCULAR:], rtol=0, atol=1e-5)
    torch.testing.assert_close(a, b, rtol=0, atol=1e-4)


@pytest.mark.parametrize("circular", [True, False])
def test_zeros_give_the_identity(circular: bool) -> None:
    raw = torch.zeros(5, parameters_per_column(6, circular=circular), dtype=torch.float64)
    x = torch.linspace(-2.9, 2.9, 5, dtype=torch.float64)
    y, ladj = Spline.build(raw, 3.0, circular=circular).forward(x)
    torch.testing.assert_close(y, x)
    torch.testing.assert_close(ladj, torch.zeros_like(x), rtol=0, atol=1e-12)


def test_one_spline_serves_all_rows() -> None:
    """Numbers without a batch axis, and bounds of each column."""
    torch.manual_seed(3)
    raw = torch.randn(4, parameters_per_column(5, circular=False), dtype=torch.float64)
    bound = torch.tensor([1.0, 2.0, 3.0, 4.0], dtype=torch.float64)
    x = torch.randn(7, 4, dtype=torch.float64)
    shared = Spline.build(raw, bound, circular=False).forward(x)
    each = Spline.build(raw.expand(7, -1, -1), bound, circular=False).forward(x)
    for a, b in zip(shared, each, strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize(("circular", "local"), [(7, 53), (0, 6), (2, 0), (1, 1)])
def test_masks_part_any_two_columns(circular: int, local: int) -> None:
    """With log₂ pairs of masks; and a mask is followed by its complement."""
    columns = circular + local
    pairs = max(1, math.ceil(math.log2(max(circular, local))))
    masks = halves(circular, local, 2 * pairs, torch.Generator().manual_seed(0))
    for first, second in zip(masks[::2], masks[1::2], strict=True):
        assert torch.equal(first, ~second)
    for i, j in itertools.combinations(range(columns), 2):
        if (i < circular) == (j < circular):
            assert any(bool(m[i] != m[j]) for m in masks), f"columns {i} and {j} are never parted"
