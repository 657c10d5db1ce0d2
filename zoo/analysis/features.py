"""Numbers that a conformation is judged by: torsions, size, ends, bonds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from zoo.analysis.peptides import named_torsions
from zoo.analysis.polymers import gyration_radius_squared
from zoo.physics.torsions import torsions

if TYPE_CHECKING:
    from zoo.data.system import System

#: Up to so many bonds are looked at one by one; of more, all lengths together.
EACH_BOND = 8
#: Pairs of particles whose distances describe a conformation, at most.
PAIRS = 500


@dataclass(frozen=True)
class Feature:
    """A number of a conformation.

    Args:
        name: such as `φ`, `Rg`, `C1–N2`.
        unit: `rad`, or None for the dataset's unit of length.
        values: positions `[frames, particles, 3]` → `[frames]`, or `[frames, k]` of k like numbers.
        period: 2π of an angle.
    """

    name: str
    unit: str | None
    values: Callable[[np.ndarray], np.ndarray]
    period: float | None = None


def features(system: System) -> list[Feature]:
    """Return what there is to look at in a molecule: named torsions first, then size, ends and bonds.

    A linear chain has an end-to-end distance, a ring the largest distance between two of its particles.
    """
    out = [
        Feature(name, "rad", partial(_torsion, atoms=atoms), 2 * np.pi)
        for name, atoms in named_torsions(system).items()
    ]
    out.append(Feature("Rg", None, lambda x: np.sqrt(gyration_radius_squared(x))))
    order, ring = chain_order(system)
    if len(order) > 2:
        if ring:
            out.append(Feature("diameter", None, diameter))
        else:
            out.append(Feature("end-to-end", None, partial(_distance, i=order[0], j=order[-1])))
    if 0 < len(system.bonds) <= EACH_BOND:
        names = system.atom_names or tuple(system.type_names[int(t)] for t in system.types)
        distinct = len(set(names)) == len(names)
        for i, j in system.bonds.tolist():
            label = f"{names[i]}–{names[j]}" if distinct else f"{names[i]}{i + 1}–{names[j]}{j + 1}"
            out.append(Feature(label, None, partial(_distance, i=i, j=j)))
    elif len(system.bonds):
        out.append(Feature("bonds", None, lambda x: distances(x, system.bonds)))
    return out


def slow_coordinates(system: System) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function of positions `[frames, particles, 3]` → `[frames, k]` for TICA.

    Sine and cosine of named torsions where there are any; otherwise distances of all pairs, of every
    so manieth particle in a large system.
    """
    named = np.array(list(named_torsions(system).values()), int).reshape(-1, 4)
    if len(named):
        return lambda x: np.concatenate([f(torsions(x, named)) for f in (np.sin, np.cos)], axis=1)
    most = int((1 + np.sqrt(1 + 8 * PAIRS)) / 2)
    picked = np.unique(np.linspace(0, system.num_particles - 1, min(system.num_particles, most)).astype(int))
    pairs = np.array(list(combinations(picked.tolist(), 2)), int).reshape(-1, 2)
    return lambda x: distances(x, pairs)


def distances(positions: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Return distances `[frames, pairs]` of pairs `[pairs, 2]`."""
    x = np.asarray(positions, np.float64)
    return np.linalg.norm(x[:, pairs[:, 1]] - x[:, pairs[:, 0]], axis=-1)


def _torsion(positions: np.ndarray, atoms: Sequence[int]) -> np.ndarray:
    return torsions(positions, np.array([atoms]))[:, 0]


def _distance(positions: np.ndarray, i: int, j: int) -> np.ndarray:
    return distances(positions, np.array([[i, j]]))[:, 0]


def diameter(positions: np.ndarray) -> np.ndarray:
    """Return the largest distance between two particles, `[frames]`."""
    pairs = np.array(list(combinations(range(positions.shape[1]), 2)), int).reshape(-1, 2)
    step = max(1, 2_000_000 // max(1, len(pairs)))
    parts = [distances(positions[i : i + step], pairs).max(1) for i in range(0, len(positions), step)]
    return np.concatenate(parts) if parts else np.zeros(0)


def chain_order(system: System) -> tuple[list[int], bool]:
    """Return the particles along an unbranched chain or ring, and whether it is a ring; empty if neither."""
    near: list[list[int]] = [[] for _ in range(system.num_particles)]
    for i, j in system.bonds.tolist():
        near[i].append(j)
        near[j].append(i)
    degrees = [len(n) for n in near]
    if not degrees or max(degrees) > 2 or min(degrees) < 1:
        return [], False
    ends = [i for i, d in enumerate(degrees) if d == 1]
    order = [min(ends, default=0)]
    before = -1
    while True:
        ahead = [n for n in near[order[-1]] if n != before and n != order[0]]
        if not ahead:
            break
        before = order[-1]
        order.append(min(ahead))
    return (order, not ends) if len(order) == system.num_particles else ([], False)
