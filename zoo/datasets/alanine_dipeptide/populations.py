"""True weights of the basins from all temperatures of replica exchange, with errors."""

from __future__ import annotations

from typing import Any

import numpy as np

from zoo.analysis.mbar import shares
from zoo.datasets.alanine_dipeptide.basins import NAMES


def populations(energies: np.ndarray, code: np.ndarray, kT: np.ndarray) -> dict[str, Any]:
    """Return the share of each basin at the lowest temperature; see `zoo.analysis.mbar.shares`.

    Args:
        energies, code: `[exchanges, ensembles, levels]`; codes are those of `basins.codes`.
        kT: `[levels]` in eV.

    Returns:
        Shares of each basin, of φ > 0, and of cis of each peptide bond. Basins are shares of the
        frames with both peptide bonds in trans.
    """
    basin, cis = code & 7, code >> 3
    trans = cis == 0
    everything = np.ones_like(trans)
    members = {name: (basin == i, trans) for i, name in enumerate(NAMES)}
    members["φ>0"] = (basin >= NAMES.index("αL"), trans)
    members |= {"cis 1": (cis & 1 > 0, everything), "cis 2": (cis & 2 > 0, everything)}
    return shares(energies, kT, members)
