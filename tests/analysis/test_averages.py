from __future__ import annotations

import numpy as np
import pytest

from zoo.analysis.averages import mean_and_error


def test_error_of_independent_numbers():
    rng = np.random.default_rng(0)
    mean, error = mean_and_error(rng.normal(3.0, 2.0, 40_000), np.repeat(np.arange(40), 1000))
    assert error == pytest.approx(2.0 / np.sqrt(40_000), rel=0.25)  # 40 parts know it to 1/√78
    assert abs(mean - 3.0) < 5 * error


def test_error_knows_of_correlated_runs():
    """Each run is one number again and again: as many independent values as runs."""
    values = np.array([1.0, 2.0, 4.0, 5.0, 3.0, 3.0, 1.5, 4.5])
    mean, error = mean_and_error(np.repeat(values, 500), np.repeat(np.arange(8), 500))
    assert mean == pytest.approx(values.mean())
    assert error == pytest.approx(values.std(ddof=1) / np.sqrt(8))


def test_one_run_is_cut_into_blocks_of_time():
    rng = np.random.default_rng(1)
    slow = np.empty(20_000)  # a Gaussian process with correlation time 50
    slow[0] = 0
    for i in range(1, len(slow)):
        slow[i] = np.exp(-1 / 50) * slow[i - 1] + np.sqrt(1 - np.exp(-2 / 50)) * rng.normal()
    _, error = mean_and_error(slow, np.zeros(len(slow), int), blocks=20)
    # 20 blocks of 20 correlation times each: known to 1/√38, less some percent at their edges
    assert error == pytest.approx(np.sqrt(2 * 50 / len(slow)), rel=0.5)


def test_error_is_never_below_that_of_independent_frames():
    rng = np.random.default_rng(2)
    half = rng.normal(size=500)
    values = np.concatenate([half, half])  # two runs that agree by accident
    assert mean_and_error(values, np.repeat([0, 1], 500), blocks=2)[1] == pytest.approx(
        values.std() / np.sqrt(999), rel=1e-9
    )
