"""Spatial correlation of mobilities: known fields, brute force, the noise of clones; bootstrap errors."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from zoo.analysis.bootstrap import bootstrap_error, error_of_mean
from zoo.analysis.mobility import CENTRES, mobility_pairs, reach_of, relative_mobility

SIDE = 9.0
ALL = (True, True, True)


def cube(frames: int) -> np.ndarray:
    return np.tile(np.eye(3) * SIDE, (frames, 1, 1))


def waves(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One wave along each edge of the cube, of unit variance together: `[frames, particles, 1]`."""
    phase = rng.uniform(0, 2 * np.pi, (len(x), 1, 3))
    return np.sqrt(2 / 3) * np.cos(2 * np.pi / SIDE * x + phase).sum(-1, keepdims=True)


def test_independent_mobilities_do_not_correlate():
    rng = np.random.default_rng(0)
    x, u = rng.random((3, 900, 3)) * SIDE, rng.standard_normal((3, 900, 2))
    sums = mobility_pairs(x, cube(3), ALL, u, reach=4.0, shells=8)
    noise = np.sqrt(2 / sums.pairs.sum(0))  # each pair is counted from both ends
    assert (np.abs(sums.correlation()) < 5 * noise).all()
    chi = sums.susceptibility()
    expected = (u**2).mean(1)
    # Σ_j over k neighbours has variance k, its mean over n particles and products of both ends 2 k / n
    neighbours = sums.pairs.sum(1, keepdims=True) / 900
    assert (np.abs(chi - expected) < 5 * np.sqrt(2 * neighbours / 900)).all()


def test_a_wave_correlates_as_sinc():
    """⟨cos(k·r)⟩ over directions is sin(kr)/kr, with k = 2π / side."""
    rng = np.random.default_rng(1)
    x = rng.random((6, 1000, 3)) * SIDE
    sums = mobility_pairs(x, cube(6), ALL, waves(x, rng), reach=4.5, shells=9)
    middle = (sums.edges[1:] + sums.edges[:-1]) / 2
    # the field is sampled at 6 × 1,000 random points, whose density has 3 % of the waves too
    np.testing.assert_allclose(sums.correlation()[0], np.sinc(2 * middle / SIDE), atol=0.05)


def test_noise_of_the_clones_drops_out():
    """Noise as strong as the signal halves G within one mean, not between two halves of the clones."""
    rng = np.random.default_rng(2)
    x = rng.random((6, 1000, 3)) * SIDE
    u = waves(x, rng)
    one, other = u + rng.standard_normal(u.shape), u + rng.standard_normal(u.shape)
    clean = mobility_pairs(x, cube(6), ALL, u, reach=2.0, shells=4)
    halves = mobility_pairs(x, cube(6), ALL, one, other, reach=2.0, shells=4)
    noisy = mobility_pairs(x, cube(6), ALL, one, reach=2.0, shells=4)
    # ⟨u v⟩ over 6,000 particles is known to about √3 / √6000
    np.testing.assert_allclose(halves.correlation(), clean.correlation(), atol=0.08)
    np.testing.assert_allclose(noisy.correlation(), clean.correlation() / 2, atol=0.08)


@pytest.mark.parametrize("pbc", [ALL, (True, True, False), (False, False, False)])
def test_sums_equal_brute_force_in_a_skewed_cell(pbc):
    rng = np.random.default_rng(3)
    cell = np.array([[4.0, 0, 0], [1.5, 4.5, 0], [-1.0, 0.7, 5.0]])
    x = rng.uniform(-1, 2, (1, 40, 3)) @ cell
    u, v = rng.standard_normal((2, 1, 40, 3))
    cells = cell[None]
    reach = reach_of(cells, pbc, 2.5)
    shifts = np.array(list(product(*[range(-4, 5) if p else [0] for p in pbc]))) @ cell
    distance = np.linalg.norm(x[0, :, None, None] - x[0, None, :, None] + shifts, axis=-1)
    near = (distance < reach) & (distance > 0)
    assert near.sum(2).max() == 1  # within reach no pair is seen twice
    sums = mobility_pairs(x, cells, pbc, u, v, reach=reach, shells=5)
    edges = np.linspace(0, reach, 6)
    for shell in range(5):
        pair = (near & (distance >= edges[shell]) & (distance < edges[shell + 1])).any(2)
        assert sums.pairs[0, shell] == pair.sum()
        expected = np.einsum("if,ij,jf->f", u[0], pair, v[0])
        np.testing.assert_allclose(sums.products[0, shell], expected, atol=1e-10)
    total = np.einsum("if,ij,jf->f", u[0], near.any(2) | np.eye(40, dtype=bool), v[0]) / 40
    np.testing.assert_allclose(sums.susceptibility()[0], total, atol=1e-10)


def test_reach_is_half_the_smallest_height():
    skewed = np.array([[4.0, 0, 0], [3.0, 3.0, 0], [0, 0, 50.0]])
    # a parallelogram of area 12, with edges of 4 and 3√2
    assert reach_of(skewed[None], (True, True, False), 9.0) == pytest.approx(12 / (3 * np.sqrt(2)) / 2)
    assert reach_of(skewed[None], (False, False, True), 9.0) == 9.0
    assert reach_of(None, (False, False, False), 9.0) == 9.0


def test_many_particles_are_sampled():
    """Some particles i stand for all, the same ones again for the same seed."""
    rng = np.random.default_rng(4)
    x = rng.random((1, 3 * CENTRES, 3)) * SIDE
    u = waves(x, rng)
    sums = mobility_pairs(x, cube(1), ALL, u, reach=1.5, shells=3)
    again = mobility_pairs(x, cube(1), ALL, u, reach=1.5, shells=3)
    assert sums.centres.tolist() == [CENTRES]
    np.testing.assert_array_equal(sums.products, again.products)
    assert sums.correlation()[0, 1] == pytest.approx(np.sinc(2 / SIDE), abs=0.05)


def test_mobility_is_relative_to_the_type():
    types = np.array([0, 0, 1, 1])
    mobility = np.array([[1.0, 3, 10, 30], [2.0, 2, 20, 20]])[:, :, None]
    expected = np.array([[-0.5, 0.5, -0.5, 0.5], [0, 0, 0, 0]])[:, :, None]
    np.testing.assert_allclose(relative_mobility(mobility, types), expected)
    assert not relative_mobility(np.zeros((1, 4, 1)), types).any()


def test_bootstrap_error_of_a_mean_is_the_usual_one():
    values = np.random.default_rng(5).standard_normal((7, 3))
    usual = values.std(0, ddof=1) / np.sqrt(7)
    # 4,000 draws know a standard deviation to 1 / √8000 ≈ 1 %
    np.testing.assert_allclose(error_of_mean(values, draws=4000), usual, rtol=0.05)
    assert error_of_mean(values[:2]) is None


def test_bootstrap_error_of_a_ratio_is_that_of_linear_propagation():
    rng = np.random.default_rng(6)
    a, b = 5 + 0.1 * rng.standard_normal((2, 60))
    error = bootstrap_error(lambda w: (w @ a) / (w @ b), 60, draws=4000)
    residual = a - b * a.mean() / b.mean()
    assert error == pytest.approx(residual.std(ddof=1) / np.sqrt(60) / b.mean(), rel=0.05)
