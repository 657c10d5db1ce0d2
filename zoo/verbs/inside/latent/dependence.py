"""What a latent knows of physical observables: mutual information, and sets of frames told apart."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from zoo import keys
from zoo.analysis.latent.information import Information, information, mutual_information, shuffles
from zoo.analysis.latent.separation import Separation, area, separation
from zoo.analysis.peptides import torsion_planes
from zoo.progress import progress
from zoo.verbs.inside.latent.observables import Observable
from zoo.verbs.inside.latent.samples import Samples

#: Columns that are taken together, at most: of more, the estimator is biased.
TOGETHER = 3
#: Residues whose (φ, ψ) are looked at as pairs.
PLANES = 3
#: Shufflings of the sets that the chance of telling them apart is measured by.
CHANCES = 5
#: Times that sets are told apart at one by one, at most, and frames of each, at least.
MOST_TIMES, FEWEST = 40, 5


@dataclass(frozen=True)
class Dependence:
    """Mutual information in nats.

    Args:
        columns: names of the columns of the latent that were looked at.
        each: by observable, one for each column.
        together: by observable, or pair of torsions, of several columns taken together.
        joint: names of these, by the same.
    """

    columns: list[str]
    each: dict[str, list[Information]]
    together: dict[str, Information]
    joint: dict[str, list[str]]


def dependence(samples: Samples, nulls: int, seed: int) -> Dependence:
    """Estimate the information of each column, and of the few that know most together.

    Those are taken by falling information of their own, as many as raise the estimate, at most `TOGETHER`:
    each column more can but add information, and what the estimator loses with each dimension is more. In
    each of their nulls columns are picked in the same way.
    """
    columns, names, periods = samples.components()
    live = [k for k in range(columns.shape[1]) if np.ptp(columns[:, k]) > 0]
    columns, names, periods = columns[:, live], [names[k] for k in live], [periods[k] for k in live]
    how: dict[str, Any] = {"free": samples.rows is not None, "nulls": nulls, "seed": seed}
    orders = shuffles(samples.block, nulls, seed, free=samples.rows is not None)
    seen = samples.observables
    planes = {
        f"{residue} (φ, ψ)".strip(): [list(seen)[i], list(seen)[j]]
        for residue, (i, j) in list(torsion_planes(list(seen)).items())[:PLANES]
    }
    each: dict[str, list[Information]] = {name: [] for name in seen}
    with progress("mutual information", len(names) * len(seen) + len(seen) + len(planes), "pairs") as bar:
        for name, observable in seen.items():
            for k, period in enumerate(periods):
                each[name].append(
                    information(
                        columns[:, k],
                        observable.values,
                        samples.block,
                        x_periods=[period],
                        y_periods=[observable.period],
                        **how,
                    )
                )
                bar.advance()
        together, joint = {}, {}
        for name, parts in {**{name: [name] for name in seen}, **planes}.items():
            y = np.stack([seen[p].values for p in parts], 1)
            y_periods = [seen[p].period for p in parts]
            own = np.sum([[found.value for found in each[p]] for p in parts], axis=0)
            picked, _ = _most(columns, periods, y, y_periods, own)
            found = information(
                columns[:, picked], y, samples.block,
                x_periods=[periods[k] for k in picked], y_periods=y_periods, **how,
            )  # fmt: skip
            # the best of several columns know something by chance: each null picks its own best ones
            by_chance = np.sum([[found.nulls for found in each[p]] for p in parts], axis=0).T
            best = [
                _most(columns, periods, y[order], y_periods, chance)[1]
                for order, chance in zip(orders, by_chance, strict=True)
            ]
            together[name] = replace(found, nulls=np.array(best))
            joint[name] = [names[k] for k in picked]
            bar.advance()
    return Dependence(names, each, together, joint)


def _most(
    columns: np.ndarray,
    periods: list[float | None],
    y: np.ndarray,
    y_periods: list[float | None],
    own: np.ndarray,
) -> tuple[list[int], float]:
    """The columns estimated to know most together, of those that know most by their `own`; and how much."""
    order = np.argsort(own)[::-1]
    tried = [sorted(order[:size].tolist()) for size in range(1, min(TOGETHER, len(order)) + 1)]
    values = [
        mutual_information(columns[:, picked], y, x_periods=[periods[k] for k in picked], y_periods=y_periods)
        for picked in tried
    ]
    best = int(np.argmax(values))
    return tried[best], values[best]


@dataclass(frozen=True)
class Apart:
    """How well two sets of frames are told apart, on runs that were not learned from.

    Args:
        latent: by classifier, by the latent.
        alone: by classifier, by the size of the molecule alone; empty where it has none.
        size: name of that size.
        times: `[times]` of the frames of the second set, where they are few and the same in all runs.
        by_time: by `latent` and `alone`, `[times]` AUC of the second set's frames of one time alone, by the
            better of the two classifiers.
        chance, chance_spread: AUC of the linear classifier with whole runs dealt out to the sets at random,
            and its standard deviation.
    """

    latent: dict[str, Separation]
    alone: dict[str, Separation]
    size: str
    times: np.ndarray
    by_time: dict[str, np.ndarray]
    chance: float
    chance_spread: float


def apart(samples: Samples, seed: int) -> Apart | None:
    """Tell the two parts of a joined dataset apart; None where there are not two."""
    if samples.part is None or len(samples.part_names) != 2:
        return None
    second = samples.part == 1
    size, known = _size(samples.observables)
    found = separation(samples.flat, second, samples.run, seed=seed)
    alone = {} if known is None else separation(known[:, None], second, samples.run, seed=seed)
    rng = np.random.default_rng(seed)
    runs = np.unique(samples.run)
    share = len(np.unique(samples.run[second]))
    chances = []
    for _ in range(CHANCES):
        picked = rng.permutation(runs)[:share]
        dealt = separation(samples.flat, np.isin(samples.run, picked), samples.run, seed=seed)
        chances.append(dealt["linear"].auc)
    times = _times(samples, second)
    by_time = {
        name: _by_time(max(kinds.values(), key=lambda kind: kind.auc).score, samples, second, times)
        for name, kinds in {"latent": found, "alone": alone}.items()
        if kinds and len(times)
    }
    return Apart(found, alone, size, times, by_time, float(np.mean(chances)), float(np.std(chances, ddof=1)))


def _times(samples: Samples, second: np.ndarray) -> np.ndarray:
    """Times of the frames of the second set; none where they are not the same few in all runs."""
    data = samples.frames.dataset
    if keys.TIME not in data.arrays:
        return np.zeros(0)
    times, counts = np.unique(samples.frames.array(keys.TIME)[second], return_counts=True)
    return times if 2 <= len(times) <= MOST_TIMES and counts.min() >= FEWEST else np.zeros(0)


def _by_time(score: np.ndarray, samples: Samples, second: np.ndarray, times: np.ndarray) -> np.ndarray:
    """AUC of the second set's frames of each time against all of the first set."""
    when = np.asarray(samples.frames.array(keys.TIME))
    rows = [~second | (second & (when == time)) for time in times]
    return np.array([area(second[row], score[row]) for row in rows])


def _size(observables: dict[str, Observable]) -> tuple[str, np.ndarray | None]:
    return ("Rg", observables["Rg"].values) if "Rg" in observables else ("", None)
