"""TICA, VAMP-2, Markov models and their test, on processes whose answers are known."""

from __future__ import annotations

import numpy as np
import pytest

from zoo.analysis.dependence import correlation_ratio, exchanged
from zoo.analysis.markov import (
    chapman_kolmogorov,
    crossings,
    markov_model,
    markov_timescales,
    metastable_sets,
)
from zoo.analysis.tica import tica
from zoo.analysis.vamp import vamp2
from zoo.errors import DataError

STEP = np.array([[0.97, 0.03, 0.0], [0.02, 0.97, 0.01], [0.0, 0.05, 0.95]])


def paths(runs: int, frames: int, seed: int = 0) -> list[np.ndarray]:
    """Of a reversible chain of three states."""
    rng = np.random.default_rng(seed)
    state = rng.integers(0, 3, runs)
    out = np.empty((frames, runs), int)
    edges = STEP.cumsum(1)
    for row in out:
        row[:] = state
        state = (rng.random(runs)[:, None] > edges[state]).sum(1)
    return list(out.T)


def noisy(found: list[np.ndarray], seed: int = 1, width: float = 0.3) -> list[np.ndarray]:
    """Two features of each frame: where the state is, with noise, and turned."""
    rng = np.random.default_rng(seed)
    place = np.array([[0.0, 0.0], [3.0, 1.0], [1.0, 4.0]])
    return [place[p] + width * rng.standard_normal((len(p), 2)) for p in found]


def test_tica_is_that_of_deeptime() -> None:
    from deeptime.decomposition import TICA

    runs = noisy(paths(6, 2000))
    own = tica(runs, 5)
    theirs = TICA(lagtime=5, scaling=None).fit_fetch(runs)
    assert own.eigenvalues == pytest.approx(theirs.singular_values, rel=1e-6)
    for k in range(2):
        r = np.corrcoef(own.project(runs[0])[:, k], theirs.transform(runs[0])[:, k])[0, 1]
        assert abs(r) == pytest.approx(1, abs=1e-6)


def test_time_scales_of_a_chain_are_those_of_its_eigenvalues() -> None:
    values = np.sort(np.linalg.eigvals(STEP).real)[::-1]
    true = -1 / np.log(values[1:])
    found, errors = markov_timescales(paths(40, 1500), [1, 5, 10], 3, 2)
    # 40 runs, 30 to 80 relaxation times each: 3 % and 5 %
    assert np.all(np.abs(found - true) < 4 * errors)
    assert np.all(errors < 0.15 * true)
    model = markov_model(paths(40, 1500), 1, 3)
    assert model.transition == pytest.approx(STEP, abs=0.005)
    assert model.share == 1


def test_vamp2_is_one_and_the_squares_of_singular_values() -> None:
    from deeptime.decomposition import VAMP

    runs = noisy(paths(20, 2000), width=0.1)
    whole = VAMP(lagtime=5, dim=2).fit_fetch(runs).score(2)
    found = vamp2(runs, 5, 2, seed=3)
    assert found.value == pytest.approx(whole, abs=4 * found.error + 0.01)
    expected = 1 + np.sum(np.sort(np.linalg.eigvals(STEP).real)[:2] ** 10)
    # noise of 0.1 beside distances of 3 hides a part in a thousand
    assert found.value == pytest.approx(expected, abs=4 * found.error + 0.01)
    assert found.error < 0.03
    rng = np.random.default_rng(0)
    nothing = vamp2([rng.standard_normal((2000, 2)) for _ in range(20)], 5, 2)
    assert nothing.value == pytest.approx(1, abs=0.01)
    with pytest.raises(DataError, match="two runs"):
        vamp2(runs[:1], 5, 2)
    with pytest.raises(DataError, match="20 pairs"):  # sixteen are fitted by anything
        vamp2([run[:5] for run in runs], 1, 2)


def test_chapman_kolmogorov_holds_for_a_chain_and_fails_for_one_with_memory() -> None:
    found = paths(40, 1500)
    model = markov_model(found, 5, 3)
    sets = metastable_sets(model, 2)
    test = chapman_kolmogorov(found, model, sets, 3)
    assert test.predicted.sum(2) == pytest.approx(1)
    assert test.predicted[0] == pytest.approx(test.observed[0], abs=0.01)
    exact = np.linalg.matrix_power(STEP, 25)
    full = chapman_kolmogorov(found, model, np.arange(3), 3)
    # the rarest state is begun in some 200 times independently: √(p(1 − p)/200) = 0.033
    assert full.observed[4] == pytest.approx(exact, abs=0.1)
    assert full.deviation < 2 * full.floor
    # frames that are often put into the wrong state: what is seen remembers longer than the model
    rng = np.random.default_rng(2)
    blurred = [np.where(rng.random(len(p)) < 0.2, rng.integers(0, 3, len(p)), p) for p in found]
    failed = chapman_kolmogorov(blurred, markov_model(blurred, 5, 3), np.arange(3), 3)
    assert failed.deviation > 4 * failed.floor


def test_the_test_is_that_of_deeptime() -> None:
    from deeptime.markov.msm import MaximumLikelihoodMSM

    found = paths(30, 1500)
    models = [MaximumLikelihoodMSM(reversible=True, lagtime=lag).fit_fetch(found) for lag in (5, 10, 15)]
    theirs = models[0].ck_test(models, 3)
    own = chapman_kolmogorov(found, markov_model(found, 5, 3), np.arange(3), 3, (1, 2, 3))
    # PCCA names the sets in an order of its own, and they are not quite sharp
    place = [int(k) for k in models[0].pcca(3).memberships.argmax(0)]
    assert sorted(place) == [0, 1, 2]
    ours = own.predicted[:, place][:, :, place]
    assert ours == pytest.approx(np.array(theirs.predictions)[-3:], abs=0.02)


def test_states_that_are_never_come_back_to_are_left_out() -> None:
    found = [np.array([2, 2, 2] + [0, 1, 1] * 20)] * 3
    model = markov_model(found, 1, 3)
    assert model.active.tolist() == [0, 1] and model.share < 1
    with pytest.raises(DataError, match="no two states"):
        markov_model([np.repeat([0, 1, 2], 5)], 1, 3)
    with pytest.raises(DataError, match="longer than a lag"):
        markov_model([np.zeros(3, int)], 5, 1)


def test_crossings_count_runs_and_not_excursions() -> None:
    long = [np.repeat([0, 1, 0], 20), np.repeat([0, 1], 30), np.zeros(60, int)]
    assert crossings(long, 2, 5).tolist() == [[1, 2], [2, 1]]
    flicker = [np.array([0] * 20 + [1, 1] + [0] * 20)]
    assert crossings(flicker, 2, 5).tolist() == [[0, 0], [0, 0]]
    assert crossings(flicker, 2, 1).tolist() == [[1, 1], [1, 1]]


def test_correlation_ratio_finds_a_function_that_no_line_is() -> None:
    rng = np.random.default_rng(0)
    run = np.repeat(np.arange(20), 200)
    x = rng.uniform(-np.pi, np.pi, len(run))
    y = np.cos(2 * x) + 0.5 * rng.standard_normal(len(run))  # uncorrelated with x
    found = correlation_ratio(y, x, run, 2 * np.pi)
    # var cos = ½, noise ¼; 24 bins of 15° lose 1.5 % of the former
    assert found.value == pytest.approx(0.5 / 0.75, abs=4 * found.error + 0.01)
    assert 0.002 < found.error < 0.02
    null = correlation_ratio(y, exchanged(x, run), run, 2 * np.pi)
    assert null.value < 0.02  # 24 bins of 4000 frames: 0.006
    assert correlation_ratio(3 * x + 1, x, run).value > 0.99
    assert sorted(exchanged(run, run).tolist()) == run.tolist()
    assert not np.any(exchanged(run, run) == run)
