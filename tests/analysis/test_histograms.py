from __future__ import annotations

import numpy as np
import pytest

from zoo.analysis.histograms import (
    circle,
    jensen_shannon,
    kl,
    plane,
    ramachandran_divergence,
    torsion_divergences,
    total_variation,
)


def uniform(n: int, seed: int, columns: int = 2) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-np.pi, np.pi, (n, columns))


def test_floor_of_one_density_is_that_of_chi_square():
    """Two samples of a uniform density: KL about (bins − 1)/2 · (1/n + 1/m), and the divergence is at it."""
    n, m, bins = 200_000, 100_000, 16
    found = ramachandran_divergence(uniform(n, 0), uniform(m, 1), bins=bins)
    expected = (bins**2 - 1) / 2 * (1 / n + 1 / m)
    assert found.kl_floor == pytest.approx(expected, rel=0.15)
    assert found.kl == pytest.approx(found.kl_floor, rel=0.4)
    assert found.tv == pytest.approx(found.tv_floor, rel=0.3)
    assert (found.bins, found.reference_size, found.model_size) == (bins, n, m)


def test_a_shifted_density_is_far_above_the_floor():
    """p uniform, q(φ) ∝ 1 + cos φ / 2: KL = −⟨ln(1 + cos φ / 2)⟩ = ln 2 − ln(1 + √(3)/2)."""
    rng = np.random.default_rng(2)
    x = uniform(400_000, 3)
    kept = x[rng.uniform(size=len(x)) < (1 + 0.5 * np.cos(x[:, 0])) / 1.5]
    found = ramachandran_divergence(uniform(200_000, 4), kept, bins=32)
    exact = np.log(2) - np.log(1 + np.sqrt(0.75))
    assert found.kl - found.kl_floor == pytest.approx(exact, rel=0.05)
    assert found.tv - found.tv_floor > 0.1
    # and the weights that undo the shift bring it down to its floor
    weighted = ramachandran_divergence(uniform(200_000, 4), kept, 1 / (1 + 0.5 * np.cos(kept[:, 0])), bins=32)
    assert weighted.kl == pytest.approx(weighted.kl_floor, rel=0.3)
    assert weighted.model_size < len(kept)


def test_bins_are_of_the_circle():
    assert np.array_equal(circle(np.array([-np.pi, np.pi, 3 * np.pi]), 4), [1, 0, 0, 0])
    assert plane(np.array([[0.1, -0.1]]), 2).tolist() == [[0, 0], [1, 0]]


def test_a_bin_that_the_model_never_visits_costs_but_not_infinitely():
    p, q = np.array([0.5, 0.5]), np.array([1.0, 0.0])
    assert 5 < kl(p, q) < 12
    assert total_variation(p, q) == 0.5


def test_jensen_shannon():
    p = np.array([0.5, 0.5, 0.0])
    assert jensen_shannon(p, p) == 0
    assert jensen_shannon(np.array([1.0, 0.0]), np.array([0.0, 1.0])) == pytest.approx(np.log(2))


def test_marginals_of_one_density_are_at_their_floor():
    n, bins = 50_000, 40
    found = torsion_divergences(uniform(n, 5, 30), uniform(n, 6, 30), bins=bins)
    assert found.shape == (30,)
    assert found.mean() == pytest.approx((bins - 1) / 8 * 2 / n, rel=0.15)
