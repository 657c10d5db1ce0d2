"""Which particles or residues touch, and how often."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from zoo.analysis.features import distances

if TYPE_CHECKING:
    from zoo.data.system import System

#: Length below which sites touch: Cα of residues and heavy atoms (Å), beads in median bonds.
ALPHA, HEAVY, BEADS = 8.0, 4.5, 1.6
#: Sites of a map, at most: of more, evenly spaced ones.
MOST = 150
#: Sites whose numbers differ by less are near in any conformation.
APART = 3
#: Distances that are held at once.
HELD = 4_000_000


@dataclass(frozen=True)
class Sites:
    """What touches.

    Args:
        particles: `[sites]`.
        names: of each.
        what: of all: `Cα`, `heavy atoms`, `beads`.
        cutoff: distance below which two touch, in the unit of length.
    """

    particles: np.ndarray
    names: list[str]
    what: str
    cutoff: float

    @property
    def pairs(self) -> np.ndarray:
        """`[pairs, 2]` numbers of sites that are `APART` or more."""
        found = [(i, j) for i, j in combinations(range(len(self.particles)), 2) if j - i >= APART]
        return np.array(found, np.int64).reshape(-1, 2)


def sites(system: System, positions: np.ndarray) -> Sites | None:
    """Return Cα of a protein, heavy atoms of a molecule, or beads of a chain; None without bonds.

    Args:
        system: of the particles.
        positions: `[frames, particles, 3]`, for the length of a bond between beads.
    """
    if not len(system.bonds):
        return None
    names = system.atom_names or tuple(system.type_names[int(t)] for t in system.types)
    alpha = [i for i, name in enumerate(names) if name == "CA"]
    if len(alpha) >= 4 and system.residue_names:
        labels = [f"{system.residue_names[i]} {n + 1}" for n, i in enumerate(alpha)]
        return _thinned(Sites(np.array(alpha), labels, "Cα", ALPHA))
    if system.elements.all():
        heavy = np.flatnonzero(system.elements > 1)
        return _thinned(Sites(heavy, [f"{names[i]} {i + 1}" for i in heavy], "heavy atoms", HEAVY))
    length = float(np.median(distances(positions[: 1 + MOST], system.bonds)))
    every = np.arange(system.num_particles)
    return _thinned(Sites(every, [str(i + 1) for i in every], "beads", BEADS * length))


def contacts_of(positions: np.ndarray, of: Sites) -> np.ndarray:
    """Return `[frames, pairs]` whether the pairs of sites touch, see `Sites.pairs`."""
    pairs = of.particles[of.pairs]
    step = max(1, HELD // max(1, len(pairs)))
    parts = [distances(positions[i : i + step], pairs) < of.cutoff for i in range(0, len(positions), step)]
    return np.concatenate(parts) if parts else np.zeros((0, len(pairs)), bool)


def as_matrix(values: Sequence[float] | np.ndarray, of: Sites) -> np.ndarray:
    """Return values `[pairs]` as a symmetric matrix `[sites, sites]`, NaN where sites are too near."""
    out = np.full((len(of.particles),) * 2, np.nan)
    i, j = of.pairs.T
    out[i, j] = out[j, i] = values
    return out


def _thinned(of: Sites) -> Sites:
    if len(of.particles) <= MOST:
        return of
    kept = np.unique(np.linspace(0, len(of.particles) - 1, MOST).round().astype(int))
    return Sites(of.particles[kept], [of.names[i] for i in kept], of.what, of.cutoff)
