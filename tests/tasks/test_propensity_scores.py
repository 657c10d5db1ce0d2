"""Scores of propensities on cases whose result is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from synthetic import glass

from zoo.data.dataset import Dataset, Frames
from zoo.tasks.propensity.calibration import calibration_scores, clone_errors
from zoo.tasks.propensity.scores import pooled_pearson, propensity_scores


@pytest.fixture(scope="module")
def frames(tmp_path_factory) -> Frames:
    """Propensities whose clones have noise of known size, 0.3 times a uniform random number."""
    return Dataset(glass(tmp_path_factory.mktemp("data") / "glass", frames=10, particles=100)).split("all")


def expected_propensity(frames: Frames) -> np.ndarray:
    """What infinitely many clones would measure, from the neighbours alone: see `synthetic.glass`."""
    types, x = frames.dataset.system.types, frames.array("positions").astype(float)
    side = frames.array("cell")[0, 0, 0]
    r = x[:, :, None] - x[:, None]
    r -= side * np.round(r / side)
    close = (np.linalg.norm(r, axis=-1) < 1.4) & ~np.eye(len(types), dtype=bool)
    once = 0.1 * close[:, :, types == 1].sum(-1) + 0.35
    return np.stack([once, 2 * once], axis=-1)


def test_pooled_correlation_is_scipys_and_its_error_the_analytic_one():
    rng = np.random.default_rng(0)
    blocks, particles, rho = 60, 80, 0.6
    t = rng.standard_normal((blocks, 2, particles))
    g = 7 + rho * t + np.sqrt(1 - rho**2) * rng.standard_normal(t.shape)
    value, error = pooled_pearson(t, g)
    for time in range(2):
        expected = stats.pearsonr(t[:, time].ravel(), g[:, time].ravel()).statistic
        assert value[time] == pytest.approx(expected, abs=1e-12)
    # (1 − ρ²) / √n for n independent pairs; 60 blocks know it to 1 / √120 ≈ 9 %
    assert error is not None
    np.testing.assert_allclose(error, (1 - rho**2) / np.sqrt(blocks * particles), rtol=0.3)
    np.testing.assert_array_equal(pooled_pearson(t, np.full_like(t, 0.1))[0], 0)
    assert pooled_pearson(t[:2], g[:2])[1] is None


def test_knowing_the_configurations_mean_is_rewarded_by_the_pooled_score_alone(frames):
    """A guess that is the mean of each configuration, and random within it."""
    rng = np.random.default_rng(1)
    truth = frames.array("targets").astype(float)
    shift = 10 * rng.standard_normal((len(frames), 1, 1))
    moved = Moved(frames, truth + shift)
    guess = shift + 0.1 * rng.standard_normal(truth.shape)
    scores = propensity_scores({"targets": guess}, moved)
    assert (np.array(scores["pearson_pooled_A"]["value"]) > 0.99).all()
    assert (np.abs(scores["pearson_mean_A"]["value"]) < 5 / np.sqrt(800)).all()


class Moved(Frames):
    """Frames with other targets."""

    def __init__(self, frames: Frames, targets: np.ndarray) -> None:
        super().__init__(frames.dataset, frames.index, frames.name)
        self.targets = targets

    def array(self, name: str) -> np.ndarray:
        return self.targets if name == "targets" else super().array(name)


def test_the_expected_propensity_reaches_the_whole_ceiling(frames):
    """A guess without error correlates with the noisy mean as the ceiling says, that is what it is."""
    scores = propensity_scores({"targets": expected_propensity(frames)}, frames)
    for name, n in (("A", 800), ("B", 200)):
        for how in ("mean", "pooled"):
            value, ceiling, share = (
                np.array(scores[f"{key}_{how}_{name}"]["value"]) for key in ("pearson", "ceiling", "share")
            )
            np.testing.assert_allclose(share, value / ceiling, rtol=1e-12)
            # r ≈ 0.97 is known to (1 − r²) / √n, the ceiling likewise
            np.testing.assert_allclose(share, 1, atol=4 * 0.06 * np.sqrt(2 / n))
            assert len(scores[f"pearson_{how}_{name}"]["error"]) == 2


def test_errors_need_three_configurations(frames):
    two = Frames(frames.dataset, np.array([0, 1]), "two")
    scores = propensity_scores({"targets": two.array("targets")}, two)
    assert not any("error" in metric for metric in scores.values())


def test_an_ensemble_that_knows_its_error_is_calibrated(frames):
    """Gaussian errors of known size around the expected propensity; the clones' noise comes on top."""
    rng = np.random.default_rng(2)
    exact = expected_propensity(frames)
    spread = rng.uniform(0.02, 0.4, exact.shape)
    guess = exact + spread * rng.standard_normal(exact.shape)
    scores = calibration_scores({"targets": guess, "targets_spread": spread}, frames)
    # a root mean square over n values is known to 1 / √(2n): 2.5 % for 800, 5 % for 200
    np.testing.assert_allclose(scores["calibration_A"]["value"], 1, atol=0.1)
    np.testing.assert_allclose(scores["calibration_B"]["value"], 1, atol=0.2)
    assert (np.array(scores["spread_correlation_A"]["value"]) > 0.2).all()
    sure = calibration_scores({"targets": guess, "targets_spread": 0 * spread}, frames)
    assert (np.array(sure["calibration_A"]["value"]) > 2).all()
    miss = np.abs(guess - frames.array("targets"))
    told = calibration_scores({"targets": guess, "targets_spread": miss}, frames)
    np.testing.assert_allclose(told["spread_correlation_A"]["value"], 1)


def test_clone_errors_are_those_of_uniform_noise(frames):
    # 0.3 × uniform has the standard deviation 0.3 / √12; eight clones, the second time doubled
    expected = 0.3 / np.sqrt(12) / np.sqrt(8)
    squares = (clone_errors(frames) ** 2).mean((0, 1))
    np.testing.assert_allclose(np.sqrt(squares), [expected, 2 * expected], rtol=0.05)


def test_predictions_of_one_network_have_no_calibration(frames):
    assert calibration_scores({"targets": frames.array("targets")}, frames) == {}


def test_susceptibility_does_not_mind_scale_and_is_zero_for_a_constant(frames):
    truth = expected_propensity(frames)
    once = propensity_scores({"targets": truth}, frames)["chi_predicted"]["value"]
    twice = propensity_scores({"targets": 2 * truth}, frames)["chi_predicted"]["value"]
    np.testing.assert_allclose(twice, once, rtol=1e-9)
    none = propensity_scores({"targets": np.ones_like(truth)}, frames)
    np.testing.assert_array_equal(none["chi_predicted"]["value"], 0)
    assert none["chi_true"]["value"] == propensity_scores({"targets": truth}, frames)["chi_true"]["value"]
