"""Shares of states with standard errors: of draws with weights, and of correlated frames."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from zoo.analysis.basins import Members, is_cis

#: Correlated frames are cut into no fewer parts than this.
PARTS = 8


@dataclass(frozen=True)
class Population:
    """Share of a state.

    Args:
        share: between 0 and 1.
        error: standard error; 0 where none or all belong to it.
        effective: independent draws of weight 1 that would know the share as well.
        count: members that were seen, None where the share was stated, not counted.
    """

    share: float
    error: float
    effective: float
    count: int | None = None

    @classmethod
    def stated(cls, share: float, error: float) -> Population:
        """From a share and its standard error, both positive."""
        return cls(share, error, share * (1 - share) / error**2)

    @property
    def events(self) -> float:
        """Independent members that would know the share as well."""
        return self.share * self.effective


def population(
    member: np.ndarray,
    among: np.ndarray | None = None,
    weights: np.ndarray | None = None,
    run: np.ndarray | None = None,
) -> Population:
    """Return Σ w·member / Σ w over the frames in `among`, with its error.

    The error is that of a ratio, linearised (delta method): √Σ w² (member − share)² / Σ w for
    independent draws. With `run`, sums over whole runs take the place of draws, or over blocks of time
    where runs are fewer than eight, and the error is not below that of independent frames.

    Args:
        member, among: `[n]` booleans; `among` None: all.
        weights: `[n]`, not negative; None: equal.
        run: `[n]` number of the independent run of each frame; None: all are independent.
    """
    w = np.ones(len(member)) if weights is None else np.asarray(weights, np.float64)
    if among is not None:
        w = w * among
    total = float(w.sum())
    count = int(np.count_nonzero(member & (w > 0)))
    if total <= 0:
        return Population(np.nan, np.nan, 0.0, 0)
    inside = np.asarray(member, np.float64)
    share = float((w * inside).sum() / total)
    rest = w * (inside - share) / total
    error = float(np.sqrt((rest**2).sum()))
    if run is not None:
        error = max(error, _between(rest, run))
    mixed = 0 < share < 1 and error > 0
    kish = total**2 / float((w**2).sum())
    # few members of a rare state look more alike than they are: never better than all draws together
    effective = min(share * (1 - share) / error**2, kish) if mixed else kish
    return Population(share, error, effective, count)


def _between(rest: np.ndarray, run: np.ndarray) -> float:
    """Standard error of a sum of `rest`, each run or part of it being one independent number."""
    runs = np.unique(run)
    cuts = -(-PARTS // len(runs))
    sums = np.array([p.sum() for r in runs for p in np.array_split(rest[run == r], cuts) if len(p)])
    n = len(sums)
    return float(np.sqrt(n / max(n - 1, 1) * (sums**2).sum()))


def populations(
    members: Members,
    among: np.ndarray | None = None,
    weights: np.ndarray | None = None,
    run: np.ndarray | None = None,
) -> dict[str, Population]:
    """Return the population of each basin; cis states are counted among all frames, others in `among`."""
    return {
        name: population(member, None if is_cis(name) else among, weights, run)
        for name, member in members.items()
    }


def stated_populations(provenance: Mapping[str, Any], kind: str = "mbar") -> dict[str, Population]:
    """Return what a dataset's manifest says of its basins; empty where it says nothing.

    Args:
        provenance: of the manifest; replica exchange writes `statistics.populations`.
        kind: "mbar" (all temperatures) or "direct" (counted at the lowest).
    """
    rows = provenance.get("statistics", {}).get("populations", {})
    pairs = {name: row.get(kind, (0, 0)) for name, row in rows.items()}
    return {name: Population.stated(s, e) for name, (s, e) in pairs.items() if 0 < s < 1 and e > 0}


def free_energy_error(found: Population, reference: Population) -> tuple[float, float]:
    """Return −ln(share / reference share) in kT and its standard error; infinite where one is 0.

    Positive where the model has too little of a basin.
    """
    if not (found.share > 0 and reference.share > 0):
        return (np.inf if reference.share > 0 else np.nan), np.inf
    relative = np.hypot(found.error / found.share, reference.error / reference.share)
    return float(-np.log(found.share / reference.share)), float(relative)
