"""Statistics of chains against exact cases."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest
from scipy.linalg import expm

from zoo.analysis import polymers


def chains_of(bonds: np.ndarray) -> np.ndarray:
    """Open chains `[frames, bonds + 1, 3]` that start at the origin."""
    return np.concatenate([np.zeros((len(bonds), 1, 3)), np.cumsum(bonds, axis=1)], axis=1)


def every_closed_order() -> np.ndarray:
    """All 720 orders of six bonds that sum to zero, as rings `[720, 6, 3]`: all bonds are alike."""
    bonds = np.array([[1, 0, 0], [-0.5, 1, 0], [-0.5, -1, 0.3], [0, 0.4, -1], [0.7, 0, 0.7], [-0.7, -0.4, 0]])
    assert np.abs(bonds.sum(0)).max() < 1e-12
    return np.stack([np.cumsum(bonds[list(order)], axis=0) for order in permutations(range(6))])


def test_gyration() -> None:
    angle = 2 * np.pi * np.arange(50) / 50
    circle = 3 * np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1)[None] + 100
    assert polymers.gyration_radius_squared(circle) == pytest.approx(9)
    np.testing.assert_allclose(polymers.gyration_tensor(circle)[0], np.diag([4.5, 4.5, 0]), atol=1e-10)
    rng = np.random.default_rng(0)
    chain = rng.normal(size=(3, 8, 3))
    pairs = np.sum((chain[:, :, None] - chain[:, None]) ** 2, axis=-1).sum((1, 2)) / (2 * 8**2)
    np.testing.assert_allclose(polymers.gyration_radius_squared(chain), pairs)


def test_inertia_weight_is_what_momenta_without_rotation_leave() -> None:
    """∫ dp δ(L) exp(−K) ∝ 1/√det I: the Gaussian density of L = Σ r × p at zero, by its covariance."""
    rng = np.random.default_rng(1)
    chain = rng.normal(size=(5, 7, 3))
    density = []
    for positions in chain:
        arm = positions - positions.mean(0)
        # L is linear in the momenta, which have unit covariance after the common one is taken out
        cross = np.concatenate([np.cross(np.eye(3), r).T * -1 for r in arm], axis=1)  # [3, 3N]
        out = np.eye(21) - np.kron(np.full((7, 7), 1 / 7), np.eye(3))
        density.append(np.linalg.det(cross @ out @ cross.T) ** -0.5)
    weights = polymers.inertia_weight(chain)
    np.testing.assert_allclose(weights * np.array(density), np.full(5, weights[0] * density[0]))
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    np.testing.assert_allclose(polymers.inertia_weight(chain @ turn - 4), weights)


def test_bonds_and_bends() -> None:
    square = np.array([[[0, 0, 0], [1, 0, 0], [1, 2, 0], [0, 2, 0]]], float)
    assert np.linalg.norm(polymers.bond_vectors(square, ring=True), axis=-1).tolist() == [[1, 2, 1, 2]]
    assert polymers.bond_vectors(square, ring=False).shape == (1, 3, 3)
    assert polymers.bend_cosines(square, ring=True).tolist() == [[0, 0, 0, 0]]
    line = np.array([[[0, 0, 0], [1, 0, 0], [3, 0, 0], [2, 0, 0]]], float)
    assert polymers.bend_cosines(line, ring=False).tolist() == [[1, -1]]


def test_ideal_ring_is_exact_over_all_orders_of_its_bonds() -> None:
    rings = every_closed_order()
    squared = float(np.sum(polymers.bond_vectors(rings, ring=True) ** 2, axis=-1).mean())
    size = polymers.gyration_radius_squared(rings).mean()
    assert size == pytest.approx(polymers.ideal_ring_gyration(6, squared), rel=1e-12)
    modes = polymers.rouse_modes(rings, True, [1, 2, 3])
    for index, p in enumerate((1, 2, 3)):
        found = np.sum(np.abs(modes[:, index]) ** 2, axis=-1).mean()
        assert found == pytest.approx(polymers.rouse_amplitude(6, True, p, squared), rel=1e-12)


def test_ideal_linear_chain_is_exact_over_all_signs_of_its_bonds() -> None:
    bonds = np.random.default_rng(0).normal(size=(5, 3))
    bonds /= np.linalg.norm(bonds, axis=1, keepdims=True)  # of one length: all bonds are alike
    signs = np.array(list(product([-1.0, 1.0], repeat=5)))
    chains = chains_of(signs[:, :, None] * bonds)
    size = polymers.gyration_radius_squared(chains).mean()
    assert size == pytest.approx(polymers.ideal_linear_gyration(6, 1.0), rel=1e-12)
    modes = polymers.rouse_modes(chains, False, [1, 2, 5])
    for index, p in enumerate((1, 2, 5)):
        found = np.sum(modes[:, index] ** 2, axis=-1).mean()
        assert found == pytest.approx(polymers.rouse_amplitude(6, False, p), rel=1e-12)


def test_ring_is_half_the_size_of_a_long_linear_chain() -> None:
    ratio = polymers.ideal_ring_gyration(10**6, 1.0) / polymers.ideal_linear_gyration(10**6, 1.0)
    assert ratio == pytest.approx(0.5, rel=1e-5)


def test_rouse_modes_are_coordinates() -> None:
    chain = np.random.default_rng(2).normal(size=(4, 9, 3))
    for ring in (True, False):
        modes = polymers.rouse_modes(chain, ring, range(9))
        np.testing.assert_allclose(modes[:, 0].real, chain.mean(1), atol=1e-12)
        if ring:  # Parseval
            total = np.sum(np.abs(modes) ** 2, axis=(1, 2))
        else:
            total = np.sum(modes[:, 0] ** 2, axis=-1) + 2 * np.sum(modes[:, 1:] ** 2, axis=(1, 2))
        np.testing.assert_allclose(total, np.sum(chain**2, axis=(1, 2)) / 9)


@pytest.mark.parametrize("ring", [True, False])
def test_rouse_times_of_a_chain_of_springs(ring: bool) -> None:
    """Beads on springs k without inertia: ζ dx/dt = −k L x; modes decay with the predicted time."""
    beads, spring, friction, temperature, t = 8, 3.0, 2.5, 1.7, 0.9
    bonds = np.eye(beads) - np.roll(np.eye(beads), -1, axis=1)
    laplacian = bonds[0 if ring else 1 :].T @ bonds[0 if ring else 1 :]
    start = np.random.default_rng(0).normal(size=(beads, 3))
    later = expm(-spring * t / friction * laplacian) @ start
    before, after = (polymers.rouse_modes(x[None], ring, range(1, beads))[0] for x in (start, later))
    bond_squared = 3 * temperature / spring  # of an open chain
    amplitudes = []
    for p in range(1, beads):
        # the ring's springs: ⟨|X|²⟩ = b² / (4 N sin²), without the N − 1 of freely jointed bonds
        amplitude = polymers.rouse_amplitude(beads, ring, p, bond_squared)
        if ring:
            amplitude *= (beads - 1) / beads
        amplitudes.append(amplitude)
        tau = polymers.rouse_time(amplitude, beads, ring, friction, temperature)
        np.testing.assert_allclose(after[p - 1], before[p - 1] * np.exp(-t / tau), rtol=1e-9)
    # ⟨|Δr|²⟩ = 2 (⟨r²⟩ − ⟨r(t) r(0)⟩) in equilibrium, whose covariance is kT/k times the inverse Laplacian
    covariance = temperature / spring * np.linalg.pinv(laplacian)
    later = expm(-spring * t / friction * laplacian) @ covariance
    exact = 2 * 3 * np.trace(covariance - later) / beads
    found = polymers.rouse_displacement_squared(t, np.array(amplitudes), beads, ring, friction, temperature)
    assert found == pytest.approx(exact, rel=1e-9)


def test_displacements() -> None:
    run = np.arange(6)[:, None] * np.array([1.0, 2.0, 2.0])
    assert polymers.displacement_squared(run, 2).tolist() == [36.0] * 4
    beads = np.stack([run, 0 * run], axis=1)
    assert polymers.displacement_squared(beads, 1).tolist() == [4.5] * 5
    # short times are ballistic, ⟨v²⟩ t² = 3 D γ t²; long ones diffusive, 6 D (t − 1/γ)
    assert polymers.free_displacement_squared(np.array(1e-4), 2.0, 5.0) == pytest.approx(30e-8, rel=1e-3)
    assert polymers.free_displacement_squared(np.array(40.0), 2.0, 5.0) == pytest.approx(12 * 39.8)


def test_correlation_and_decay() -> None:
    frames = np.arange(40)
    wave = np.exp(0.3j * frames)[:, None] * np.array([1.0, 0, 0])
    np.testing.assert_allclose(polymers.correlation(wave, [0, 3, 10]), np.cos(0.3 * np.array([0, 3, 10])))
    times = np.arange(50) * 2.0
    assert polymers.decay_time(times, np.exp(-times / 13.0)) == pytest.approx(13)
    assert polymers.decay_time(times[:5], np.exp(-times[:5] / 13.0)) is None  # has not fallen
    assert polymers.decay_time(times, np.exp(-times / 0.5)) is None  # has fallen at once
