"""The propeller of ortho-terphenyl: twists of its outer rings."""

from __future__ import annotations

import numpy as np

from zoo import keys
from zoo.analysis.averages import SIGMAS, mean_and_error
from zoo.data.dataset import Dataset
from zoo.data.entry import Check
from zoo.datasets.otp.molecule import LINKS, twists
from zoo.datasets.small_molecules.checks import mirror, near_300


def shape_checks(dataset: Dataset) -> list[Check]:
    """Twists against crystal and theory, both senses of the propeller, the bonds between rings."""
    positions = np.asarray(dataset.array(keys.POSITIONS), np.float64)
    run = dataset.runs()
    twist = twists(positions)
    size, size_error = mean_and_error(np.abs(twist).mean(1), run)
    same, same_error = mean_and_error((twist[:, 0] * twist[:, 1] > 0).astype(float), run)
    outer, inner = np.array(LINKS).T
    link = np.linalg.norm(positions[:, outer] - positions[:, inner], axis=-1).mean(1)
    length, length_error = mean_and_error(link, run)
    crystal = Check(
        "twist of the outer rings, mean size",
        "43 to 66",
        "43° and 62° in the crystal (Brown, Levy, Acta Cryst. B 35, 785 (1979)); 66° by MMFF94",
        size,
        "°",
        size_error,
        43 < size < 66,
    )
    axis = Check(
        "frames with both twists of one sign",
        "> 0.95",
        "one equilibrium geometry, with a twofold axis (Baraldi, Ponterini, THEOCHEM 122, 287 (1985))",
        same,
        error=same_error,
        ok=same > 0.95 - SIGMAS * same_error,
    )
    return [
        near_300(crystal, dataset),
        near_300(axis, dataset),
        mirror("frames with a right-handed propeller", twist[:, 0] > 0, dataset),
        Check(
            "bonds between rings, mean length",
            "1.47 to 1.51",
            "1.475 by MMFF94; 1.507 in gaseous biphenyl (Almenningen et al., J. Mol. Struct. 128, 59 (1985))",
            length,
            "Å",
            length_error,
            1.47 < length < 1.51,
        ),
    ]
