"""A conformation for each cluster, to be turned by hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zoo.report.figures.samples import nearest, superposed
from zoo.report.inside.conformations.common import having
from zoo.report.plot import Drawing
from zoo.report.viewer import scene
from zoo.verbs.inside.record import Inside


def draw(records: Sequence[Inside]) -> Drawing | None:
    """Of the first record that has structures."""
    record = having(records, "structures", "clusters")[0]
    x = superposed(record.arrays["structures"].astype(np.float64))
    clusters, frames = record.arrays["structure_cluster"], record.arrays["structure_frame"]
    shares, errors = record.arrays["cluster_share"], record.arrays["cluster_error"]
    notes = [
        f"cluster {c + 1}: {100 * shares[c]:.2g} ± {100 * errors[c]:.1g} %, conformation {f + 1}"
        for c, f in zip(clusters.tolist(), frames.tolist(), strict=True)
    ]
    unit = record.facts["units"]["length"]
    caption = (
        f"For each k-means cluster of {record.label} the conformation nearest to the cluster's mean, "
        f"superposed, positions in {unit}. The slider goes from the most to the least populated one; drag to "
        "turn, or use the arrow keys. Look for what tells the clusters apart, and for structures that are "
        "not sound: rings that are broken, atoms that overlap."
    )
    elements = np.array(record.facts["elements"])
    bonds = np.array(record.facts["bonds"], int).reshape(-1, 2)
    alt = f"One of {len(x)} conformations of {record.label}, one for each cluster"
    return scene(
        "Structures of clusters", x, elements, bonds, notes, alt, caption, unit=unit, bead=0.3 * nearest(x[0])
    )  # fmt: skip
