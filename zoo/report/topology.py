"""Backbone torsions of a peptide, found in its bonds rather than by names."""

from __future__ import annotations

import numpy as np

from zoo.data.system import System

CARBON, NITROGEN, OXYGEN = 6, 7, 8
Quadruple = tuple[int, int, int, int]


def backbone(system: System) -> list[tuple[Quadruple, Quadruple]]:
    """Return atoms of φ (C–N–Cα–C) and ψ (N–Cα–C–N) of each residue that has both.

    A carbonyl carbon has three neighbours, one of them an oxygen that has no other. Cα is a carbon
    with four neighbours, among them a nitrogen bound to a carbonyl carbon, and a carbonyl carbon
    bound to a nitrogen.
    """
    near: list[list[int]] = [[] for _ in range(system.num_particles)]
    for i, j in system.bonds.tolist():
        near[i].append(j)
        near[j].append(i)
    kind = system.types.tolist()

    def is_carbonyl(atom: int) -> bool:
        ends = [n for n in near[atom] if kind[n] == OXYGEN and len(near[n]) == 1]
        return kind[atom] == CARBON and len(near[atom]) == 3 and bool(ends)

    found: list[tuple[Quadruple, Quadruple]] = []
    for alpha in np.flatnonzero(system.types == CARBON).tolist():
        if len(near[alpha]) != 4:
            continue
        for n in (a for a in near[alpha] if kind[a] == NITROGEN):
            before = [a for a in near[n] if a != alpha and is_carbonyl(a)]
            for c in (a for a in near[alpha] if is_carbonyl(a)):
                after = [a for a in near[c] if a != alpha and kind[a] == NITROGEN]
                if before and after:
                    found.append(((before[0], n, alpha, c), (n, alpha, c, after[0])))
    return found
