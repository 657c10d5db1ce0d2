"""Contact maps of both samples."""

from __future__ import annotations

import numpy as np

from zoo.analysis.block_shares import shares
from zoo.analysis.contact_map import as_matrix, contacts_of
from zoo.verbs.inside.conformations.found import Found
from zoo.verbs.inside.conformations.quantities import ROWS


def contacts(found: Found) -> None:
    """Share of frames in which two sites touch: `contacts`, `contacts_error` `[sites, sites]`."""
    of = found.sites
    if of is None or len(of.particles) < 4:
        return
    record = found.record
    record.facts["sites"] = {"names": of.names, "what": of.what, "cutoff": of.cutoff}
    for name, sample in (("", found.own), ("reference_", found.other)):
        if sample is None:
            continue
        w = np.ones(len(sample)) if sample.weights is None else sample.weights / sample.weights.mean()
        place = np.unique(sample.blocks, return_inverse=True)[1]
        touching = np.zeros((int(place.max()) + 1, len(of.pairs)))
        for i in range(0, len(sample), ROWS):
            part = contacts_of(sample.positions[i : i + ROWS], of)
            np.add.at(touching, place[i : i + ROWS], part * w[i : i + ROWS, None])
        total = np.bincount(place, w)[:, None]
        # each pair by itself: it touches, or does not
        found_shares = [shares(np.stack([t, total[:, 0] - t], axis=1)) for t in touching.T]
        record.arrays[f"{name}contacts"] = as_matrix(np.array([s[0] for s, _ in found_shares]), of)
        record.arrays[f"{name}contacts_error"] = as_matrix(np.array([e[0] for _, e in found_shares]), of)
