"""Structures that a network made, as a sample."""

from __future__ import annotations

import numpy as np

from zoo.analysis.flags import Flag
from zoo.errors import RunFailed
from zoo.verbs.inside.conformations.sample import Sample
from zoo.verbs.inside.subject import Subject


def made(
    subject: Subject, x: np.ndarray, what: str, no_time: str, run: np.ndarray | None = None,
    weights: np.ndarray | None = None,
) -> Sample:  # fmt: skip
    """Return a sample of what a network made, without what is not finite, which is flagged.

    Args:
        subject: whose network it is.
        x: `[frames, particles, 3]`.
        what: they are, in words.
        no_time: why they are no time series.
        run: `[frames]` number of the independent run; None: independent draws.
        weights: `[frames]`; None: equal.

    Raises:
        RunFailed: nothing is finite.
    """
    good = np.isfinite(x).all((1, 2))
    if not good.any():
        raise RunFailed(
            f"nothing that {subject.label} makes is finite; its weights are spoilt: train it anew"
        )
    data = subject.data
    facts = {"made": what, "dataset": data.name, "frames": int(good.sum())}
    out = Sample(
        subject.label, what, data.system, data.units, x[good], None if run is None else run[good], None,
        None if weights is None else weights[good], no_time, facts,
    )  # fmt: skip
    if not good.all():
        out.flags.append(
            Flag(
                "NaN",
                f"{(~good).sum()} of {len(x)} structures are not finite and are left out: lower optim.lr, or "
                "look for weights that have become infinite with `zoo analyze RUN layers`",
            )
        )
    return out
