"""Replica exchange of a peptide: what is watched, and which bonds are turned about."""

from __future__ import annotations

from typing import Any

import numpy as np

from zoo.datasets.peptide.basins import codes
from zoo.datasets.peptide.sequence import Peptide
from zoo.engines.replica_exchange import ExchangeRun
from zoo.physics.samplers import turning_side


class Exchange(ExchangeRun):
    """Ensembles of a capped peptide."""

    def codes(self, angles: np.ndarray) -> np.ndarray:
        """Return the states of all residues, peptide bonds and χ1; see `basins.codes`."""
        return codes(angles, len(self.job.planes))


def pivots(peptide: Peptide) -> dict[str, list[Any]]:
    """Return the bonds that are turned about, as `ExchangeJob` wants them.

    All bonds outside rings that have heavy atoms on both sides; peptide bonds by half a turn.
    """
    heavy = peptide.numbers > 1
    bonds = peptide.bonds
    neighbours = np.bincount(bonds[heavy[bonds].all(1)].ravel(), minlength=len(heavy))
    chosen: dict[str, list[Any]] = {"axes": [], "turning": [], "half_turns": []}
    for i, j in bonds[(neighbours[bonds] > 1).all(1) & heavy[bonds].all(1)].tolist():
        side = turning_side(bonds, len(heavy), i, j)
        if side is not None:
            chosen["axes"].append([i, j])
            chosen["turning"].append(np.flatnonzero(side).tolist())
            chosen["half_turns"].append(bool(peptide.residues[i] != peptide.residues[j]))
    return chosen
