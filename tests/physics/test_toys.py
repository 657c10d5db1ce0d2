"""Energies of the toy targets: published minima, finite differences, symmetries, the literature's forms."""

from __future__ import annotations

import itertools

import pytest
import torch

from zoo.physics.toys import DoubleWells, LennardJonesCluster

TARGETS = [
    DoubleWells(),
    DoubleWells(particles=3, dimensions=3, a=0.3),
    LennardJonesCluster(),
    LennardJonesCluster(particles=5, dimensions=2, depth=1.0, trap=0.0),
]


def configurations(target, count=4, seed=0):
    """Positions a little off a lattice: no overlaps."""
    generator = torch.Generator().manual_seed(seed)
    side = range(3)
    sites = torch.tensor(list(itertools.product(side, repeat=target.dimensions)), dtype=torch.float64)
    scale = 3.0 if isinstance(target, DoubleWells) else 1.05
    chosen = torch.stack(
        [sites[torch.randperm(len(sites), generator=generator)[: target.particles]] for _ in range(count)]
    )
    return scale * chosen + 0.1 * torch.randn(chosen.shape, generator=generator, dtype=torch.float64)


def icosahedron():
    """A particle in the middle of twelve, at unit distance."""
    golden = (1 + 5**0.5) / 2
    corners = []
    for a, b in itertools.product((-1.0, 1.0), (-golden, golden)):
        corners += [(0, a, b), (a, b, 0), (b, 0, a)]
    x = torch.tensor([(0.0, 0.0, 0.0), *corners], dtype=torch.float64)
    x[1:] /= x[1].norm()
    return x


def relaxed(target, positions):
    """Energy of the minimum downhill of `positions`, by L-BFGS."""
    x = positions.clone()[None].requires_grad_()
    optimiser = torch.optim.LBFGS([x], max_iter=500, tolerance_grad=1e-10, line_search_fn="strong_wolfe")

    def closure():
        optimiser.zero_grad()
        energy = target(x).sum()
        energy.backward()
        return energy

    optimiser.step(closure)
    return target(x).item()


def test_lj13_global_minimum_of_the_cambridge_cluster_database():
    # Wales, Doye, J. Phys. Chem. A 101, 5111 (1997): −44.326801 ε for N = 13; its digits
    energy = relaxed(LennardJonesCluster(depth=1.0, trap=0.0), icosahedron())
    assert energy == pytest.approx(-44.326801, abs=6e-7)
    assert relaxed(LennardJonesCluster(depth=2.0, trap=0.0), icosahedron()) == pytest.approx(
        2 * -44.326801, abs=2e-6
    )


@pytest.mark.parametrize("particles, published", [(2, -1.0), (3, -3.0), (4, -6.0), (7, -16.505384)])
def test_small_clusters_of_the_cambridge_cluster_database(particles, published):
    target = LennardJonesCluster(particles=particles, depth=1.0, trap=0.0)
    if particles == 7:  # pentagonal bipyramid
        angle = torch.arange(5) * (2 * torch.pi / 5)
        ring = 0.85 * torch.stack([angle.cos(), angle.sin(), torch.zeros(5)], 1)
        start = torch.cat([ring, torch.tensor([[0, 0, 0.55], [0, 0, -0.55]])]).double()
    else:
        start = configurations(target, 1)[0]
    assert relaxed(target, start) == pytest.approx(published, abs=6e-7)


def test_the_trap_is_that_about_the_centre():
    target = LennardJonesCluster(depth=0.0, trap=1.7)
    x = configurations(target)
    centred = x - x.mean(1, keepdim=True)
    assert torch.allclose(target(x), 0.85 * (centred**2).sum((1, 2)), rtol=1e-12)


def test_literature_forms_written_out():
    """iDEM's LJ13 (ordered pairs, energy_factor 1), EACF's (0.5), and bgflow's double wells."""
    x = configurations(LennardJonesCluster())
    r = torch.cdist(x, x)[:, ~torch.eye(13, dtype=torch.bool)]
    ordered = (r**-12 - 2 * r**-6).sum(1)
    trap = 0.5 * ((x - x.mean(1, keepdim=True)) ** 2).sum((1, 2))
    assert torch.allclose(LennardJonesCluster()(x), ordered + trap, rtol=1e-10)
    assert torch.allclose(LennardJonesCluster(depth=1.0)(x), 0.5 * ordered + trap, rtol=1e-10)
    x = configurations(DoubleWells())
    r = torch.cdist(x, x)[:, torch.ones(4, 4).triu(1).bool()]
    assert torch.allclose(DoubleWells()(x), (0.9 * (r - 4) ** 4 - 4 * (r - 4) ** 2).sum(1), rtol=1e-10)


def test_double_well_depth():
    """A pair's wells lie at 4 ± √(b/−2c), b²/4c below the middle."""
    target = DoubleWells(particles=2)
    for sign in (-1, 1):
        x = torch.tensor([[[0.0, 0.0], [4 + sign * (4 / 1.8) ** 0.5, 0.0]]], dtype=torch.float64)
        energy, forces = target.energy_and_forces(x)
        assert energy.item() == pytest.approx(-16 / 3.6) and forces.abs().max() < 1e-12


@pytest.mark.parametrize("target", TARGETS, ids=repr)
def test_forces_and_laplacian_are_derivatives(target):
    x = configurations(target)
    energies, forces = target.energy_and_forces(x)
    assert torch.allclose(energies, target(x))
    y = x.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(target(y).sum(), y)
    # sums of terms that cancel, the largest about 1e4 for the closest pairs
    assert torch.allclose(forces, -gradient, rtol=1e-9, atol=1e-8)
    flat = target.particles * target.dimensions
    hessian = torch.stack(
        [
            torch.autograd.functional.hessian(lambda z: target(z[None])[0], row).reshape(flat, flat)
            for row in x
        ]
    )
    trace = hessian.diagonal(dim1=1, dim2=2).sum(1)
    assert torch.allclose(target.laplacian(x), trace, rtol=1e-8)


@pytest.mark.parametrize("target", TARGETS, ids=repr)
def test_symmetries(target):
    x = configurations(target)
    generator = torch.Generator().manual_seed(1)
    rotation, _ = torch.linalg.qr(
        torch.randn(target.dimensions, target.dimensions, generator=generator, dtype=torch.float64)
    )
    order = torch.randperm(target.particles, generator=generator)
    moved = (x @ rotation.T + 3.0)[:, order]
    energies, forces = target.energy_and_forces(x)
    energies_moved, forces_moved = target.energy_and_forces(moved)
    assert torch.allclose(energies, energies_moved, rtol=1e-9)
    assert torch.allclose((forces @ rotation.T)[:, order], forces_moved, rtol=1e-8, atol=1e-7)
    assert forces.sum(1).abs().max() < 1e-9 * forces.abs().max()


def test_batch_equals_single_and_parameters_rebuild():
    target = LennardJonesCluster(depth=1.5)
    x = configurations(target)
    single = torch.cat([target(row[None]) for row in x])
    assert torch.allclose(target(x), single, rtol=1e-12)
    assert LennardJonesCluster(**target.parameters()) == target
    assert target(x.float()).dtype == torch.float32
