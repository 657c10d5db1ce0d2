"""Maps from chemistry and topology: Cα, residues, heavy atoms, backbone, contiguous segments, random."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np

from zoo.coarse.maps import CoarseMap, centers, on_particles
from zoo.data.system import System
from zoo.errors import ConfigError, DataError, UnknownName

#: Maps by name, with what they do.
SCHEMES = {
    "heavy": "a bead on each heavy atom",
    "backbone": "a bead on each N, Cα and C, and on the C and N of caps: five of alanine dipeptide",
    "backbone-beta": "as backbone, and on each Cβ: six of alanine dipeptide",
    "calpha": "a bead on each Cα",
    "residue": "a bead at the centre of mass of each residue",
    "groups": "a bead at the centre of mass of each heavy atom with its hydrogens",
    "segments": "--beads contiguous segments of the bonds, as equal as can be",
    "random": "--beads groups of particles at random",
}


def scheme(name: str, system: System, beads: int | None = None, seed: int = 0) -> CoarseMap:
    """Return a map by its name in `SCHEMES`.

    Args:
        name: see `SCHEMES`.
        system: its particles.
        beads: of `segments` and `random`.
        seed: of `random`.

    Raises:
        UnknownName: no such scheme.
        ConfigError: a number of beads is missing, or none is taken.
        DataError: the system has no residues, bonds or elements that the scheme goes by.
    """
    if name not in SCHEMES:
        raise UnknownName("map", name, SCHEMES)
    if (beads is not None) != (name in ("segments", "random")):
        needs = "takes no" if beads is not None else "needs a"
        raise ConfigError(f"map {name!r} {needs} number of beads")
    if beads is not None and not 1 <= beads <= system.num_particles:
        raise ConfigError(f"{beads} beads of {system.num_particles} particles: take 1 to as many")
    masses = system.masses if (system.masses > 0).all() else None
    if name == "segments":
        return centers(segments(system, beads or 1), masses)
    if name == "random":
        return centers(_random(system.num_particles, beads or 1, seed), masses)
    if name == "residue":
        return centers(_numbered(_residues(system)), masses)
    if name == "groups":
        return centers(nearest(system, _heavy(system)), masses)
    keep = _heavy(system) if name == "heavy" else _named(system, name)
    return on_particles(keep, nearest(system, keep))


def segments(system: System, beads: int) -> np.ndarray:
    """Cut a system into contiguous segments `[particles]` of as equal size as can be.

    Particles are taken in the order of a walk along the bonds (along the chain where they are a chain or a
    ring; depth first elsewhere), so that neighbours stay together; without bonds, in their own order.
    """
    order = _walk(system)
    group = np.empty(system.num_particles, np.int64)
    group[order] = np.arange(len(order)) * beads // len(order)
    return group


def nearest(system: System, keep: np.ndarray) -> np.ndarray:
    """Return for each particle the kept one that is fewest bonds away, `[particles]` from 0.

    Of two as near, the one of the same residue, then the first. A hydrogen thus goes with its heavy atom.

    Raises:
        DataError: a particle is not bonded to any kept one.
    """
    group = np.full(system.num_particles, -1)
    group[keep] = np.arange(len(keep))
    neighbors = _neighbors(system)
    residues = system.residues if len(system.residues) else np.zeros(system.num_particles, np.int64)
    front = [int(k) for k in keep]
    while front:
        claims: dict[int, list[int]] = {}
        for here in front:
            for there in neighbors[here]:
                if group[there] < 0:
                    claims.setdefault(there, []).append(here)
        for there, claimants in claims.items():
            own = [c for c in claimants if residues[c] == residues[there]]
            group[there] = group[min(own or claimants)]
        front = sorted(claims)
    if (group < 0).any():
        lost = int(np.flatnonzero(group < 0)[0])
        raise DataError(f"particle {lost} is not bonded to any particle that carries a bead")
    return group


def _heavy(system: System) -> np.ndarray:
    elements = system.elements
    if not elements.all():
        raise DataError("this map goes by elements, and a particle of this system is no atom")
    return np.flatnonzero(elements > 1)


def _named(system: System, name: str) -> np.ndarray:
    if not system.atom_names or not system.residue_names:
        raise DataError(f"map {name!r} goes by names of atoms and residues, and this system has none")
    wanted = {"calpha": {"CA"}, "backbone": {"N", "CA", "C"}, "backbone-beta": {"N", "CA", "C", "CB"}}[name]
    heavy = set(_heavy(system).tolist())
    keep = [i for i, atom in enumerate(system.atom_names) if atom in wanted and i in heavy]
    if not keep:
        raise DataError(f"map {name!r}: no atom is named {' or '.join(sorted(wanted))}")
    return np.array(keep)


def _residues(system: System) -> np.ndarray:
    if not len(system.residues):
        raise DataError("map 'residue' goes by residues, and this system has none")
    return system.residues


def _numbered(labels: np.ndarray) -> np.ndarray:
    return np.unique(labels, return_inverse=True)[1].reshape(-1)


def _random(particles: int, beads: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    group = np.concatenate([np.arange(beads), rng.integers(0, beads, particles - beads)])
    return rng.permutation(group)


def _neighbors(system: System) -> list[list[int]]:
    neighbors: list[list[int]] = [[] for _ in range(system.num_particles)]
    for i, j in system.bonds.tolist():
        neighbors[i].append(j)
        neighbors[j].append(i)
    return [sorted(n) for n in neighbors]


def _walk(system: System) -> list[int]:
    """Every particle once, neighbours along the bonds behind each other as far as can be."""
    neighbors = _neighbors(system)
    ends = [i for i, n in enumerate(neighbors) if len(n) == 1]
    seen: set[int] = set()
    order: list[int] = []
    for start in [*_far_end(neighbors, ends), *range(len(neighbors))]:
        stack = [start]
        while stack:
            here = stack.pop()
            if here in seen:
                continue
            seen.add(here)
            order.append(here)
            # leaves (hydrogens) first, so that they stay with what they are bonded to
            stack += sorted((n for n in neighbors[here] if n not in seen), key=lambda n: -len(neighbors[n]))
    return order


def _far_end(neighbors: Sequence[Sequence[int]], ends: Sequence[int]) -> list[int]:
    """An end of the longest way through the bonds, where there are ends."""
    if not ends:
        return []
    start = ends[0]
    for _ in range(2):
        distance = {start: 0}
        line = deque([start])
        while line:
            here = line.popleft()
            for there in neighbors[here]:
                if there not in distance:
                    distance[there] = distance[here] + 1
                    line.append(there)
        start = max(distance, key=lambda i: (distance[i], -i))
    return [start]
