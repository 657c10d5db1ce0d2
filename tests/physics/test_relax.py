"""The Laplace approximation where it is exact, and at the minimum of a real molecule."""

from __future__ import annotations

import math

import numpy as np
import peroxide
import pytest
import torch

from zoo.data.catalog import open_dataset
from zoo.data.potential import potential_of
from zoo.errors import RunFailed
from zoo.physics.coordinates import CenteredCartesian, InternalCoordinates, ZMatrix
from zoo.physics.energy import from_openmm
from zoo.physics.relax import laplace
from zoo.physics.target import BoltzmannTarget


def test_a_normal_density_is_found_exactly():
    """U = ½ (q − m)ᵀ K (q − m): the covariance is kT K⁻¹, the minimum m; anything softer than 1 is cut."""
    coordinates = CenteredCartesian(3)
    generator = torch.Generator().manual_seed(0)
    root = torch.randn(6, 6, generator=generator, dtype=torch.float64)
    stiffness = root @ root.T + 3 * torch.eye(6, dtype=torch.float64)
    mean = torch.randn(6, generator=generator, dtype=torch.float64)

    def energy(x):
        away = coordinates.from_cartesian(x)[0] - mean
        return 0.5 * torch.einsum("bi,ij,bj->b", away, stiffness, away) + 7

    found = laplace(BoltzmannTarget(energy, coordinates, 0.5), torch.zeros(6, dtype=torch.float64))
    torch.testing.assert_close(found.mean, mean, atol=1e-6, rtol=0)
    torch.testing.assert_close(found.factor @ found.factor.T, 0.5 * stiffness.inverse(), atol=1e-7, rtol=1e-6)
    assert found.energy == pytest.approx(7, abs=1e-10)
    hot = laplace(BoltzmannTarget(energy, coordinates, 1e3), mean)
    torch.testing.assert_close(hot.factor, torch.eye(6, dtype=torch.float64), atol=1e-7, rtol=0)


def test_bonds_and_angles_by_the_second_derivative_of_both_terms():
    """d²/db² (k (b − b₀)²/2kT − 2 ln b) = k/kT + 2/b²; of an angle k/kT + 1/sin²θ."""
    zmatrix = ZMatrix.from_topology(np.array([1, 8, 8, 1]), np.array([(0, 1), (1, 2), (2, 3)]))
    start = peroxide.positions(1, seed=3)[0]
    coordinates = InternalCoordinates(zmatrix, start)
    target = BoltzmannTarget(from_openmm(peroxide.XML), coordinates, peroxide.KT_EV)
    found = laplace(target, coordinates.from_cartesian(torch.tensor(start)[None])[0][0])
    assert abs(found.energy) < 1e-12
    bonds = sorted(peroxide.BONDS)
    columns = coordinates.bond_columns
    assert found.q[columns].sort().values.tolist() == pytest.approx([b for b, _ in bonds], abs=1e-7)
    assert found.q[coordinates.angle_columns].tolist() == pytest.approx([1.75, 1.75], abs=1e-6)
    covariance = found.factor @ found.factor.T
    local = covariance.diagonal()
    expected = sorted(1 / (k / peroxide.KT + 2 / b**2) for b, k in bonds)
    # differences of gradients over 1e-4 nm, where a bond's fourth derivative is 12/b⁴
    assert local[-3:].sort().values.tolist() == pytest.approx(expected, rel=1e-5)
    angle = 1 / (500 / peroxide.KT + 1 / math.sin(1.75) ** 2)
    assert local[:2].tolist() == pytest.approx([angle] * 2, rel=1e-5)
    correlation = covariance / (local[:, None] * local).sqrt()
    assert (correlation - torch.eye(5, dtype=torch.float64)).abs().max() < 1e-4


def test_alanine_dipeptide_is_relaxed():
    """A minimum: no slope in any coordinate, and below every frame of the simulation."""
    data = open_dataset("alanine-dipeptide")
    x = torch.tensor(data.array("positions"), dtype=torch.float64)
    zmatrix = ZMatrix.from_topology(data.system.types, data.system.bonds)
    coordinates = InternalCoordinates(zmatrix, x[0].numpy())
    kT = data.units.boltzmann * data.temperature
    potential = potential_of(data)
    target = BoltzmannTarget(potential, coordinates, kT)
    found = laplace(target, coordinates.from_cartesian(x[:1])[0][0])
    q = found.q[None].requires_grad_()
    (slope,) = torch.autograd.grad(target.energy_and_volume(q)[0].sum() / kT, q)
    widths = torch.cat(
        [torch.ones(coordinates.circular).double(), (found.factor @ found.factor.T).diagonal().sqrt()]
    )
    assert (slope[0] * widths).abs().max() < 1e-3  # kT for a step of one width
    assert found.energy < potential(x[::10]).min()


def test_a_start_on_top_of_itself_is_refused():
    coordinates = CenteredCartesian(2)
    target = BoltzmannTarget(lambda x: 1 / (x[:, 0] - x[:, 1]).norm(dim=1), coordinates, 1.0)
    with pytest.raises(RunFailed, match="atoms overlap"):
        laplace(target, torch.zeros(3, dtype=torch.float64))


def test_an_energy_without_a_minimum_is_refused():
    coordinates = CenteredCartesian(2)
    target = BoltzmannTarget(lambda x: -((x[:, 0] - x[:, 1]) ** 4).sum(1), coordinates, 1.0)
    with pytest.raises(RunFailed, match="falls without end"):
        laplace(target, torch.ones(3, dtype=torch.float64))
