"""Scores of predicted propensities, lists over the times; errors by bootstrap over configurations."""

from __future__ import annotations

import numpy as np

from zoo import keys
from zoo.analysis.bootstrap import bootstrap_error, error_of_mean
from zoo.data.ceiling import noise_ceiling
from zoo.data.dataset import Frames
from zoo.tasks.base import Predictions
from zoo.tasks.metrics import Metric, metric, pearson
from zoo.tasks.propensity.calibration import calibration_scores
from zoo.tasks.propensity.heterogeneity import predicted_pairs, true_pairs


def propensity_scores(predictions: Predictions, frames: Frames) -> dict[str, Metric]:
    """Correlations with the propensity, their ceilings, and the correlation between particles.

    For each type X: `pearson_mean_X` within each configuration, then averaged;
    `pearson_pooled_X` over all particles of all configurations; `mae_X`; `ceiling_mean_X`,
    `ceiling_pooled_X` and the share of them that is reached, `share_mean_X` and `share_pooled_X`,
    where the clones are kept apart (the error of the share leaves out the ceiling's own); of an
    ensemble `calibration_X` and `spread_correlation_X` (`calibration_scores`). Of all particles:
    `chi_true` and `chi_predicted`, `zoo.analysis.mobility.PairSums.susceptibility` averaged over
    configurations.
    """
    dataset = frames.dataset
    names, unit = dataset.system.type_names, dataset.units.length
    truth = frames.array(keys.TARGETS).astype(np.float64)
    guess = predictions[keys.TARGETS].astype(np.float64)
    ceilings = {}
    if keys.CLONES in dataset.arrays:
        ceilings = noise_ceiling(frames.array(keys.CLONES), dataset.system.types)
    out: dict[str, Metric] = {}
    for kind in sorted(set(dataset.system.types.tolist())):
        name, members = names[kind], dataset.system.types == kind
        t, g = truth[:, members].transpose(0, 2, 1), guess[:, members].transpose(0, 2, 1)
        within = np.nan_to_num(pearson(t, g))  # [configurations, times]; a constant guess scores 0
        scores = {"mean": (within.mean(0), error_of_mean(within)), "pooled": pooled_pearson(t, g)}
        for how, (value, error) in scores.items():
            out[f"pearson_{how}_{name}"] = _metric(value, "1", error)
        gap = np.abs(t - g).mean(2)
        out[f"mae_{name}"] = _metric(gap.mean(0), unit, error_of_mean(gap))
        for how, ceiling in zip(scores, ceilings.get(kind, ()), strict=False):
            out[f"ceiling_{how}_{name}"] = metric(ceiling, "1")
        for (how, (value, error)), ceiling in zip(scores.items(), ceilings.get(kind, ()), strict=False):
            most = np.where(ceiling > 0, ceiling, np.inf)  # nothing to reach, nothing reached
            out[f"share_{how}_{name}"] = _metric(value / most, "1", None if error is None else error / most)
    out |= calibration_scores(predictions, frames)
    for which, pairs in (("true", true_pairs(frames)), ("predicted", predicted_pairs(frames, guess))):
        chi = pairs.susceptibility()
        out[f"chi_{which}"] = _metric(chi.mean(0), "1", error_of_mean(chi))
    return out


def pooled_pearson(truth: np.ndarray, guess: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the correlation over all configurations `[times]`, and its error; 0 for a constant guess.

    Args:
        truth, guess: `[configurations, times, particles]`.
    """
    x = truth - truth.mean((0, 2), keepdims=True)  # sums of small numbers keep their digits
    y = guess - guess.mean((0, 2), keepdims=True)
    sums = np.stack([v.mean(2) for v in (x, y, x * x, y * y, x * y)], axis=1)

    def correlation(weights: np.ndarray) -> np.ndarray:
        mx, my, xx, yy, xy = np.moveaxis(np.tensordot(weights, sums, 1) / weights.sum(1)[:, None, None], 1, 0)
        norm = np.sqrt(np.maximum((xx - mx * mx) * (yy - my * my), 0))
        # a guess that is constant but for round-off has no correlation
        varies = norm > 1e-12 * np.sqrt(xx.max() * (guess**2).mean())
        return np.divide(xy - mx * my, norm, out=np.zeros_like(norm), where=varies)

    return correlation(np.ones((1, len(sums))))[0], bootstrap_error(correlation, len(sums))


def _metric(value: np.ndarray, unit: str, error: np.ndarray | None) -> Metric:
    return metric(value, unit, None if error is None else error.tolist())
