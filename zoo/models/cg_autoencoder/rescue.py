"""Beads that no particle belongs to are put to use."""

from __future__ import annotations

import torch
from torch import Tensor

#: By how much a moved particle prefers its new bead, in units of its largest logit.
MARGIN = 1.0


def rescued(logits: Tensor, moment: Tensor, weights: Tensor) -> Tensor:
    """Return logits `[restarts, particles, beads]` with which each bead has a particle.

    Once a bead is empty, no gradient reaches it: its softmax is as good as zero for every particle. It gets
    half of the bead inside of which particles move most, cut across the direction of their largest motion
    (the leading eigenvector of their second moment about the bead).

    Args:
        logits: `[restarts, particles, beads]`.
        moment: `[particles, particles]`, of positions.
        weights: `[particles]`, of centres.
    """
    out = logits.clone()
    for row in out:
        beads = row.shape[1]
        while True:
            hard = row.argmax(1)
            counts = torch.bincount(hard, minlength=beads)
            empty = torch.nonzero(counts == 0).flatten()
            if not len(empty) or int(counts.max()) < 2:
                break
            moved = _half_of_worst(hard, counts, moment, weights)
            row[moved, empty[0]] = row[moved].amax(1) + MARGIN
    return out


def _half_of_worst(hard: Tensor, counts: Tensor, moment: Tensor, weights: Tensor) -> Tensor:
    """Numbers of the particles to be moved."""
    worst, best = None, -1.0
    for bead in torch.nonzero(counts > 1).flatten().tolist():
        own = torch.nonzero(hard == bead).flatten()
        w = weights[own] / weights[own].sum()
        inner = moment[own][:, own]
        about = inner - (w @ inner)[None] - (inner @ w)[:, None] + w @ inner @ w
        spread = float(about.trace())
        if spread > best:
            worst, best = (own, about), spread
    assert worst is not None
    own, about = worst
    leading = torch.linalg.eigh(about).eigenvectors[:, -1]
    order = leading.argsort()
    return own[order[len(own) // 2 :]]
