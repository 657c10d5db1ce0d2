"""Mutual information between latents and observables, beside what chance alone gives.

A. Kraskov, H. Stögbauer, P. Grassberger, Phys. Rev. E 69, 066138 (2004), estimator 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree
from scipy.special import digamma, ndtri

from zoo.errors import DataError

#: Neighbours that the estimator counts up to.
NEIGHBORS = 3
#: Shuffled copies that the null is made of.
NULLS = 20
#: Groups that are left out in turn for the error.
GROUPS = 10
#: Size of the noise that tells equal angles apart, in periods.
TIE = 1e-10


@dataclass(frozen=True)
class Information:
    """Mutual information in nats.

    Args:
        value: the estimate.
        error: of the estimate, by leaving out groups of blocks in turn.
        nulls: `[nulls]` estimates with one side shuffled: what chance gives.
    """

    value: float
    error: float
    nulls: np.ndarray

    @property
    def null(self) -> float:
        """Mean of the nulls."""
        return float(self.nulls.mean())

    @property
    def null_high(self) -> float:
        """Value that 95 % of the nulls stay below."""
        return float(np.quantile(self.nulls, 0.95))

    @property
    def score(self) -> float:
        """How many standard deviations of the nulls the value lies above them."""
        return (self.value - self.null) / max(float(self.nulls.std(ddof=1)), 1e-12)


def mutual_information(
    x: np.ndarray,
    y: np.ndarray,
    *,
    x_periods: Sequence[float | None] | None = None,
    y_periods: Sequence[float | None] | None = None,
    neighbors: int = NEIGHBORS,
    seed: int = 0,
) -> float:
    """Estimate I(x; y) in nats; about 0 (perhaps below) where they are independent.

    Plain columns are first replaced by normal scores of their ranks, which changes no mutual information
    and makes the estimate independent of units and outliers; periodic ones are measured along the circle.
    Equal values are ordered at random, so that a column of few distinct ones is underestimated at worst.

    Args:
        x, y: `[n]` or `[n, d]`.
        x_periods, y_periods: of each column; None of a plain one.
        neighbors: k of the estimator: fewer are noisier and less biased.
        seed: of the order of equal values.

    Raises:
        DataError: lengths differ, too few rows, or a value is not finite.
    """
    rng = np.random.default_rng(seed)
    return _estimate(_space(x, x_periods, rng), _space(y, y_periods, rng), neighbors)


def information(
    x: np.ndarray,
    y: np.ndarray,
    blocks: np.ndarray,
    *,
    x_periods: Sequence[float | None] | None = None,
    y_periods: Sequence[float | None] | None = None,
    free: bool = False,
    nulls: int = NULLS,
    seed: int = 0,
) -> Information:
    """Estimate I(x; y) with an error and nulls that know of correlated frames.

    The nulls keep the order within each block and exchange whole blocks of y, so that what slow motion
    alone makes of two independent series stays in them.

    Args:
        x, y, x_periods, y_periods: see `mutual_information`.
        blocks: `[n]` block of time of each row, longer than the correlation.
        free: exchange single rows instead: samples that are not ordered in time.
        nulls: how many.
        seed: of shuffles and of the order of equal values.
    """
    rng = np.random.default_rng(seed)
    a, b = _space(x, x_periods, rng), _space(y, y_periods, rng)
    value = _estimate(a, b, NEIGHBORS)
    shuffled = [_estimate(a, b.rows(o), NEIGHBORS) for o in shuffles(blocks, nulls, seed, free=free)]
    group = _groups(blocks)
    left = [_estimate(a.rows(group != g), b.rows(group != g), NEIGHBORS) for g in range(int(group.max()) + 1)]
    n = len(left)
    # jackknife
    error = float(np.sqrt((n - 1) / n * np.sum((np.array(left) - np.mean(left)) ** 2))) if n > 2 else np.nan
    return Information(value, error, np.array(shuffled))


def shuffles(blocks: np.ndarray, nulls: int, seed: int, *, free: bool = False) -> list[np.ndarray]:
    """Return the orders `[n]` of rows that `information` makes its nulls of, the same for all columns."""
    rng = np.random.default_rng((seed, 1))
    return [shuffled_order(blocks, rng, free=free) for _ in range(nulls)]


def shuffled_order(blocks: np.ndarray, rng: np.random.Generator, *, free: bool = False) -> np.ndarray:
    """Return `[n]` row numbers with whole blocks in random order, or single rows where `free`."""
    if free:
        return rng.permutation(len(blocks))
    parts = [np.flatnonzero(blocks == b) for b in np.unique(blocks)]
    order = np.concatenate([parts[i] for i in rng.permutation(len(parts))])
    # blocks that have been exchanged may lie at a common offset: a turn of the whole mixes these as well
    return np.roll(order, int(rng.integers(len(order))))


class _Space:
    """Points with the maximum norm, some axes of which are circles."""

    def __init__(self, points: np.ndarray, periods: np.ndarray) -> None:
        self.points, self.periods = points, periods

    def rows(self, which: np.ndarray) -> _Space:
        return _Space(self.points[which], self.periods)

    def within(self, radius: np.ndarray) -> np.ndarray:
        """How many other points are nearer than `radius [n]`."""
        if self.points.shape[1] == 1 and not self.periods[0]:
            x = self.points[:, 0]
            line = np.sort(x)
            inside = np.searchsorted(line, x + radius, "left") - np.searchsorted(line, x - radius, "right")
            return np.maximum(inside - 1, 0)
        tree = cKDTree(self.points, boxsize=self.periods)
        below = np.nextafter(radius, 0)
        return tree.query_ball_point(self.points, below, p=np.inf, return_length=True) - 1


def _space(values: np.ndarray, periods: Sequence[float | None] | None, rng: np.random.Generator) -> _Space:
    x = np.asarray(values, np.float64)
    x = x[:, None] if x.ndim == 1 else x
    if not np.isfinite(x).all():
        row = int((~np.isfinite(x).all(1)).argmax())
        raise DataError(f"mutual information of values that are not finite, first in row {row}")
    known = [None] * x.shape[1] if periods is None else list(periods)
    columns = []
    for column, period in zip(x.T, known, strict=True):
        if period is None:
            rank = np.lexsort((rng.random(len(column)), column)).argsort()  # equal values in random order
            columns.append(ndtri((rank + 0.5) / len(column)))
        else:
            turned = np.mod(column + TIE * period * rng.standard_normal(len(column)), period)
            columns.append(np.where(turned >= period, 0.0, turned))  # rounding up to the period itself
    return _Space(np.stack(columns, 1), np.array([p or 0.0 for p in known]))


def _estimate(a: _Space, b: _Space, k: int) -> float:
    n = len(a.points)
    if n != len(b.points):
        raise DataError(f"mutual information of {n} and {len(b.points)} values")
    if n <= 2 * k:
        raise DataError(f"mutual information takes more than {2 * k} samples, got {n}")
    joint = cKDTree(np.concatenate([a.points, b.points], 1), boxsize=np.concatenate([a.periods, b.periods]))
    radius = joint.query(joint.data, k + 1, p=np.inf)[0][:, -1]
    counts = digamma(a.within(radius) + 1) + digamma(b.within(radius) + 1)
    return float(digamma(k) + digamma(n) - counts.mean())


def _groups(blocks: np.ndarray) -> np.ndarray:
    """Group of each row `[n]`: neighbouring blocks together, `GROUPS` of them at most."""
    _, number = np.unique(blocks, return_inverse=True)
    count = int(number.max()) + 1
    return number * min(count, GROUPS) // count
