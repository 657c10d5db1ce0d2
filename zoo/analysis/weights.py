"""Scores of importance weights: effective sample size, bounds, the partition function."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zoo.analysis.averages import mean_and_error

#: Share of the largest weights that are clipped, as Schopmans and Friederich (TA-BG, 2025) do.
CLIP = 1e-4


def log_weights(
    energy: np.ndarray, log_volume: np.ndarray | float, log_prob: np.ndarray, kT: float
) -> np.ndarray:
    """Return `[n]` −U/kT + log |dx/dq| − log q, which is log p̃/q; −∞ where the energy is infinite.

    Args:
        energy: `[n]` in the unit of kT.
        log_volume: `[n]` log |dx/dq|.
        log_prob: `[n]` density of the draws with respect to dq.
        kT: positive.
    """
    with np.errstate(invalid="ignore"):  # infinite energy where the density is 0
        value = log_volume - np.asarray(energy, np.float64) / kT - log_prob
    return np.where(np.isnan(value), -np.inf, value)


def normalised(log_w: np.ndarray) -> np.ndarray:
    """Return weights `[n]` with mean 1; all 0 where every log weight is −∞."""
    log_w = np.asarray(log_w, np.float64)
    top = log_w.max(initial=-np.inf)
    if not np.isfinite(top):
        return np.zeros(len(log_w))
    w = np.exp(log_w - top)
    return np.asarray(w / w.mean())


def ess(weights: np.ndarray) -> float:
    """Return Kish's effective sample size over n, (Σ w)² / (n Σ w²), between 0 and 1."""
    w = np.asarray(weights, np.float64)
    square = float((w**2).sum())
    return float(w.sum()) ** 2 / (len(w) * square) if square > 0 else 0.0


def clipped(weights: np.ndarray, share: float = CLIP) -> np.ndarray:
    """Return weights with the largest `share` of them set to the least of these; mean no longer 1.

    Below 1/share weights there is nothing to clip.
    """
    w = np.asarray(weights, np.float64)
    count = int(len(w) * share)
    return w if count == 0 else np.minimum(w, np.partition(w, -count)[-count])


@dataclass(frozen=True)
class WeightScores:
    """What the weights of a model's own draws say; logarithms are natural, no units.

    Args:
        draws: n.
        ess, ess_clipped: effective sample size over n, of all weights and with the largest clipped.
        ess_error: standard error of `ess` from its spread over ten blocks of draws. Rare large weights
            that no block holds are not in it.
        largest: share of the largest weight in the sum.
        elbo, elbo_error: mean of log w, a lower bound of log Z, over draws of finite energy.
        outside: share of the draws that have weight 0; with any of them the ELBO proper is −∞.
        log_z, log_z_error: log of the mean weight; its error to first order (delta method).
    """

    draws: int
    ess: float
    ess_error: float
    ess_clipped: float
    largest: float
    elbo: float
    elbo_error: float
    outside: float
    log_z: float
    log_z_error: float


def weight_scores(log_w: np.ndarray, blocks: int = 10) -> WeightScores:
    """Score log weights `[n]` of independent draws.

    Raises:
        ValueError: there are fewer draws than blocks.
    """
    log_w = np.asarray(log_w, np.float64)
    n = len(log_w)
    if n < blocks:
        raise ValueError(f"{n} draws are too few for {blocks} blocks")
    w = normalised(log_w)
    each = [ess(normalised(part)) for part in np.array_split(log_w, blocks)]
    finite = log_w[np.isfinite(log_w)]
    whole = ess(w)
    known = len(finite) > 1
    return WeightScores(
        draws=n,
        ess=whole,
        ess_error=float(np.std(each, ddof=1) / np.sqrt(blocks)),
        ess_clipped=ess(clipped(w)),
        largest=float(w.max() / n),
        elbo=float(finite.mean()) if known else -np.inf,
        elbo_error=float(finite.std(ddof=1) / np.sqrt(len(finite))) if known else np.inf,
        outside=1 - len(finite) / n,
        log_z=float(finite.max() + np.log(np.exp(finite - finite.max()).sum() / n)) if known else -np.inf,
        log_z_error=float(np.sqrt((1 / whole - 1) / n)) if whole > 0 else np.inf,
    )


def over_reference(values: np.ndarray, run: np.ndarray | None = None) -> tuple[float, float, float]:
    """Return mean, standard error, and share left out, of a score on reference frames.

    With log weights the mean is the EUBO, an upper bound of log Z; with −log q the negative
    log-likelihood. Frames where the model's density is 0 are left out; with any of them both are +∞.

    Args:
        values: `[frames]`.
        run: `[frames]` number of the independent run; None: frames are independent.
    """
    values = np.asarray(values, np.float64)
    good = np.isfinite(values)
    if good.sum() < 2:
        return np.inf, np.inf, float(1 - good.mean())
    run = np.arange(len(values)) if run is None else run
    mean, error = mean_and_error(values[good], run[good])
    return mean, error, float(1 - good.mean())
