"""Free-energy surfaces of two samples beside each other, with errors and with what chance alone gives.

F = −ln p in kT, by histograms. A sample comes in blocks (independent runs or replicas, or stretches of them),
and errors come from drawing blocks anew with replacement: frames of a block are copies of each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from zoo.analysis.histograms import jensen_shannon

#: Bins along each axis of a histogram in one and in two dimensions.
BINS = {1: 60, 2: 24}
#: Surfaces are compared where the reference is below this many kT …
CEILING = 4.0
#: … and has at least so many frames in the bin; a single frame has an error of 1 kT.
RESOLVED = 10.0
#: Added to each bin's count, so that a bin without frames has a free energy.
PSEUDO = 0.5
#: Samples drawn anew for errors and floors.
RESAMPLES = 100


@dataclass(frozen=True)
class Difference:
    """How far a sample is from the reference.

    Args:
        js, js_error, js_floor: Jensen-Shannon divergence, nats. The floor is what a perfect model would have:
            that of two samples like the reference's, one of them with as few frames as the model has.
        rmsd, rmsd_error, rmsd_floor: root mean square difference of the free energies, kT.
        bins: compared by rmsd.
        outside: share of the sample in bins where the reference never is; rmsd does not see them.
    """

    js: float
    js_error: float
    js_floor: float
    rmsd: float
    rmsd_error: float
    rmsd_floor: float
    bins: int
    outside: float


@dataclass(frozen=True)
class Grid:
    """Bins of one or two numbers.

    Args:
        low, high: `[d]` ends; what lies beyond counts in the outermost bins, or goes round.
        bins: along each axis.
        periodic: `[d]` whether an axis closes.
    """

    low: np.ndarray
    high: np.ndarray
    bins: int
    periodic: tuple[bool, ...]

    def index(self, values: np.ndarray) -> np.ndarray:
        """Number of the bin of values `[n, d]`, `[n]`, the last axis fastest."""
        span = np.where(self.high > self.low, self.high - self.low, 1.0)
        place = np.floor((np.asarray(values, np.float64) - self.low) / span * self.bins).astype(np.int64)
        columns = [
            c % self.bins if closed else np.clip(c, 0, self.bins - 1)
            for c, closed in zip(place.T, self.periodic, strict=True)
        ]
        return np.ravel_multi_index(tuple(columns), (self.bins,) * len(columns))

    @property
    def centers(self) -> np.ndarray:
        """`[d, bins]` middles of the bins."""
        share = (np.arange(self.bins) + 0.5) / self.bins
        return self.low[:, None] + (self.high - self.low)[:, None] * share


def grid(reference: np.ndarray, periods: Sequence[float | None], bins: int | None = None) -> Grid:
    """Return bins for values like `reference [n, d]`: a period, or the range and a tenth more each side."""
    low, high = reference.min(0).astype(np.float64), reference.max(0).astype(np.float64)
    margin = 0.1 * (high - low)
    low, high = low - margin, high + margin
    for axis, period in enumerate(periods):
        if period is not None:
            low[axis], high[axis] = -period / 2, period / 2
    return Grid(low, high, bins or BINS[len(low)], tuple(p is not None for p in periods))


def block_counts(
    values: np.ndarray, blocks: np.ndarray, on: Grid, weights: np.ndarray | None = None
) -> np.ndarray:
    """Return histograms `[blocks, bins^d]` of values `[n, d]`, one for each block.

    Args:
        values: `[n, d]`.
        blocks: `[n]` which block each value belongs to.
        on: the bins.
        weights: `[n]`; brought to mean 1.
    """
    _, number = np.unique(blocks, return_inverse=True)
    size = on.bins ** values.shape[1]
    if weights is not None:
        weights = weights / weights.mean()
    cells = number * size + on.index(values)
    return np.bincount(cells, weights, (int(number.max()) + 1) * size).reshape(-1, size).astype(np.float64)


def free_energy(counts: np.ndarray) -> np.ndarray:
    """Return −ln of shares, in kT, 0 at the lowest; a bin without counts is taken as half a count."""
    f = -np.log((counts + PSEUDO) / (counts + PSEUDO).sum())
    return f - f.min()


def compared_bins(reference: np.ndarray) -> np.ndarray:
    """Return where counts `[bins]` of the reference carry a free energy to compare with; see `CEILING`."""
    f = -np.log(np.maximum(reference, np.finfo(float).tiny) / max(float(reference.max()), 1.0))
    return (f < CEILING) & (reference >= RESOLVED)


def surface_rmsd(reference: np.ndarray, model: np.ndarray, bins: np.ndarray) -> float:
    """Return the root mean square difference of the free energies in kT over `bins`.

    Both are first shifted to the same mean, weighted by the reference: a free energy has no zero, and the
    rare bins should not decide where it is.

    Args:
        reference, model: counts `[bins]`.
        bins: which to compare, as `compared_bins` gives.
    """
    if not bins.any():
        return float("nan")
    gap = free_energy(model)[bins] - free_energy(reference)[bins]
    weight = (
        reference[bins] / reference[bins].sum() if reference[bins].sum() else np.full(len(gap), 1 / len(gap))
    )
    return float(np.sqrt(np.mean((gap - weight @ gap) ** 2)))


def compare(reference: np.ndarray, model: np.ndarray, seed: int = 0) -> Difference:
    """Compare histograms of blocks.

    Args:
        reference, model: `[blocks, bins]`, as `block_counts` gives on one grid.
        seed: of the errors.
    """
    p, q = reference.sum(0), model.sum(0)
    bins = compared_bins(p)

    def js(a: np.ndarray, b: np.ndarray) -> float:
        return jensen_shannon(a / max(a.sum(), 1e-300), b / max(b.sum(), 1e-300))

    def rmsd(a: np.ndarray, b: np.ndarray) -> float:
        return surface_rmsd(a, b, bins)

    rng = np.random.default_rng(seed)
    pairs = [
        (_redrawn(reference, rng), _thinned(_redrawn(reference, rng), q.sum(), rng)) for _ in range(RESAMPLES)
    ]
    models = [_redrawn(model, rng) for _ in range(RESAMPLES)]
    found = []
    for measure in (js, rmsd):
        error = float(np.std([measure(p, m) for m in models])) if len(model) > 1 else float("nan")
        floor = float(np.mean([measure(a, b) for a, b in pairs])) if len(reference) > 1 else float("nan")
        found.append((measure(p, q), error, floor))
    return Difference(*found[0], *found[1], int(bins.sum()), float(q[p == 0].sum() / q.sum()))


def _redrawn(blocks: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Counts of as many blocks, drawn with replacement."""
    times = rng.multinomial(len(blocks), np.full(len(blocks), 1 / len(blocks)))
    return times @ blocks


def _thinned(counts: np.ndarray, frames: float, rng: np.random.Generator) -> np.ndarray:
    """Counts of so many frames drawn from a histogram; itself where it has no more."""
    total = counts.sum()
    return counts if frames >= total else rng.multinomial(int(frames), counts / total).astype(np.float64)


def blocks_of(run: np.ndarray, least: int = 8) -> np.ndarray:
    """Return `[frames]` block of each frame: whole runs, cut in time where there are fewer than `least`."""
    runs = np.unique(run)
    cuts = -(-least // len(runs))
    out = np.zeros(len(run), np.int64)
    number = 0
    for r in runs:
        for part in np.array_split(np.flatnonzero(run == r), cuts):
            out[part] = number
            number += 1
    return out
