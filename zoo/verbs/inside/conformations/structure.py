"""Secondary structure of a protein, residue by residue."""

from __future__ import annotations

import numpy as np

from zoo.analysis.block_shares import shares, state_counts
from zoo.analysis.secondary import KINDS, has_backbone, residue_names, secondary_structure
from zoo.tasks.metrics import metric
from zoo.verbs.inside.conformations.found import Found

_NAMES = {"H": "helix", "E": "strand", "C": "coil"}


def secondary(found: Found) -> None:
    """Shares of helix, strand and coil: `secondary`, `secondary_error` `[residues, 3]`."""
    system = found.own.system
    if not has_backbone(system):
        what = "no residues" if not len(system.residues) else "no residues with all of N, CA, C and O"
        found.leave_out("secondary structure", f"the system has {what}")
        return
    record = found.record
    record.facts["residues"] = residue_names(system)
    for name, sample in (("", found.own), ("reference_", found.other)):
        if sample is None:
            continue
        kinds = secondary_structure(sample.positions, system)
        counts = [state_counts(column, sample.blocks, len(KINDS), sample.weights) for column in kinds.T]
        every = [shares(of_residue) for of_residue in counts]
        record.arrays[f"{name}secondary"] = np.array([share for share, _ in every])
        record.arrays[f"{name}secondary_error"] = np.array([error for _, error in every])
        share, error = shares(np.mean(counts, axis=0))
        for number, kind in enumerate(KINDS):
            record.numbers[f"{name}{_NAMES[kind]}"] = metric(share[number], "1", error[number])
