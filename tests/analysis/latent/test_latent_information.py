"""Mutual information of what is known in closed form, and of a planted latent."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.feature_selection import mutual_info_regression

from zoo.analysis.latent.information import information, mutual_information, shuffled_order
from zoo.errors import DataError

N = 1500


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9, 0.99])
def test_gaussian_closed_form(rho: float) -> None:
    rng = np.random.default_rng(3)
    x = rng.standard_normal(N)
    y = rho * x + np.sqrt(1 - rho**2) * rng.standard_normal(N)
    # the estimator's spread at 1500 samples is about 0.025 (Kraskov et al., Fig. 4)
    assert mutual_information(x, y) == pytest.approx(-0.5 * np.log(1 - rho**2), abs=0.08)
    assert mutual_information(np.exp(5 * x), -y) == pytest.approx(mutual_information(x, -y), abs=1e-6)


def test_several_columns() -> None:
    """I((x₁, x₂); y) of a Gaussian: ½ ln(det Σx det Σy / det Σ)."""
    rng = np.random.default_rng(4)
    x = rng.standard_normal((N, 2))
    y = x @ [1.0, 1.0] + rng.standard_normal(N)
    both = np.cov(np.column_stack([x, y]).T)
    exact = 0.5 * np.log(np.linalg.det(both[:2, :2]) * both[2, 2] / np.linalg.det(both))
    assert mutual_information(x, y) == pytest.approx(exact, abs=0.08)


def test_it_is_the_estimator_of_scikit_learn() -> None:
    """Which does not rank its values: so give it normal scores."""
    from scipy.special import ndtri
    from scipy.stats import rankdata

    rng = np.random.default_rng(5)
    x = rng.standard_normal(400)
    y = np.sin(2 * x) + 0.3 * rng.standard_normal(400)
    a, b = (ndtri((rankdata(v) - 0.5) / 400) for v in (x, y))
    theirs = mutual_info_regression(a[:, None], b, n_neighbors=3, random_state=0)[0]
    # it adds noise of 1e-10 and scales by the standard deviation, 1 of both
    assert mutual_information(x, y) == pytest.approx(theirs, abs=2e-3)


def test_angles_are_measured_along_the_circle() -> None:
    """y = x + wrapped normal noise on a circle: ln 2π − ½ ln(2πe σ²), wherever the cut is."""
    rng = np.random.default_rng(6)
    x = rng.uniform(-np.pi, np.pi, N)
    y = x + 0.3 * rng.standard_normal(N)
    exact = np.log(2 * np.pi) - 0.5 * np.log(2 * np.pi * np.e * 0.09)
    turn = {"x_periods": [2 * np.pi], "y_periods": [2 * np.pi]}
    assert mutual_information(x, y, **turn) == pytest.approx(exact, abs=0.08)
    wrapped = np.mod(y + np.pi, 2 * np.pi) - np.pi
    assert mutual_information(x + 100, wrapped, **turn) == pytest.approx(exact, abs=0.08)


def slow(rng: np.random.Generator, n: int, tau: float) -> np.ndarray:
    x, step = np.empty(n), np.exp(-1 / tau)
    x[0] = rng.standard_normal()
    for i in range(1, n):
        x[i] = step * x[i - 1] + np.sqrt(1 - step**2) * rng.standard_normal()
    return x


def test_a_planted_latent_is_found() -> None:
    """Eight slow latents, one of which holds an observable: that one, and no other, stands out."""
    rng = np.random.default_rng(7)
    blocks = np.arange(1200) // 50
    known = slow(rng, 1200, 8)
    latent = np.stack([slow(rng, 1200, 8) for _ in range(8)], 1)
    latent[:, 5] = np.tanh(known) + 0.2 * rng.standard_normal(1200)
    found = [information(z, known, blocks) for z in latent.T]
    best = max(range(8), key=lambda k: found[k].value)
    assert best == 5 and found[5].value > 10 * found[5].null_high and found[5].score > 10
    others = [f for k, f in enumerate(found) if k != 5]
    assert all(abs(f.null) < 0.05 for f in found)
    assert np.mean([f.score for f in others]) < 2 and max(f.value for f in others) < 0.15
    assert all(np.isfinite(f.error) and f.error < 0.1 for f in found)


def test_nulls_keep_what_slow_motion_does() -> None:
    """Of two slow independent series, free shuffles call chance significant; those of blocks do not."""
    rng = np.random.default_rng(8)
    scores: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(12):
        x, y = slow(rng, 600, 20), slow(rng, 600, 20)
        for free in scores:
            scores[free].append(information(x, y, np.arange(600) // 60, free=free).score)
    assert np.mean(scores[True]) > 2 * max(np.mean(scores[False]), 0.5)


def test_shuffles_are_permutations_of_blocks() -> None:
    blocks = np.repeat(np.arange(6), [3, 5, 4, 5, 2, 6])
    order = shuffled_order(blocks, np.random.default_rng(0))
    assert sorted(order) == list(range(25))
    inside = np.diff(np.concatenate([order, order[:1]]))
    assert (inside == 1).sum() >= 25 - 7 and not np.array_equal(order, np.arange(25))


def test_what_cannot_be_estimated_is_refused() -> None:
    with pytest.raises(DataError, match="more than 6 samples"):
        mutual_information(np.arange(5.0), np.arange(5.0))
    with pytest.raises(DataError, match="first in row 3"):
        mutual_information(np.where(np.arange(20) == 3, np.nan, 1.0), np.arange(20.0))
    with pytest.raises(DataError, match="20 and 19"):
        mutual_information(np.arange(20.0), np.arange(19.0))
