"""The Boltzmann distribution of coordinates: gradient, domain, temperature, bias, and what it counts."""

from __future__ import annotations

import numpy as np
import peroxide
import pytest
import torch

from zoo.physics.coordinates import CenteredCartesian, InternalCoordinates, ZMatrix
from zoo.physics.energy import from_openmm
from zoo.physics.target import BoltzmannTarget
from zoo.physics.toys import DoubleWells


@pytest.fixture(scope="module")
def coordinates():
    zmatrix = ZMatrix.from_topology(np.array([1, 8, 8, 1]), np.array([(0, 1), (1, 2), (2, 3)]))
    return InternalCoordinates(zmatrix, peroxide.positions(1)[0])


@pytest.fixture(scope="module")
def q(coordinates):
    return coordinates.from_cartesian(torch.tensor(peroxide.positions(20, seed=1)))[0]


@pytest.fixture()
def target(coordinates):
    return BoltzmannTarget(from_openmm(peroxide.XML), coordinates, peroxide.KT_EV)


def test_density_is_that_of_the_formulas(target, q):
    """U and the Jacobian b² b² b² sin θ sin θ by hand, in kJ/mol, nm and rad."""
    phi, angle, bond = q[:, 0], q[:, 1:3], q[:, 3:]
    order = [1, 0, 2] if abs(float(bond[:, 0].mean()) - 0.145) > 0.02 else [0, 1, 2]
    energy = peroxide.BARRIER * (1 + (2 * phi - peroxide.PHASE).cos())
    for column, (b, k) in zip(order, [peroxide.BONDS[1], peroxide.BONDS[0], peroxide.BONDS[2]], strict=True):
        energy = energy + 0.5 * k * (bond[:, column] - b) ** 2
    energy = energy + (250 * (angle - 1.75) ** 2).sum(1)
    expected = 2 * bond.log().sum(1) + angle.sin().log().sum(1) - energy / peroxide.KT
    torch.testing.assert_close(target.log_density(q), expected, rtol=0, atol=1e-6)


def test_gradient_and_energy_in_one_call(target, q):
    value, gradient, energy = target.log_density_and_gradient(q)
    point = q.clone().requires_grad_()
    whole = target.log_density(point)
    (expected,) = torch.autograd.grad(whole.sum(), point)
    torch.testing.assert_close(value, whole.detach())
    torch.testing.assert_close(gradient, expected)
    x = target.coordinates.to_cartesian(q)[0]
    torch.testing.assert_close(energy, target.potential(x))
    assert not (value.requires_grad or gradient.requires_grad or energy.requires_grad)


def test_outside_of_the_domain_there_is_nothing(target, q):
    """A negative bond, an angle beyond π, a number that is none: −∞, and no gradient that could spread."""
    wrong = q[:4].clone()
    wrong[0, -1], wrong[1, 1], wrong[2, 0] = -0.1, 3.3, torch.nan
    value, gradient, _ = target.log_density_and_gradient(wrong)
    assert torch.isneginf(value[:3]).all() and torch.isfinite(value[3])
    assert (gradient[:3] == 0).all() and gradient[3].abs().sum() > 0


def test_temperature_and_bias(target, q):
    """log p̃ at kT′ differs by U (1/kT − 1/kT′), and by the bias as it stands."""
    value, _, energy = target.log_density_and_gradient(q)
    hot = target.at(3 * target.kT, bias=lambda q: q[:, 0].square())
    expected = value + energy * (1 / target.kT - 1 / hot.kT) - q[:, 0].square()
    torch.testing.assert_close(hot.log_density(q), expected)
    gradient = hot.log_density_and_gradient(q)[1]
    unbiased = target.at(3 * target.kT).log_density_and_gradient(q)[1]
    torch.testing.assert_close(gradient[:, 0], unbiased[:, 0] - 2 * q[:, 0])


def test_every_configuration_counts_once(coordinates, q):
    rows = []
    plain = from_openmm(peroxide.XML)

    def potential(x):
        rows.append(len(x))
        return plain(x)

    target = BoltzmannTarget(potential, coordinates, peroxide.KT_EV)
    target.log_density(q)
    target.log_density_and_gradient(q[:7])
    other = target.at(1.0)
    other.energy_and_volume(q[:3])
    assert target.evaluations == other.evaluations == sum(rows) == 30


def test_without_a_compiler_the_plain_code_stays(monkeypatch, tmp_path):
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr("torch._inductor.config.cpp.cxx", (None, str(tmp_path / "no-compiler")))
    coordinates = CenteredCartesian(4, 2)
    toy = DoubleWells()
    target = BoltzmannTarget(lambda x: toy(x[..., :2]), coordinates, 1.0)
    q = torch.randn(8, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    expected = target.log_density_and_gradient(q)
    assert target.compile(q) is False
    assert target.evaluations == 8  # trying is not counted
    for a, b in zip(target.log_density_and_gradient(q), expected, strict=True):
        assert torch.equal(a, b)
