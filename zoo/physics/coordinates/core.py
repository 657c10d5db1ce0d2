"""Which atoms of a molecule are its core: the backbone of a peptide, or the longest chain."""

from __future__ import annotations

from collections import deque

import numpy as np

#: Atomic numbers.
HYDROGEN, CARBON, NITROGEN, OXYGEN = 1, 6, 7, 8


def core_atoms(elements: np.ndarray, bonds: np.ndarray) -> list[int]:
    """Return the core, ascending.

    Of a peptide, told by its bonds: N, Cα and carbonyl C of each residue (a carbon with an oxygen at its
    end, next to a carbon that is bonded to a nitrogen), and the amide atoms of caps. Of another molecule: the
    longest of the shortest ways between two heavy atoms.

    Args:
        elements: `[atoms]` atomic numbers; hydrogens are no part of a chain.
        bonds: `[bonds, 2]`.
    """
    near: list[list[int]] = [[] for _ in range(len(elements))]
    for i, j in np.asarray(bonds, int).reshape(-1, 2):
        near[i].append(int(j))
        near[j].append(int(i))
    return sorted(_backbone(elements, near)) or sorted(_longest(elements, near))


def _backbone(elements: np.ndarray, near: list[list[int]]) -> set[int]:
    def carbonyl(a: int) -> bool:
        return elements[a] == CARBON and any(elements[o] == OXYGEN and len(near[o]) == 1 for o in near[a])

    found: set[int] = set()
    for carbon in filter(carbonyl, range(len(near))):
        for alpha in near[carbon]:
            if elements[alpha] == CARBON and not carbonyl(alpha):
                found |= {n for n in near[alpha] if elements[n] == NITROGEN}
                found |= {carbon, alpha} if any(elements[n] == NITROGEN for n in near[alpha]) else set()
    amides = {n for c in found if carbonyl(c) for n in near[c] if elements[n] == NITROGEN}
    caps = {c for n in found if elements[n] == NITROGEN for c in near[n] if carbonyl(c)}
    return found | amides | caps


def _longest(elements: np.ndarray, near: list[list[int]]) -> list[int]:
    heavy = [a for a in range(len(near)) if elements[a] != HYDROGEN] or list(range(len(near)))
    allowed = set(heavy)
    ways = (_farthest(a, near, allowed) for a in heavy)
    return max(ways, key=len)


def _farthest(start: int, near: list[list[int]], allowed: set[int]) -> list[int]:
    """A shortest way from an atom to one that is farthest from it."""
    before = {start: -1}
    queue = deque([start])
    while queue:
        last = queue.popleft()
        for other in near[last]:
            if other in allowed and other not in before:
                before[other] = last
                queue.append(other)
    way = [last]
    while before[way[-1]] >= 0:
        way.append(before[way[-1]])
    return way
