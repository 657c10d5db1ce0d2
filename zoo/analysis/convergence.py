"""Whether independent runs agree: the potential scale reduction, and states that one run alone has seen."""

from __future__ import annotations

import numpy as np

#: A state with less than this share of all frames may well be in one run alone.
NOTED = 0.01


def scale_reduction(values: np.ndarray, run: np.ndarray) -> float:
    """Return R̂ of values `[frames]` of several runs: near 1 where all runs sample one distribution.

    √(1 + between / within), by the means and variances of runs (A. Gelman, D. B. Rubin, Stat. Sci. 7, 457
    (1992)), without the correction for the noise of the mean: 1.1 means that runs' means differ by some
    tenths of the width. NaN of a single run, or where nothing varies.

    Args:
        values: `[frames]`.
        run: `[frames]` number of the run.
    """
    parts = [np.asarray(values, np.float64)[run == r] for r in np.unique(run)]
    parts = [p for p in parts if len(p) > 1]
    if len(parts) < 2:
        return float("nan")
    within = float(np.mean([p.var() for p in parts]))
    between = float(np.var([p.mean() for p in parts], ddof=1))
    return float(np.sqrt(1 + between / within)) if within > 0 else float("nan")


def seen_once(states: np.ndarray, run: np.ndarray) -> list[tuple[int, float]]:
    """Return states that a single run of several has seen, with their shares of all frames.

    Args:
        states: `[frames]` numbers of states from 0; −1 is none.
        run: `[frames]` number of the run.
    """
    if len(np.unique(run)) < 3:
        return []
    out = []
    for state in np.unique(states[states >= 0]).tolist():
        member = states == state
        share = float(member.mean())
        if share >= NOTED and len(np.unique(run[member])) == 1:
            out.append((state, share))
    return out
