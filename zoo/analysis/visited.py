"""Places that one sample visits and another does not: bins of a plane, clusters, basins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zoo.analysis.block_shares import populations_of, shares
from zoo.analysis.mode_drop import verdict


@dataclass(frozen=True)
class Visited:
    """Where a sample is, beside the reference.

    Args:
        unvisited: `[places]` whether the sample significantly misses the place.
        blind: `[places]` places of the reference that the sample has too few frames to be missed in.
        beyond: `[places]` where the sample is and the reference never.
        share: of the reference in places that are missed.
        outside: share of the sample in places where the reference never is.
        outside_error: standard error of it, between blocks.
        outside_floor: the same of a block of the reference beside the other blocks: what its own sampling
            leaves open.
    """

    unvisited: np.ndarray
    blind: np.ndarray
    beyond: np.ndarray
    share: float
    outside: float
    outside_error: float
    outside_floor: float


def visited(reference: np.ndarray, sample: np.ndarray) -> Visited:
    """Compare where two samples are.

    A place is missed where the share of the sample is below a tenth of the reference's and the complete
    comparison has a chance of one in a hundred to call any place so by chance; see
    `zoo.analysis.mode_drop.verdict`. Few or correlated frames raise no alarm.

    Args:
        reference, sample: `[blocks, places]` frames of each independent block, as `block_counts` or
            `state_counts` give.
    """
    known = {str(i): p for i, p in enumerate(populations_of(reference))}
    found = {str(i): p for i, p in enumerate(populations_of(sample))}
    judgements = np.array([f.judgement for f in verdict(found, None, known).findings])
    share = shares(reference)[0]
    p = np.asarray(reference).sum(0)
    beyond = (p == 0) & (np.asarray(sample).sum(0) > 0)
    inside = np.stack([sample[:, ~beyond].sum(1), sample[:, beyond].sum(1)], axis=1)
    outside, error = shares(inside)
    others = p - reference
    floor = (reference * (others <= 0)).sum() / max(float(p.sum()), np.finfo(float).tiny)
    missed = judgements == "missing"
    return Visited(
        missed, judgements == "unseen", beyond, float(share[missed].sum()), float(outside[1]),
        float(error[1]), float(floor),
    )  # fmt: skip
