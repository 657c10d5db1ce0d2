"""The system of beads that a map makes of a system of particles."""

from __future__ import annotations

import numpy as np

from zoo.coarse.maps import CoarseMap
from zoo.data.system import System

#: Key in `System.parameters` under which a system of beads keeps its map.
MAP = "map"


def bead_system(system: System, coarse: CoarseMap) -> System:
    """Return the beads as a `System`: masses of groups, bonds between groups, types by what is in them.

    Two beads are of one type where the same kinds of atoms (names and residues where there are any) are in
    them, so that the beads of a ring of equal particles are all alike and those of a small molecule are
    told apart. A bead on a single particle keeps that particle's name; others are named B1, B2, …

    Args:
        system: of the particles.
        coarse: of them.
    """
    groups = [np.flatnonzero(coarse.group == b) for b in range(coarse.num_beads)]
    sits = [np.flatnonzero(row) for row in coarse.positions]
    single = all(len(s) == 1 for s in sits)
    labels = [
        _kind(system, members, int(s[0]) if single else None) for members, s in zip(groups, sits, strict=True)
    ]
    known = list(dict.fromkeys(labels))
    types = np.array([known.index(label) for label in labels])
    pairs = {tuple(sorted(coarse.group[[i, j]].tolist())) for i, j in system.bonds.tolist()}
    bonds = sorted(p for p in pairs if p[0] != p[1] and p[0] >= 0)
    first = [int(s[0]) for s in sits]
    names = [system.atom_names[i] for i in first] if single and system.atom_names else None
    own = [m if len(m) else s for m, s in zip(groups, sits, strict=True)]
    return System(
        types=types,
        masses=np.array([system.masses[m].sum() for m in own]),
        type_names={i: label for i, label in enumerate(known)},
        bonds=np.array(bonds, np.int64).reshape(-1, 2),
        atom_names=tuple(names or (f"B{b + 1}" for b in range(coarse.num_beads))),
        residue_names=tuple(system.residue_names[i] for i in first) if system.residue_names else (),
        residues=system.residues[first] if len(system.residues) else system.residues,
        chains=system.chains[first] if len(system.chains) else system.chains,
        parameters={
            MAP: {
                "particles": system.num_particles,
                "positions": _sparse(coarse.positions),
                "forces": _sparse(coarse.forces),
                "group": coarse.group.tolist(),
            }
        },
    )


def map_of(system: System) -> CoarseMap | None:
    """Return the map that a system of beads was made by; None where it was made by none."""
    record = system.parameters.get(MAP)
    if record is None:
        return None
    shape = (system.num_particles, int(record["particles"]))
    return CoarseMap(
        _dense(record["positions"], shape), _dense(record["forces"], shape), np.array(record["group"])
    )


def _kind(system: System, members: np.ndarray, on: int | None) -> str:
    if on is not None:
        atom = system.atom_names[on] if system.atom_names else system.type_names[int(system.types[on])]
        return f"{system.residue_names[on]} {atom}" if system.residue_names else atom
    if system.residue_names:
        residues = list(dict.fromkeys((int(system.residues[i]), system.residue_names[i]) for i in members))
        whole = len(residues) == 1 and (system.residues == residues[0][0]).sum() == len(members)
        if whole:
            return residues[0][1]
        return " ".join(f"{system.residue_names[i]}:{system.atom_names[i]}" for i in members)
    if system.atom_names:
        return " ".join(system.atom_names[i] for i in members)
    counts: dict[str, int] = {}
    for i in members:
        name = system.type_names[int(system.types[i])]
        counts[name] = counts.get(name, 0) + 1
    return "".join(f"{name}{n if n > 1 else ''}" for name, n in sorted(counts.items()))


def _sparse(matrix: np.ndarray) -> list[list[list[float]]]:
    """Rows of (column, value) pairs."""
    return [[[int(i), float(row[i])] for i in np.flatnonzero(row)] for row in matrix]


def _dense(rows: list[list[list[float]]], shape: tuple[int, int]) -> np.ndarray:
    matrix = np.zeros(shape)
    for b, row in enumerate(rows):
        for i, value in row:
            matrix[b, int(i)] = value
    return matrix
