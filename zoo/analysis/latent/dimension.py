"""How many numbers a latent space really uses: participation ratio and TwoNN.

E. Facco, M. d'Errico, A. Rodriguez, A. Laio, Sci. Rep. 7, 12140 (2017).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from zoo.analysis.bootstrap import bootstrap_error
from zoo.errors import DataError

#: Share of the largest ratios that TwoNN leaves out, where the density is no longer even (Facco et al.).
DISCARDED = 0.1
#: Fewest points that TwoNN is fitted to.
FEWEST = 20
#: Shares of the points that the scale is changed by.
SHARES = (1.0, 0.5, 0.25, 0.125)
#: Resamplings of TwoNN.
DRAWS = 200


def spectrum(values: np.ndarray) -> np.ndarray:
    """Return the eigenvalues of the covariance of `values [n, d]`, falling, `[d]`."""
    x = _points(values)
    x = x - x.mean(0)
    return np.linalg.svd(x, compute_uv=False) ** 2 / len(x) if len(x) >= x.shape[1] else _padded(x)


def participation_ratio(values: np.ndarray, blocks: np.ndarray) -> tuple[float, float | None]:
    """Return (Σλ)²/Σλ² of the eigenvalues λ of the covariance, and its bootstrap error over blocks.

    Between 1 (all variance along one direction) and d (the same along all). NaN where nothing varies.

    Args:
        values: `[n, d]`.
        blocks: `[n]` number of the independent block that each row belongs to; None is returned for the
            error of fewer than three blocks.

    Raises:
        DataError: a value is not finite.
    """
    x = _points(values)
    x = x - x.mean(0)  # for precision alone
    _, number = np.unique(blocks, return_inverse=True)
    parts = [x[number == b] for b in range(int(number.max()) + 1)]
    count = np.array([float(len(p)) for p in parts])
    first = np.array([p.sum(0) for p in parts])
    second = np.array([(p.T @ p).ravel() for p in parts])

    def ratio(weights: np.ndarray) -> np.ndarray:
        total = weights @ count
        mean = weights @ first / total[:, None]
        out = np.empty(len(weights))
        for i, w in enumerate(weights):
            c = (w @ second).reshape(x.shape[1], -1) / total[i] - np.outer(mean[i], mean[i])
            square = float((c * c).sum())
            out[i] = np.trace(c) ** 2 / square if square > 0 else np.nan
        return out

    error = bootstrap_error(ratio, len(parts), draws=DRAWS)
    return float(ratio(np.ones((1, len(parts))))[0]), None if error is None else float(error)


@dataclass(frozen=True)
class TwoNN:
    """Intrinsic dimension from the ratio of the distances to the two nearest neighbours.

    Args:
        dimension: slope of −ln(1 − F) against ln μ.
        error: standard error by bootstrap over blocks; NaN for fewer than three.
        log_ratio: `[n]` ln μ = ln r₂/r₁, rising.
        fitted: number of the smallest ratios that the slope is taken from.
        points: number of points, without those that coincide with another.
    """

    dimension: float
    error: float
    log_ratio: np.ndarray
    fitted: int
    points: int

    @property
    def cumulative(self) -> np.ndarray:
        """−ln(1 − F) `[n − 1]` of all ratios but the largest, whose F is 1."""
        n = len(self.log_ratio)
        return -np.log1p(-np.arange(1, n) / n)


def two_nn(values: np.ndarray, blocks: np.ndarray | None = None, *, seed: int = 0) -> TwoNN:
    """Estimate the dimension of the manifold that points lie on.

    Where the density is even over the distance to the second neighbour, P(μ) = d μ^(−d−1). Points that
    coincide with another are left out. In time series whose frames follow each other closely the nearest
    neighbours are a frame's own past and future, and the estimate is that of a line: thin them
    (`decimated` shows it).

    Args:
        values: `[n, d]`, columns in units that are to count alike.
        blocks: `[n]` independent block of each point, for the error; None: each point is one.
        seed: of the bootstrap.

    Raises:
        DataError: a value is not finite, or fewer than 20 different points.
    """
    x = _points(values)
    if len(x) < FEWEST:
        raise DataError(f"TwoNN takes {FEWEST} points or more, got {len(x)}")
    near = cKDTree(x).query(x, 3)[0][:, 1:]
    good = near[:, 0] > 0
    if good.sum() < FEWEST:
        raise DataError(f"TwoNN takes {FEWEST} different points or more, got {int(good.sum())}")
    log_ratio = np.log(near[good, 1] / near[good, 0])
    blocks = np.arange(len(x)) if blocks is None else np.asarray(blocks)
    _, number = np.unique(blocks[good], return_inverse=True)

    def slopes(weights: np.ndarray) -> np.ndarray:
        return np.array([_slope(np.repeat(log_ratio, w.astype(int)[number])) for w in weights])

    error = bootstrap_error(slopes, int(number.max()) + 1, draws=DRAWS, seed=seed)
    order = np.sort(log_ratio)
    return TwoNN(
        _slope(log_ratio), np.nan if error is None else float(error), order,
        int((1 - DISCARDED) * len(order)), len(order),
    )  # fmt: skip


def decimated(
    values: np.ndarray, blocks: np.ndarray | None = None, *, shares: Sequence[float] = SHARES, seed: int = 0
) -> list[TwoNN]:
    """Return TwoNN of ever smaller random shares of the points: the dimension at ever larger scale.

    A dimension that falls with fewer points is that of noise at small scale; a plateau is the answer.

    Raises:
        DataError: too few points for any share.
    """
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(values))
    out = []
    for share in shares:
        rows = np.sort(order[: round(share * len(values))])
        if len(rows) >= FEWEST:
            out.append(two_nn(values[rows], None if blocks is None else blocks[rows], seed=seed))
    if not out:
        raise DataError(f"{len(values)} points are too few for a dimension: take {FEWEST} or more")
    return out


def _slope(log_ratio: np.ndarray) -> float:
    """Of the line through the origin, by least squares over the smaller ratios."""
    x = np.sort(log_ratio)
    n = len(x)
    keep = max(1, int((1 - DISCARDED) * n))
    y = -np.log1p(-np.arange(1, keep + 1) / n)
    square = float((x[:keep] ** 2).sum())
    return float((x[:keep] * y).sum()) / square if square > 0 else np.nan


def _points(values: np.ndarray) -> np.ndarray:
    x = np.asarray(values, np.float64)
    if x.ndim != 2:
        raise DataError(f"points are [n, d], got an array of shape {x.shape}")
    bad = ~np.isfinite(x).all(1)
    if bad.any():
        raise DataError(
            f"{int(bad.sum())} of {len(x)} points are not finite, first in row {int(bad.argmax())}"
        )
    return x


def _padded(x: np.ndarray) -> np.ndarray:
    found = np.linalg.svd(x, compute_uv=False) ** 2 / len(x)
    return np.concatenate([found, np.zeros(x.shape[1] - len(found))])
