"""Replica exchange of alanine dipeptide: what is watched."""

from __future__ import annotations

import numpy as np

from zoo.datasets.alanine_dipeptide.basins import codes
from zoo.datasets.alanine_dipeptide.molecule import OMEGA, PHI, PSI
from zoo.engines.replica_exchange import ExchangeRun

#: The torsions that are watched, in the order that `Exchange.codes` takes them.
WATCHED = [list(PHI), list(PSI), *map(list, OMEGA)]


class Exchange(ExchangeRun):
    """Ensembles of ACE-ALA-NME."""

    def codes(self, angles: np.ndarray) -> np.ndarray:
        """Return codes `[…]` of φ, ψ and the two ω `[…, 4]`; see `basins.codes`."""
        return codes(*np.moveaxis(angles, -1, 0))
