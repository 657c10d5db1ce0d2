"""Whether independent runs agree: the potential scale reduction, and states that one run alone has seen."""

from __future__ import annotations

import numpy as np

#: A state with less than this share of all frames may well be in one run alone.
NOTED = 0.01
#: Chance of independent frames to be all in one run, below which it is told.
CHANCE = 0.01


def scale_reduction(values: np.ndarray, run: np.ndarray) -> float:
    """Return R̂ of values `[frames]` of several runs: 1 where all runs sample one distribution.

    √(1 + between / within), by the means and variances of runs (A. Gelman, D. B. Rubin, Stat. Sci. 7, 457
    (1992)); of the variance between means is taken what independent frames would give. 1.1 says that means
    of runs differ by half of the width of a run. NaN of a single run, or where nothing varies.

    Args:
        values: `[frames]`.
        run: `[frames]` number of the run.
    """
    parts = [np.asarray(values, np.float64)[run == r] for r in np.unique(run)]
    parts = [p for p in parts if len(p) > 1]
    if len(parts) < 2:
        return float("nan")
    variances = np.array([p.var(ddof=1) for p in parts])
    within = float(variances.mean())
    noise = float(np.mean(variances / [len(p) for p in parts]))
    between = max(float(np.var([p.mean() for p in parts], ddof=1)) - noise, 0.0)
    return float(np.sqrt(1 + between / within)) if within > 0 else float("nan")


def seen_once(states: np.ndarray, run: np.ndarray) -> list[tuple[int, float]]:
    """Return states that a single run of several has seen, with their shares of all frames.

    Those of so few frames that they might be in one run by chance are not told.

    Args:
        states: `[frames]` numbers of states from 0; −1 is none.
        run: `[frames]` number of the run.
    """
    runs = len(np.unique(run))
    if runs < 3:
        return []
    out = []
    for state in np.unique(states[states >= 0]).tolist():
        member = states == state
        share = float(member.mean())
        alone = len(np.unique(run[member])) == 1
        if alone and share >= NOTED and runs ** (1.0 - member.sum()) < CHANCE:
            out.append((state, share))
    return out
