"""Markov state models of discrete paths: time scales, metastable sets, the Chapman-Kolmogorov test.

J.-H. Prinz et al., J. Chem. Phys. 134, 174105 (2011); reversible estimation and PCCA+ by deeptime. Paths are
independent runs, each `[frames]` numbers of states, equally spaced in time; lags count frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from zoo.errors import DataError

#: Sets of runs drawn anew for errors.
RESAMPLES = 40
#: Time scales below this share of the lag are noise.
LEAST = 0.5
#: Share of a set's population that must be in known states for anything to be said of it.
KNOWN = 0.5
#: A model with a lesser share of the counts has lost states, and its time scales are of other processes.
WHOLE = 0.95
#: Share of the drawn sets of runs that must know a number for its error to be told: a process that one run
#: alone has seen both ways is in 63 % of them.
ENOUGH = 0.25


@dataclass(frozen=True)
class Markov:
    """A reversible Markov model of the largest set of states that lead to each other.

    Args:
        transition: `[active, active]` probabilities within the lag.
        stationary: `[active]` probabilities at equilibrium.
        active: `[active]` numbers of the states.
        share: of the counts that belong to these states.
        lag: frames.
    """

    transition: np.ndarray
    stationary: np.ndarray
    active: np.ndarray
    share: float
    lag: int

    @property
    def timescales(self) -> np.ndarray:
        """Implied time scales −lag / ln |λ| in frames, falling, without the stationary process."""
        root = np.sqrt(self.stationary)
        symmetric = root[:, None] * self.transition / root  # similar, and symmetric by detailed balance
        values = np.sort(np.abs(np.linalg.eigvalsh((symmetric + symmetric.T) / 2)))[::-1][1:]
        values = np.clip(values, np.finfo(float).tiny, 1 - 1e-12)
        return np.asarray(-self.lag / np.log(values))


def markov_model(paths: Sequence[np.ndarray], lag: int, states: int) -> Markov:
    """Estimate a reversible model by maximum likelihood from sliding counts.

    Args:
        paths: each `[frames]` numbers of states from 0.
        lag: frames, at least 1.
        states: number of states.

    Raises:
        DataError: no path is longer than the lag, or no two states lead to each other.
    """
    from deeptime.markov import TransitionCountEstimator
    from deeptime.markov.msm import MaximumLikelihoodMSM

    long = [np.asarray(p, np.int64) for p in paths if len(p) > lag]
    if not long:
        raise DataError(f"no run is longer than a lag of {lag} frames")
    counts = TransitionCountEstimator(lag, "sliding", n_states=states).fit_fetch(long)
    largest = counts.submodel_largest()
    if len(largest.state_symbols) < 2:
        raise DataError(f"at a lag of {lag} frames no two states lead to each other: no Markov model")
    model = MaximumLikelihoodMSM(reversible=True, maxiter=10_000).fit_fetch(largest)
    share = float(largest.count_matrix.sum() / counts.count_matrix.sum())
    return Markov(
        np.asarray(model.transition_matrix), np.asarray(model.stationary_distribution),
        np.asarray(largest.state_symbols), share, lag,
    )  # fmt: skip


def markov_timescales(
    paths: Sequence[np.ndarray], lags: Sequence[int], states: int, count: int, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Return implied time scales and their errors `[lags, count]` in frames, NaN where there are none.

    Errors are the spread over runs drawn anew, as far as these know the process; NaN of fewer than three
    runs, and where three in four of the drawn sets do not know it.
    """
    values = np.full((len(lags), count), np.nan)
    errors = np.full((len(lags), count), np.nan)
    for row, lag in enumerate(lags):
        values[row] = _timescales(paths, lag, states, count)
        drawn = [_timescales(p, lag, states, count) for p in resampled(paths, seed)]
        if drawn:
            known = np.isfinite(drawn).mean(0) > ENOUGH
            errors[row, known] = np.nanstd(np.array(drawn)[:, known], axis=0)
    return values, errors


@dataclass(frozen=True)
class ChapmanKolmogorov:
    """Predictions of a model beside what is seen at multiples of its lag.

    Args:
        lags: `[multiples]` frames.
        predicted, observed: `[multiples, sets, sets]` probability to be in the second set a time after
            having been in the first: by T(τ)^k, and by transitions counted at kτ. NaN where the runs tell
            nothing of it.
        error: `[multiples, sets, sets]` standard error of their difference, over runs drawn anew; there T is
            that of the counts alone, which also knows states that a drawn set never comes back to.
        populations: `[sets]` at equilibrium.
    """

    lags: np.ndarray
    predicted: np.ndarray
    observed: np.ndarray
    error: np.ndarray
    populations: np.ndarray

    @property
    def deviation(self) -> float:
        """Root mean square of predicted less observed beyond the first multiple, the model's own."""
        return _root_mean_square((self.predicted - self.observed)[1:])

    @property
    def floor(self) -> float:
        """What chance alone would give for `deviation`: the root mean square of the errors."""
        return _root_mean_square(self.error[1:])


def metastable_sets(model: Markov, sets: int) -> np.ndarray:
    """Return the set of each active state `[active]`, the most populated first: what holds longest.

    The largest membership by PCCA+ (S. Röblitz, M. Weber, Adv. Data Anal. Classif. 7, 147 (2013)); a set that
    is nowhere the largest does not occur.

    Args:
        model: of the states.
        sets: how many, at most the number of active states.
    """
    from deeptime.markov import pcca

    found = np.asarray(pcca(model.transition, sets).memberships).argmax(1)
    order = np.argsort(-np.bincount(found, model.stationary, sets), kind="stable")
    rank = np.argsort(order)
    return np.unique(rank[found], return_inverse=True)[1]


def chapman_kolmogorov(
    paths: Sequence[np.ndarray], model: Markov, sets: np.ndarray, states: int,
    multiples: Sequence[int] = (1, 2, 3, 4, 5), seed: int = 0,
) -> ChapmanKolmogorov:  # fmt: skip
    """Test whether what a model predicts for several lags is what is seen at such lags.

    Both start in a set with its states populated as at equilibrium, so that runs need not be at equilibrium.
    Multiples that no run is longer than are left out.

    Args:
        paths: what the model was estimated from.
        model: at the lag.
        sets: `[active]` set of each active state, see `metastable_sets`.
        states: number of states, those that are not active included.
        multiples: of the lag, rising from 1.
        seed: of the errors.

    Raises:
        DataError: the runs are shorter than two lags.
    """
    longest = max(len(p) for p in paths)
    lags = np.array([k * model.lag for k in multiples if k * model.lag < longest])
    if len(lags) < 2:
        raise DataError(f"a Chapman-Kolmogorov test at a lag of {model.lag} frames needs longer runs")
    member = np.zeros((states, int(sets.max()) + 1))
    member[model.active, sets] = 1
    start = np.zeros_like(member)
    start[model.active] = model.stationary[:, None] * member[model.active]
    populations = start.sum(0)
    start = start / populations
    powers = [np.linalg.matrix_power(model.transition, int(lag // model.lag)) for lag in lags]
    predicted = np.array([start[model.active].T @ p @ member[model.active] for p in powers])
    differences = [
        _multiplied(drawn, start, member, lags) - _observed(drawn, start, member, lags)
        for drawn in resampled(paths, seed)
    ]
    error = np.full_like(predicted, np.nan)
    if differences:
        known = np.isfinite(differences).mean(0) > ENOUGH
        error[known] = np.nanstd(np.array(differences)[:, known], axis=0)
    return ChapmanKolmogorov(lags, predicted, _observed(paths, start, member, lags), error, populations)


def crossings(paths: Sequence[np.ndarray], sets: int, stay: int) -> np.ndarray:
    """Return `[sets, 2]` how many runs come into each set from another one, and how many leave it.

    Args:
        paths: each `[frames]` numbers of sets from 0; −1 belongs to none.
        sets: number of sets.
        stay: frames that a visit has at least; shorter ones are excursions and do not count.
    """
    out = np.zeros((sets, 2), np.int64)
    for path in paths:
        known = path[path >= 0]
        ends = np.append(np.flatnonzero(np.diff(known)), len(known) - 1)
        visits = known[ends][np.diff(ends, prepend=-1) >= stay] if len(known) else known
        moves = np.flatnonzero(np.diff(visits))
        for column, place in enumerate((moves + 1, moves)):
            out[np.unique(visits[place]), column] += 1
    return out


def resampled(paths: Sequence[np.ndarray], seed: int) -> list[list[np.ndarray]]:
    """Return sets of as many runs, drawn with replacement; none of fewer than three runs."""
    if len(paths) < 3:
        return []
    rng = np.random.default_rng(seed)
    return [[paths[i] for i in rng.integers(0, len(paths), len(paths))] for _ in range(RESAMPLES)]


def _timescales(paths: Sequence[np.ndarray], lag: int, states: int, count: int) -> np.ndarray:
    out = np.full(count, np.nan)
    try:
        model = markov_model(paths, lag, states)
    except DataError:
        return out
    if model.share < WHOLE:
        return out
    found = model.timescales[:count]
    out[: len(found)] = np.where(found > LEAST * lag, found, np.nan)
    return out


def _multiplied(
    paths: Sequence[np.ndarray], start: np.ndarray, member: np.ndarray, lags: np.ndarray
) -> np.ndarray:
    """⟨start| T^(lag/τ) |member⟩ `[lags, sets, sets]`, τ the first lag and T the shares of its counts."""
    counts = np.zeros((len(start),) * 2)
    for path in paths:
        np.add.at(counts, (path[: -lags[0]], path[lags[0] :]), 1)
    total = counts.sum(1)
    counts[total == 0, total == 0] = 1
    step = counts / counts.sum(1, keepdims=True)
    begin = _begun(start, total > 0)
    powers = [np.linalg.matrix_power(step, int(lag // lags[0])) for lag in lags]
    return np.array([begin.T @ p @ member for p in powers])


def _observed(
    paths: Sequence[np.ndarray], start: np.ndarray, member: np.ndarray, lags: np.ndarray
) -> np.ndarray:
    """The same by transitions counted at each lag: of each state the share that is in a set afterwards."""
    out = []
    for lag in lags:
        counts = np.zeros_like(member)
        for path in paths:
            np.add.at(counts, path[:-lag], member[path[lag:]])
        total = counts.sum(1, keepdims=True)
        out.append(_begun(start, total[:, 0] > 0).T @ (counts / np.maximum(total, 1)))
    return np.array(out)


def _begun(start: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Start on the known states alone; NaN for a set that is mostly unknown."""
    share = start[known].sum(0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(share >= KNOWN, start * known[:, None] / share, np.nan)


def _root_mean_square(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(np.sqrt(np.mean(known**2))) if len(known) else float("nan")
