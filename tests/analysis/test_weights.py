"""Scores of weights on Gaussians, where each has a formula."""

from __future__ import annotations

import numpy as np
import pytest

from zoo.analysis.weights import (
    clipped,
    ess,
    log_weights,
    normalised,
    over_reference,
    weight_scores,
)

#: Target exp(−x²/2), whose Z is √(2π); draws of a Gaussian of this width.
WIDTH, LOG_Z = 1.3, 0.5 * np.log(2 * np.pi)


def gaussian(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    x = WIDTH * np.random.default_rng(seed).normal(size=n)
    return x, -0.5 * (x / WIDTH) ** 2 - np.log(WIDTH) - LOG_Z


def of_draws(n: int, seed: int = 0, kT: float = 0.5) -> np.ndarray:
    x, log_q = gaussian(n, seed)
    return log_weights(kT * x**2 / 2, 0.0, log_q, kT)


def test_ess_elbo_and_log_z_of_a_gaussian():
    """ESS = √(2s² − 1)/s²; ELBO = log Z − KL; log Z: known."""
    s = WIDTH
    found = weight_scores(of_draws(200_000))
    assert found.ess == pytest.approx(np.sqrt(2 * s**2 - 1) / s**2, abs=5 * found.ess_error)
    kl = 0.5 * (s**2 - 1) - np.log(s)
    assert found.elbo == pytest.approx(LOG_Z - kl, abs=4 * found.elbo_error)
    assert found.log_z == pytest.approx(LOG_Z, abs=4 * found.log_z_error)
    assert found.outside == 0 and found.largest < 1e-4


def test_eubo_is_above_log_z():
    """Mean of log w over the target itself: log Z + KL(p|q), KL = ln s + 1/(2s²) − 1/2."""
    x = np.random.default_rng(1).normal(size=100_000)
    log_q = -0.5 * (x / WIDTH) ** 2 - np.log(WIDTH) - LOG_Z
    mean, error, outside = over_reference(log_weights(x**2 / 2, 0.0, log_q, 1.0))
    assert mean == pytest.approx(LOG_Z + np.log(WIDTH) + 0.5 / WIDTH**2 - 0.5, abs=4 * error)
    assert outside == 0


def test_errors_are_what_repeating_shows():
    runs = [weight_scores(of_draws(2000, seed)) for seed in range(200)]
    for name in ("ess", "elbo", "log_z"):
        spread = np.std([getattr(r, name) for r in runs], ddof=1)
        stated = np.mean([getattr(r, f"{name}_error") for r in runs])
        assert stated == pytest.approx(spread, rel=0.25), name


def test_one_weight_that_outweighs_all_is_seen_and_clipped():
    log_w = np.zeros(20_000)
    log_w[7] = np.log(20_000.0)
    found = weight_scores(log_w)
    assert found.largest == pytest.approx(0.5, abs=1e-3)
    assert found.ess < 1e-3 and found.ess_clipped == pytest.approx(1.0)


def test_clipping_takes_the_top_share_to_its_least():
    w = np.arange(1.0, 100_001.0)
    assert clipped(w).max() == 99_991 and (clipped(w)[:99_991] == w[:99_991]).all()
    assert clipped(w[:5000]) is not None and clipped(w[:5000]).max() == 5000


def test_draws_of_infinite_energy_weigh_nothing():
    log_w = log_weights(np.array([0.0, np.inf] * 50), 0.0, np.zeros(100), 1.0)
    found = weight_scores(log_w)
    assert found.outside == 0.5 and found.ess == pytest.approx(0.5)
    assert found.log_z == pytest.approx(np.log(0.5)) and found.elbo == 0
    nothing = weight_scores(np.full(20, -np.inf))
    assert nothing.ess == 0 and nothing.log_z == -np.inf and not normalised(np.full(3, -np.inf)).any()


def test_frames_outside_of_the_model_are_told():
    mean, _, outside = over_reference(np.array([1.0, 3.0, np.inf, 2.0]))
    assert mean == 2.0 and outside == 0.25


def test_ess_of_equal_weights_is_one():
    assert ess(np.full(10, 0.3)) == pytest.approx(1.0)
    with pytest.raises(ValueError, match="too few"):
        weight_scores(np.zeros(5))
