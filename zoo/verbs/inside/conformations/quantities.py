"""What conformations are judged by: torsions, sizes, shapes, distances, contacts, RMSD to one of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from zoo.analysis.contact_map import Sites, contacts_of, sites
from zoo.analysis.features import chain_order, distances, features
from zoo.analysis.gyration import asphericity, shape_anisotropy
from zoo.analysis.proteins import superposed_rmsd
from zoo.data.system import System
from zoo.verbs.inside.conformations.sample import Sample

#: Frames of which numbers are computed at once.
ROWS = 2048
#: Frames among which the one nearest to all others is looked for.
CANDIDATES = 100
_ASCII = {"φ": "phi", "ψ": "psi", "ω": "omega", "χ": "chi", "κ²": "kappa2", " ": "_", "-": "_", "–": "_"}


@dataclass(frozen=True)
class Quantity:
    """A number of conformations.

    Args:
        name: as people read it.
        unit: `rad`, `1`, or of a length.
        period: 2π of an angle.
        own, other: `[frames, k]` of the subject and of the reference, k like numbers.
    """

    name: str
    unit: str
    period: float | None
    own: np.ndarray
    other: np.ndarray | None

    @property
    def key(self) -> str:
        """The name in ASCII."""
        return key_of(self.name)

    @property
    def torsion(self) -> bool:
        """Whether it is an angle."""
        return self.period is not None


def key_of(name: str) -> str:
    """Return a name in lower-case ASCII: `js_phi`."""
    for letter, text in _ASCII.items():
        name = name.replace(letter, text)
    return name.lower()


def alike(system: System) -> bool:
    """Whether particles cannot be told apart: no bonds say which is which, or they are a ring of one kind."""
    one_kind = len(np.unique(system.types)) == 1
    return one_kind and (not len(system.bonds) or chain_order(system)[1])


def quantities(
    own: Sample, other: Sample | None, contact: float | None
) -> tuple[list[Quantity], Sites | None, dict[str, str]]:
    """Return all quantities that the system has, the sites of contacts, and what was left out and why.

    RMSD is to the frame of the reference, or else of the subject, that is nearest to all others.
    """
    system, length = own.system, own.units.length
    left_out: dict[str, str] = {}
    wanted: list[tuple[str, str, float | None, Callable[[np.ndarray], np.ndarray]]] = [
        (f.name, f.unit or length, f.period, f.values) for f in features(system)
    ]
    if system.num_particles > 2:
        wanted.append(("asphericity", f"{length}²", None, asphericity))
        wanted.append(("shape anisotropy κ²", "1", None, shape_anisotropy))
    if not len(system.bonds) and system.num_particles > 1:
        pairs = np.array(list(combinations(range(system.num_particles), 2)))
        wanted.append(("pair distances", length, None, lambda x: distances(x, pairs)))
    base = own if other is None else other
    if alike(system):
        left_out["RMSD"] = "particles are alike: to give them other numbers is to have the same conformation"
    elif (system.elements != 1).sum() < 3:
        left_out["RMSD"] = "there are fewer than three heavy atoms"
    else:
        center = central_frame(base.positions, system)
        atoms = np.flatnonzero(system.elements != 1)
        wanted.append(("RMSD", length, None, lambda x: superposed_rmsd(x, center, atoms)))
    of = sites(system, base.positions)
    if of is None:
        left_out["contacts"] = "there are no bonds that would say which particles are neighbours anyway"
    else:
        if contact is not None:
            of = Sites(of.particles, of.names, of.what, contact)
        kept = of
        wanted.append(("contacts", "1", None, lambda x: contacts_of(x, kept).sum(1)))
    out = [
        Quantity(
            name, unit, period, values(own.positions, function),
            None if other is None else values(other.positions, function),
        )
        for name, unit, period, function in wanted
    ]  # fmt: skip
    return out, of, left_out


def values(positions: np.ndarray, function: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Return a function of positions `[frames, particles, 3]` as `[frames, k]`, a part of them at a time."""
    n = len(positions)
    parts = [function(positions[i : i + ROWS].astype(np.float64)) for i in range(0, n, ROWS)]
    return np.concatenate(parts).reshape(n, -1).astype(np.float64)


def central_frame(positions: np.ndarray, system: System) -> np.ndarray:
    """Return the frame `[particles, 3]` whose mean RMSD to others is least, of some that are spread out."""
    picked = np.unique(np.linspace(0, len(positions) - 1, min(CANDIDATES, len(positions))).astype(int))
    x = positions[picked].astype(np.float64)
    atoms = np.flatnonzero(system.elements != 1)
    means = [superposed_rmsd(x, frame, atoms).mean() for frame in x]
    return np.asarray(x[int(np.argmin(means))])
