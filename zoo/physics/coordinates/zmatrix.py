"""Which bond, angle and torsion places each atom: a Z-matrix from the topology alone."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from zoo.errors import DataError
from zoo.physics.torsions import torsions


@dataclass(frozen=True)
class ZMatrix:
    """A spanning tree of the bonds; every atom is placed from its parent and two more.

    Atoms that share parent and grandparent share one torsion, that of the first of them (the one
    with most atoms behind it); the others have the angle between them and the first about that bond. So φ, ψ
    and ω are coordinates, and everything else (chirality, order of hydrogens, planarity) is local.

    Args:
        order: `[atoms]` in the order of placing.
        rows: `[atoms − 3, 4]`: atom, parent, grandparent, third reference; in the order of placing.
        first: `[atoms − 3]` row of the sibling that the torsion is relative to, −1: the third reference
            alone.
        levels: rows that can be placed at the same time, `[start, stop)` of each.
        folds: `[atoms − 3]` of a row with a torsion of its own: number of like hydrogens that turn
            with it (three of a methyl: turning by 120° changes nothing), 1 elsewhere; 0 of other rows.
        kinds: `[atoms − 3]` "rotor", "amide" (ω of a peptide bond), "stiff" (in a ring) or "local".
    """

    order: np.ndarray
    rows: np.ndarray
    first: np.ndarray
    levels: tuple[tuple[int, int], ...]
    folds: np.ndarray
    kinds: tuple[str, ...]

    @classmethod
    def from_topology(cls, elements: np.ndarray, bonds: np.ndarray, leaders: Collection[int] = ()) -> ZMatrix:
        """Build it for one molecule.

        Args:
            elements: `[atoms]` atomic numbers, or types of beads.
            bonds: `[bonds, 2]`.
            leaders: atoms that go before their siblings, whatever is behind them.

        Raises:
            DataError: fewer than four atoms, or bonds that do not connect all atoms.
        """
        atoms = len(elements)
        if atoms < 4:
            raise DataError(f"internal coordinates need four atoms or more, there are {atoms}")
        neighbors = _neighbors(atoms, bonds)
        root = _center(neighbors, elements)
        parent, breadth = _tree(neighbors, root)
        if len(breadth) < atoms:
            raise DataError(
                f"internal coordinates need one connected molecule: bonds reach {len(breadth)} of "
                f"{atoms} atoms"
            )
        size = np.ones(atoms, int)
        for atom in reversed(breadth[1:]):
            size[parent[atom]] += size[atom]
        children: list[list[int]] = [[] for _ in range(atoms)]
        for atom in breadth[1:]:
            children[parent[atom]].append(atom)
        for group in children:
            group.sort(key=lambda a: (a not in leaders, -size[a], -elements[a], a))
        second, third = _seeds(root, children)
        rings = _ring_bonds(neighbors, parent, breadth)
        rows, first, folds, kinds = [], [], [], []
        for depth in _depths(parent, breadth):
            for atom in (a for a in depth if a not in (root, second, third)):
                row, lead = _row(atom, parent, children, root, second, third)
                rows.append(row)
                first.append(lead)
                own = lead < 0 and row[3] not in children[row[1]]
                like = [s for s in _siblings(row[1], row[2], children, root, second)]
                folds.append(_fold(like, elements, children) if own else 0)
                kinds.append(_kind(row, elements, neighbors, rings) if own else "local")
        place = {row[0]: i for i, row in enumerate(rows)}
        order = np.array([root, second, third, *(row[0] for row in rows)])
        return cls(
            order, np.array(rows, int).reshape(-1, 4),
            np.array([place[lead] if lead >= 0 else -1 for lead in first], int),
            _levels(rows, first, (root, second, third)), np.array(folds, int), tuple(kinds),
        )  # fmt: skip

    @property
    def seeds(self) -> tuple[int, int, int]:
        """The three atoms that are placed first; the second is bonded to both others."""
        return int(self.order[0]), int(self.order[1]), int(self.order[2])

    def dihedrals(self, positions: np.ndarray) -> np.ndarray:
        """Return the torsion of each row `[frames, atoms − 3]` in rad, none relative to a sibling's."""
        return torsions(positions, self.rows)


def _neighbors(atoms: int, bonds: np.ndarray) -> list[list[int]]:
    out: list[list[int]] = [[] for _ in range(atoms)]
    for i, j in np.asarray(bonds, int).reshape(-1, 2):
        out[i].append(int(j))
        out[j].append(int(i))
    return [sorted(set(group)) for group in out]


def _center(neighbors: list[list[int]], elements: np.ndarray) -> int:
    """The atom from which the farthest is nearest: the shortest lever, the fewest steps."""
    heavy = [a for a in range(len(neighbors)) if len(neighbors[a]) > 1] or [0]
    return min(heavy, key=lambda a: (_reach(neighbors, a), -len(neighbors[a]), -elements[a], a))


def _reach(neighbors: list[list[int]], start: int) -> int:
    depth = {start: 0}
    queue = deque([start])
    while queue:
        atom = queue.popleft()
        for other in neighbors[atom]:
            if other not in depth:
                depth[other] = depth[atom] + 1
                queue.append(other)
    return max(depth.values())


def _tree(neighbors: list[list[int]], root: int) -> tuple[np.ndarray, list[int]]:
    parent = np.full(len(neighbors), -1)
    seen, queue = [root], deque([root])
    known = {root}
    while queue:
        atom = queue.popleft()
        for other in neighbors[atom]:
            if other not in known:
                known.add(other)
                parent[other] = atom
                seen.append(other)
                queue.append(other)
    return parent, seen


def _seeds(root: int, children: list[list[int]]) -> tuple[int, int]:
    for second in children[root]:
        if children[second]:
            return second, children[second][0]
    raise DataError("internal coordinates need a chain of four atoms")


def _ring_bonds(neighbors: list[list[int]], parent: np.ndarray, breadth: list[int]) -> set[frozenset[int]]:
    """Bonds of the tree that lie on a ring: on the way between the ends of a bond outside of it."""
    depth = np.zeros(len(neighbors), int)
    for atom in breadth[1:]:
        depth[atom] = depth[parent[atom]] + 1
    rings: set[frozenset[int]] = set()
    for a, group in enumerate(neighbors):
        for b in group:
            if a > b or parent[a] == b or parent[b] == a:
                continue
            i, j = a, b
            while i != j:
                if depth[i] < depth[j]:
                    i, j = j, i
                rings.add(frozenset((i, int(parent[i]))))
                i = int(parent[i])
    return rings


def _depths(parent: np.ndarray, breadth: list[int]) -> list[list[int]]:
    depth: dict[int, int] = {}
    out: list[list[int]] = []
    for atom in breadth:
        depth[atom] = 0 if parent[atom] < 0 else depth[int(parent[atom])] + 1
        if depth[atom] == len(out):
            out.append([])
        out[depth[atom]].append(atom)
    return out


def _siblings(j: int, k: int, children: list[list[int]], root: int, second: int) -> list[int]:
    return [a for a in children[j] if not (j == root and a == second)]


def _row(
    atom: int, parent: np.ndarray, children: list[list[int]], root: int, second: int, third: int
) -> tuple[tuple[int, int, int, int], int]:
    """References of an atom, and the sibling that its torsion is relative to (−1: none)."""
    j = int(parent[atom])
    if j == second:  # `third` is a sibling whose torsion is no coordinate
        return (atom, second, root, third), -1
    if j == root:
        k, reference = second, third
    else:
        k = int(parent[j])
        reference = second if k == root else (root if k == second else int(parent[k]))
    lead = _siblings(j, k, children, root, second)[0]
    return (atom, j, k, reference), (-1 if lead == atom else lead)


def _fold(siblings: list[int], elements: np.ndarray, children: list[list[int]]) -> int:
    alike = all(elements[a] == 1 and not children[a] for a in siblings)
    return len(siblings) if alike else 1


def _kind(
    row: tuple[int, int, int, int],
    elements: np.ndarray,
    neighbors: list[list[int]],
    rings: set[frozenset[int]],
) -> str:
    _, j, k, _ = row
    if frozenset((j, k)) in rings:
        return "stiff"
    for carbon, nitrogen in ((j, k), (k, j)):
        if elements[carbon] == 6 and elements[nitrogen] == 7 and len(neighbors[nitrogen]) >= 3:
            if any(elements[o] == 8 and len(neighbors[o]) == 1 for o in neighbors[carbon]):
                return "amide"
    return "rotor"


def _levels(
    rows: list[tuple[int, int, int, int]], first: list[int], seeds: tuple[int, int, int]
) -> tuple[tuple[int, int], ...]:
    """Cut the rows, which are sorted by depth, where a reference is not placed yet."""
    placed, levels, start = set(seeds), [], 0
    for i, row in enumerate(rows):
        if not {row[1], row[2], row[3]} <= placed:
            levels.append((start, i))
            placed |= {r[0] for r in rows[start:i]}
            start = i
    return (*levels, (start, len(rows)))
