"""Slow coordinates: time-lagged independent component analysis and implied time scales.

G. Pérez-Hernández et al., J. Chem. Phys. 139, 015102 (2013); C. R. Schwantes, V. S. Pande, J. Chem. Theory
Comput. 9, 2000 (2013). Time series are given as independent runs, each `[frames, k]`, equally spaced in time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from zoo.errors import DataError

#: Directions of less than this share of the largest variance are left out.
RANK = 1e-8


@dataclass(frozen=True)
class Tica:
    """Coordinates by falling autocorrelation at the lag.

    Args:
        mean: `[k]`.
        vectors: `[k, m]`; projections have unit variance and are uncorrelated.
        eigenvalues: `[m]` autocorrelation of each at the lag, falling.
        lag: frames.
    """

    mean: np.ndarray
    vectors: np.ndarray
    eigenvalues: np.ndarray
    lag: int

    def project(self, values: np.ndarray) -> np.ndarray:
        """`[frames, k]` → `[frames, m]`."""
        return (values - self.mean) @ self.vectors

    @property
    def timescales(self) -> np.ndarray:
        """−lag / ln λ `[m]` in frames; 0 where nothing is left of the correlation."""
        inside = np.clip(self.eigenvalues, 0, 1 - 1e-12)
        with np.errstate(divide="ignore"):
            return np.where(inside > 0, -self.lag / np.log(inside), 0.0)


def tica(runs: Sequence[np.ndarray], lag: int, dimension: int | None = None) -> Tica:
    """Fit to time series, as of a reversible process: both directions of time count alike.

    Args:
        runs: each `[frames, k]`.
        lag: frames, at least 1.
        dimension: coordinates to keep; None: all.

    Raises:
        DataError: no run is longer than the lag, or nothing varies.
    """
    pairs = [(r[:-lag], r[lag:]) for r in (np.asarray(r, np.float64) for r in runs) if len(r) > lag]
    if not pairs:
        raise DataError(f"no run is longer than a lag of {lag} frames")
    frames = 2 * sum(len(a) for a, _ in pairs)
    mean = sum(a.sum(0) + b.sum(0) for a, b in pairs) / frames
    moved = [(a - mean, b - mean) for a, b in pairs]
    covariance = np.sum([a.T @ a + b.T @ b for a, b in moved], axis=0) / frames
    lagged = np.sum([a.T @ b for a, b in moved], axis=0) / (frames / 2)
    values, vectors = np.linalg.eigh(covariance)
    keep = values > RANK * max(float(values[-1]), np.finfo(float).tiny)
    if not keep.any():
        raise DataError("nothing varies along the runs: there are no slow coordinates")
    white = vectors[:, keep] / np.sqrt(values[keep])
    eigenvalues, turn = np.linalg.eigh(white.T @ (lagged + lagged.T) @ white / 2)
    order = np.argsort(eigenvalues)[::-1][:dimension]
    return Tica(mean, white @ turn[:, order], eigenvalues[order], lag)


def implied_timescales(runs: Sequence[np.ndarray], lags: Sequence[int], count: int = 1) -> np.ndarray:
    """Return the `count` slowest implied time scales `[lags, count]` in frames; NaN where there are none.

    They grow with the lag towards the true ones, and level off where the coordinates resolve the process.
    """
    out = np.full((len(lags), count), np.nan)
    for row, lag in zip(out, lags, strict=True):
        if any(len(r) > lag for r in runs):
            found = tica(runs, lag, count).timescales
            row[: len(found)] = found
    return out
