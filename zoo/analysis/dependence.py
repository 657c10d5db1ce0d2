"""How far one number is a function of another: the correlation ratio, which needs no straight line."""

from __future__ import annotations

import numpy as np

from zoo.analysis.bootstrap import bootstrap_error
from zoo.analysis.dynamics import Estimate
from zoo.analysis.free_energy import Grid, blocks_of

#: Bins of the number that is given.
BINS = 24


def correlation_ratio(
    y: np.ndarray, x: np.ndarray, run: np.ndarray, period: float | None = None, bins: int = BINS
) -> Estimate:
    """Return η² = var ⟨y|x⟩ / var y: the share of y's variance that x explains, whatever the function.

    1 where y is a function of x, 0 where x says nothing of its mean; bins that few frames are in add about
    bins / frames to it. K. Pearson (1905). The error is a bootstrap over runs, or stretches of them.

    Args:
        y: `[frames]`.
        x: `[frames]`, binned at its quantiles, or evenly where it has a period.
        run: `[frames]` number of the independent run.
        period: of x, such as 2π; x is then within half a period of 0.
        bins: of x.
    """
    cells = _bins(x, period, bins)
    blocks = np.unique(blocks_of(run), return_inverse=True)[1]
    y = np.asarray(y, np.float64) - np.mean(y)
    size = (int(blocks.max()) + 1, bins)
    index = blocks * bins + cells
    moments = [np.bincount(index, w, size[0] * size[1]).reshape(size) for w in (np.ones_like(y), y)]
    squares = np.bincount(blocks, y**2)

    def ratio(w: np.ndarray) -> np.ndarray:
        count, total, square = w @ moments[0], w @ moments[1], w @ squares
        n = count.sum(1)
        mean = total.sum(1) / n
        explained = (total**2 / np.maximum(count, 1e-300)).sum(1) / n - mean**2
        return np.asarray(explained / np.maximum(square / n - mean**2, 1e-300))

    error = bootstrap_error(ratio, size[0], draws=200)
    value = float(ratio(np.ones((1, size[0])))[0])
    return Estimate(value, float("nan") if error is None else float(error))


def exchanged(values: np.ndarray, run: np.ndarray) -> np.ndarray:
    """Return `[frames]` values of the next run in place of a run's own: what chance alone would give.

    Within a run frames stay in order, so that the null has the data's correlation in time. A single run is
    shifted by half its length.
    """
    runs = np.unique(run)
    out = np.empty_like(values)
    for own, other in zip(runs, np.roll(runs, -1), strict=True):
        place, source = np.flatnonzero(run == own), np.flatnonzero(run == other)
        if len(runs) == 1:
            source = np.roll(source, len(source) // 2)
        out[place] = values[np.resize(source, len(place))]
    return out


def _bins(x: np.ndarray, period: float | None, bins: int) -> np.ndarray:
    x = np.asarray(x, np.float64)
    if period is None:
        edges = np.quantile(x, np.linspace(0, 1, bins + 1)[1:-1])
        return np.searchsorted(edges, x, side="right")
    half = np.array([period / 2])
    return Grid(-half, half, bins, (True,)).index(x[:, None])
