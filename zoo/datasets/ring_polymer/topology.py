"""Is every ring still unknotted, and is none linked to another?"""

from __future__ import annotations

from itertools import product

import numpy as np

from zoo import keys
from zoo.analysis.knots import is_unknotted, linking_number
from zoo.data.entry import Check
from zoo.datasets.ring_polymer.subject import Subject

#: At most so many rings are looked at for knots, and so many pairs for links.
RINGS, PAIRS = 1000, 1000


def topology_checks(subject: Subject) -> list[Check]:
    """Return the comparisons for rings that cannot cross."""
    polymer, dataset, rings = subject.polymer, subject.dataset, subject.flat
    if not (polymer.ring and polymer.excluded_volume):
        return []
    rings = rings[np.unique(np.linspace(0, len(rings) - 1, min(len(rings), RINGS)).astype(int))]
    share = float(np.mean([is_unknotted(ring) for ring in rings]))
    checks = [
        Check(
            "unknotted rings",
            "1",
            "Alexander determinants (|Δ(−1)|, odd part of |Δ(−2)|) = (1, 1); bonds cannot cross",
            share,
            ok=share == 1.0,
            note=f"{len(rings)} rings",
        )
    ]
    if polymer.chains > 1 and keys.CELLS in dataset.arrays:
        box = np.diag(dataset.array(keys.CELLS)[subject.frames[-1]])
        linked, looked = _linked(subject.chains[-1], box)
        checks.append(
            Check(
                "linked pairs of rings in the last frame",
                "0",
                "linking numbers, with periodic images; bonds cannot cross",
                linked,
                ok=linked == 0,
                note=f"{looked} pairs that are near enough",
            )
        )
    return checks


def _linked(rings: np.ndarray, box: np.ndarray) -> tuple[int, int]:
    """Number of linked pairs of rings `[chains, beads, 3]`, and of pairs that were looked at."""
    centers = rings.mean(1)
    reach = np.linalg.norm(rings - centers[:, None], axis=-1).max(1)
    linked = looked = 0
    for i in range(len(rings)):
        for j in range(i + 1, len(rings)):
            nearest = np.round((centers[i] - centers[j]) / box)
            for image in product((-1, 0, 1), repeat=3):
                shift = box * (nearest + image)
                if np.linalg.norm(centers[j] + shift - centers[i]) > reach[i] + reach[j]:
                    continue
                if looked == PAIRS:
                    return linked, looked
                looked += 1
                linked += linking_number(rings[i], rings[j] + shift) != 0
    return linked, looked
