from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from zoo.analysis.populations import (
    Population,
    free_energy_error,
    population,
    populations,
    stated_populations,
)


def test_binomial():
    member = np.arange(10_000) < 300
    found = population(member)
    assert found.share == 0.03 and found.count == 300
    assert found.error == pytest.approx(np.sqrt(0.03 * 0.97 / 10_000))
    assert found.effective == pytest.approx(10_000)


def weighted_sample(seed: int, n: int = 3000) -> tuple[np.ndarray, np.ndarray]:
    """Draws of a normal of width 1.3, weights to that of width 1; members are those above 1."""
    x = 1.3 * np.random.default_rng(seed).normal(size=n)
    return x > 1, np.exp(-0.5 * x**2 + 0.5 * (x / 1.3) ** 2)


def test_error_of_a_weighted_share_against_repeats_and_bootstrap():
    found = [population(*_order(weighted_sample(seed))) for seed in range(300)]
    shares = np.array([f.share for f in found])
    exact = 0.158655  # of a standard normal, above 1
    assert shares.mean() == pytest.approx(exact, abs=4 * shares.std() / np.sqrt(300))
    stated = np.mean([f.error for f in found])
    assert stated == pytest.approx(shares.std(), rel=0.15)
    member, w = weighted_sample(0)
    rng = np.random.default_rng(9)
    picks = rng.integers(len(w), size=(400, len(w)))
    boot = (w[picks] * member[picks]).sum(1) / w[picks].sum(1)
    assert found[0].error == pytest.approx(boot.std(), rel=0.15)


def _order(sample: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, None, np.ndarray]:
    return sample[0], None, sample[1]


def test_correlated_frames_count_as_runs():
    """Ten runs, each of them all in or all out: ten independent numbers, whatever the frames."""
    member = np.repeat([1, 0, 0, 1, 0, 0, 0, 1, 0, 0], 500).astype(bool)
    found = population(member, run=np.repeat(np.arange(10), 500))
    assert found.error == pytest.approx(np.sqrt(0.3 * 0.7 / 9))
    assert found.effective == pytest.approx(9)
    assert population(member).effective == pytest.approx(5000)


def test_frames_outside_of_the_gate_do_not_count():
    member = np.array([1, 1, 0, 0, 1, 0], bool)
    among = np.array([1, 0, 1, 1, 1, 1], bool)
    assert population(member, among).share == pytest.approx(2 / 5)
    found = populations({"a": member, "cis 1": ~among}, among)
    assert found["a"].share == pytest.approx(2 / 5)
    assert found["cis 1"].share == pytest.approx(1 / 6)  # of all frames


def test_nobody_there():
    assert population(np.zeros(50, bool)) == Population(0.0, 0.0, 50.0, 0)
    assert np.isnan(population(np.ones(3, bool), np.zeros(3, bool)).share)


def test_few_members_are_never_worth_more_than_all_draws():
    """Two members of one weight look certain; the weights of the others say that they are not."""
    w = np.random.default_rng(0).lognormal(0, 2, 5000)
    w[:2] = 0.1
    found = population(np.arange(5000) < 2, weights=w)
    assert found.effective <= w.sum() ** 2 / (w**2).sum()


def test_shares_stated_by_the_manifest_of_replica_exchange():
    folder = Path(str(files("zoo.datasets"))) / "alanine_dipeptide/sample-replica-exchange"
    record = json.loads((folder / "manifest.json").read_text())
    found = stated_populations(record["provenance"])
    whole = sum(found[name].share for name in ("αR", "C7eq", "C5/PII", "αL", "C7ax"))
    assert whole == pytest.approx(1.0, abs=1e-3)
    assert 0.002 < found["φ>0"].share < 0.004 and found["φ>0"].count is None
    p = found["αL"]
    assert np.sqrt(p.share * (1 - p.share) / p.effective) == pytest.approx(p.error)
    assert stated_populations({}) == {}


def test_free_energy_error():
    half = Population.stated(0.01, 0.001)
    value, error = free_energy_error(half, Population.stated(0.02, 0.001))
    assert value == pytest.approx(np.log(2)) and error == pytest.approx(np.hypot(0.1, 0.05))
    assert free_energy_error(Population(0.0, 0.0, 100.0), half) == (np.inf, np.inf)
