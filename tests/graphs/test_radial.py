from __future__ import annotations

import math

import pytest
import torch
from torch_geometric.nn.models.schnet import GaussianSmearing

from zoo.errors import ConfigError
from zoo.graphs import BesselBasis, CosineCutoff, GaussianBasis, PolynomialCutoff

C = 2.5
CUTOFFS = [CosineCutoff(C), PolynomialCutoff(C), PolynomialCutoff(C, p=3)]


def derivatives(function, d: float, n: int) -> list[torch.Tensor]:
    """Value and first n derivatives at d, in float64."""
    x = torch.tensor(d, dtype=torch.float64, requires_grad=True)
    values = [function(x)]
    for _ in range(n):
        values.append(torch.autograd.grad(values[-1].sum(), x, create_graph=True)[0])
    return [value.detach() for value in values]


def test_gaussians_are_those_of_torch_geometric():
    d = torch.linspace(0, 7, 200)
    ours, theirs = GaussianBasis(0.0, 5.0, 50), GaussianSmearing(0.0, 5.0, 50)
    # the same operations in the same order: bit for bit
    assert torch.equal(ours(d), theirs(d))
    assert ours(d).shape == (200, 50)


def test_bessel_functions():
    basis = BesselBasis(C, 4).double()
    d = torch.tensor([0.03, 0.7, 1.9, 3.1], dtype=torch.float64)
    k = torch.arange(1, 5).double()
    expected = math.sqrt(2 / C) * torch.sin(k * math.pi * d[:, None] / C) / d[:, None]
    # round-off, and the neglected 4th term of a series below 0.1: 3e-14
    torch.testing.assert_close(basis(d), expected, rtol=1e-12, atol=1e-13)
    # zero at the cutoff, but for the round-off of sin(4π)
    assert basis(torch.tensor([C]).double()).abs().max() < 1e-14
    limit, slope, curvature = derivatives(basis, 0.0, 2)
    torch.testing.assert_close(limit, math.sqrt(2 / C) * math.pi / C * k)
    assert slope == 0
    # sin(ax)/x = a − a³x²/6 + …
    expected = -(math.sqrt(2 / C) * (math.pi * k / C) ** 3 / 3).sum()
    torch.testing.assert_close(curvature, expected)


def test_bessel_functions_are_orthonormal():
    # ∫ b_j b_k r² dr over [0, c] = δ_jk; the rectangle rule is exact for these sines
    r = torch.arange(0, 1000, dtype=torch.float64) * C / 1000
    b = BesselBasis(C, 5).double()(r) * r[:, None]
    torch.testing.assert_close(b.T @ b * C / 1000, torch.eye(5).double(), atol=1e-12, rtol=0)


@pytest.mark.parametrize("cutoff", CUTOFFS, ids=repr)
def test_cutoffs_end_smoothly(cutoff):
    one, slope, *_ = derivatives(cutoff, 0.0, 1)
    assert one == 1 and slope == 0
    n = 1 if isinstance(cutoff, CosineCutoff) else 2
    # powers up to p·(p+2) in float64
    for value in derivatives(cutoff, C, n):
        assert abs(float(value)) < 1e-13
    # just inside, a derivative of order n + 1 brings it to at most about (1e-6)^n·100
    for value in derivatives(cutoff, C * (1 - 1e-6), n):
        assert abs(float(value)) < 1e-4
    for beyond in (C * (1 + 1e-6), 2 * C, 1e30):
        assert all(value == 0 for value in derivatives(cutoff, beyond, 2))
    d = torch.linspace(0, C, 300)
    assert (cutoff(d).diff() <= 1e-6).all()  # falls, but for float32 round-off
    assert (cutoff(d) >= -1e-6).all() and (cutoff(d) <= 1).all()


def test_cutoffs_at_half():
    assert float(CosineCutoff(C)(torch.tensor(C / 2))) == pytest.approx(0.5, abs=1e-7)
    # 1 − 28/64 + 48/128 − 21/256 by hand
    expected = 1 - 28 / 64 + 48 / 128 - 21 / 256
    assert float(PolynomialCutoff(C)(torch.tensor(C / 2))) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("module", [GaussianBasis(), BesselBasis(C), *CUTOFFS], ids=repr)
def test_modules(module):
    d = torch.tensor([0.2, 0.9, 1.7, 2.4], dtype=torch.float64, requires_grad=True)
    module = module.double()
    assert torch.autograd.gradcheck(module, d)
    assert torch.autograd.gradgradcheck(module, d)
    assert "=" in repr(module)
    copy = type(module)(**eval(f"dict({module.extra_repr()})")).double()
    assert torch.equal(copy(d), module(d))


@pytest.mark.parametrize(
    "make",
    [
        lambda: GaussianBasis(0, 5, 1),
        lambda: GaussianBasis(5, 5, 10),
        lambda: BesselBasis(0.0),
        lambda: BesselBasis(1.0, 0),
        lambda: CosineCutoff(-1.0),
        lambda: PolynomialCutoff(0.0),
        lambda: PolynomialCutoff(1.0, p=1),
    ],
)
def test_bad_parameters(make):
    with pytest.raises(ConfigError):
        make()
