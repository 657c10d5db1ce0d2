"""How a model moves beside the reference: displacements, correlation times, the ratio of their clocks.

Time series come as independent runs, each `[frames, …]`, equally spaced in time; lags count frames.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from zoo.analysis.polymers import decay_time, displacement_squared, rouse_modes
from zoo.analysis.tica import tica

#: Width of the window of an integrated correlation time, in that time (Sokal).
WINDOW = 5.0
#: Sets of runs drawn anew for errors.
RESAMPLES = 50


@dataclass(frozen=True)
class Estimate:
    """A number with its standard error."""

    value: float
    error: float


@dataclass(frozen=True)
class Displacement:
    """Mean square displacements, length².

    Args:
        lags: `[lags]` frames.
        center: `[lags]` of the centre of mass.
        internal: `[lags]` of the particles relative to it, mean over particles.
    """

    lags: np.ndarray
    center: np.ndarray
    internal: np.ndarray


def mean_square_displacement(
    runs: Sequence[np.ndarray], lags: Iterable[int], masses: np.ndarray | None = None
) -> Displacement:
    """Return the mean square displacements over all runs that are longer than the lag; NaN where none is.

    Args:
        runs: each `[frames, particles, 3]`, not wrapped.
        lags: frames.
        masses: `[particles]` of the centre; None: equal.
    """
    lags = np.array(list(lags))
    out = np.full((2, len(lags)), np.nan)
    split = []
    for run in runs:
        x = np.asarray(run, np.float64)
        center = np.average(x, axis=1, weights=masses)
        split.append((center, x - center[:, None]))
    for column, lag in enumerate(lags):
        for row, parts in enumerate(zip(*split, strict=True)):
            moved = [displacement_squared(p, int(lag)) for p in parts if len(p) > lag]
            if moved:
                out[row, column] = np.concatenate(moved).mean()
    return Displacement(lags, out[0], out[1])


def autocorrelation(runs: Sequence[np.ndarray], lags: int) -> np.ndarray:
    """Return `[lags + 1]` ⟨δa(t)·δa(0)⟩ / ⟨δa²⟩ of runs `[frames]` or `[frames, k]`.

    The mean is that of all runs: a run that never leaves its basin still tells of the others. Lags beyond
    every run are left out.
    """
    series = [np.asarray(r, np.float64).reshape(len(r), -1) for r in runs]
    mean = np.concatenate(series).mean(0)
    return _correlation([s - mean for s in series], lags, normalised=True)


def _correlation(series: Sequence[np.ndarray], lags: int, *, normalised: bool) -> np.ndarray:
    """Mean of a(t)·a(t + lag) over all times of all runs, by Fourier transforms; no mean is subtracted."""
    lags = min(lags, max(len(s) for s in series) - 1)
    total, pairs = np.zeros(lags + 1), np.zeros(lags + 1)
    for s in series:
        n, top = len(s), min(lags, len(s) - 1)
        f = np.fft.rfft(s, 2 * n, axis=0)
        total[: top + 1] += np.fft.irfft(f * f.conj(), 2 * n, axis=0)[: top + 1].sum(1)
        pairs[: top + 1] += n - np.arange(top + 1)
    out = total / pairs
    return out / out[0] if normalised else out


def correlation_time(correlation: np.ndarray) -> float:
    """Return ½ + Σ C(k) in frames, k from 1 to five times the result; NaN where the data end before that.

    For C = exp(−k/τ) with τ ≫ 1 it is τ. The window is Sokal's (Functional Integration, 131 (1997)): longer
    sums add noise, not signal.
    """
    total = np.cumsum(correlation) - 0.5
    enough = np.flatnonzero(np.arange(len(total)) >= WINDOW * total)
    return float(total[enough[0]]) if len(enough) else float("nan")


def slowest_timescale(runs: Sequence[np.ndarray], lag: int, seed: int = 0) -> Estimate:
    """Return the slowest implied time scale in frames by TICA at a lag, its error by drawing runs anew.

    Args:
        runs: each `[frames, k]` of a few slow coordinates.
        lag: frames; longer ones have less bias and more noise.
        seed: of the error.

    Raises:
        DataError: no run is longer than the lag.
    """
    value = float(tica(runs, lag, 1).timescales[0])
    long = [r for r in runs if len(r) > lag]
    rng = np.random.default_rng(seed)
    drawn = [[long[i] for i in rng.integers(0, len(long), len(long))] for _ in range(RESAMPLES)]
    # of a time that may be seen hardly or not at all, the error that counts is relative
    found = np.array([tica(runs, lag, 1).timescales[0] for runs in drawn])
    return Estimate(value, float(found.std()) if len(long) > 1 else float("nan"))


def speed_up(reference: Estimate, model: Estimate) -> Estimate:
    """Return how many times faster the model's clock is, `reference / model`, both in one unit of time.

    A coarse model has less friction and smoother barriers: its slow processes take fewer ps. The ratio holds
    for the process that is slowest in both. The error is that of a ratio of independent numbers.
    """
    ratio = reference.value / model.value if model.value > 0 else float("nan")
    spread = np.hypot(reference.error / reference.value, model.error / model.value) if ratio > 0 else np.nan
    return Estimate(ratio, float(ratio * spread))


def rouse_relaxation(
    runs: Sequence[np.ndarray], ring: bool, modes: Iterable[int], lags: int
) -> list[float | None]:
    """Return the relaxation time of each Rouse mode in frames, from the decay of its correlation to 1/e.

    For an ideal chain of friction ζ and springs k: τ_p = ζ / (4 k sin²(π p / N)) of a ring, of a linear chain
    with π p / 2N (Doi, Edwards, The Theory of Polymer Dynamics (1986), 4.1). None where it lies outside the
    lags.

    Args:
        runs: each `[frames, beads, 3]`, beads along the chain.
        ring: closed or linear.
        modes: p, from 1 on.
        lags: frames.
    """
    out = []
    for p in modes:
        series = []
        for run in runs:
            x = rouse_modes(run, ring, [p])[:, 0]
            series.append(np.concatenate([x.real, x.imag], axis=1) if np.iscomplexobj(x) else x)
        correlation = _correlation(series, lags, normalised=True)
        out.append(decay_time(np.arange(len(correlation), dtype=float), correlation))
    return out
