"""Basins of the Ramachandran plane, and their populations with errors."""

from __future__ import annotations

import numpy as np

from zoo.analysis.basins import ramachandran_basins

#: Share of each basin at 300 K in ff96 + OBC1, with an error: data-free flows of several kinds, reweighted,
#: which agree with each other. Errors of αR and αL were not stated; these are assumed.
REFERENCE = {
    "αR": (0.117, 0.005),
    "C7ax": (0.00265, 0.00015),
    "αL": (0.00057, 0.0001),
    "φ>0": (0.0032, 0.00015),
}

#: The same in the 1,000 frames of one run that others published (se3-augmented-coupling-flows),
#: errors from ten blocks. A weak reference: neighbours are correlated, and it never comes to φ > 0.
PUBLISHED_FRAMES = {"αR": (0.174, 0.028), "C7eq": (0.026, 0.005), "C5/PII": (0.800, 0.028)}


#: Membership of each basin by φ and ψ in radians.
basins = ramachandran_basins

#: Names of the basins that `codes` numbers; they cover the plane once.
NAMES = ("αR", "C7eq", "C5/PII", "αL", "C7ax")
#: Added to the number of a basin for a peptide bond in cis: of the first, of the second.
CIS = (8, 16)


def codes(phi: np.ndarray, psi: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the number of the basin, plus `CIS` for each peptide bond in cis, as uint8.

    Args:
        phi, psi: torsions of the backbone, rad.
        first, second: ω of the two peptide bonds, rad; cis within 90° of 0.
    """
    member = basins(phi, psi)
    number = np.argmax([member[name] for name in NAMES], axis=0)
    for bit, omega in zip(CIS, (first, second), strict=True):
        number = number + bit * (np.abs(omega) < np.pi / 2)
    return number.astype(np.uint8)
