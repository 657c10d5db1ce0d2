"""Residues and named torsions of a peptide, found in elements and bonds, with or without hydrogens.

Beads on backbone atoms have no elements: there the names N, CA and C and the bonds between them tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoo.data.system import System

CARBON, NITROGEN, OXYGEN = 6, 7, 8
Quadruple = tuple[int, int, int, int]


@dataclass(frozen=True)
class Residue:
    """An amino acid of a chain, as far as its torsions are there.

    Args:
        name: `ALA 2`, or `residue 2` where the system has no residue names; caps are not counted.
        phi, psi, chi1: four atoms each, or None: at an end of the chain, in glycine and alanine, and χ1
            in proline, where the ring holds it.
    """

    name: str
    phi: Quadruple | None
    psi: Quadruple | None
    chi1: Quadruple | None


@dataclass(frozen=True)
class Peptide:
    """Residues in the order of the chain, and ω of all peptide bonds, those of caps included."""

    residues: list[Residue]
    omega: list[Quadruple]


def peptide(system: System) -> Peptide:
    """Return residues and peptide bonds, both empty for anything that is no peptide.

    A peptide bond joins a carbon that has an oxygen with no other neighbour to a nitrogen, both bound
    to one more carbon. A residue's Cα is bound to a nitrogen and to a carbon with such an oxygen.
    """
    return _Chains(system).peptide() if system.elements.any() else _of_beads(system)


def named_torsions(system: System) -> dict[str, Quadruple]:
    """Return four atoms of each torsion of a peptide's backbone and χ1, by name.

    Names are `ALA 2 φ`, `ALA 2 ψ`, `VAL 1 χ1`, and `ω 1` for the first peptide bond; of a molecule
    with one residue and no χ1, such as alanine dipeptide, plain `φ` and `ψ`.
    """
    found = peptide(system)
    alone = len(found.residues) == 1 and found.residues[0].chi1 is None
    out: dict[str, Quadruple] = {}
    for residue in found.residues:
        prefix = "" if alone else f"{residue.name} "
        angles = (("φ", residue.phi), ("ψ", residue.psi))
        out |= {prefix + sign: atoms for sign, atoms in angles if atoms is not None}
    out |= {f"ω {i}": atoms for i, atoms in enumerate(found.omega, 1)}
    return out | {f"{r.name} χ1": r.chi1 for r in found.residues if r.chi1 is not None}


class _Chains:
    def __init__(self, system: System) -> None:
        self.kind = system.elements.tolist()
        self.names = system.atom_names or ("",) * len(self.kind)
        self.residue_names = system.residue_names
        self.near: list[list[int]] = [[] for _ in self.kind]  # heavy neighbours
        for i, j in system.bonds.tolist():
            for a, b in ((i, j), (j, i)):
                if self.kind[b] > 1:
                    self.near[a].append(b)

    def peptide(self) -> Peptide:
        bonds = self._in_order(self._bonds())
        before, after = {b[3]: b for b in bonds}, {b[0]: b for b in bonds}
        residues: list[Residue] = []
        for alpha in dict.fromkeys(a for b in bonds for a in (b[0], b[3])):
            into, out = before.get(alpha), after.get(alpha)
            n = into[2] if into else self._one(alpha, NITROGEN)
            c = out[1] if out else self._carboxyl(alpha)
            if n is None or c is None:
                continue  # a cap
            residues.append(
                Residue(
                    self._name(alpha, len(residues) + 1),
                    None if into is None else (into[1], n, alpha, c),
                    None if out is None else (n, alpha, c, out[2]),
                    self._chi1(n, alpha, c, into),
                )
            )
        return Peptide(residues, bonds)

    def _bonds(self) -> list[Quadruple]:
        found = []
        for c, kind in enumerate(self.kind):
            if kind != CARBON or not self._oxygens(c):
                continue
            ahead = [a for a in self.near[c] if self.kind[a] == CARBON]
            for n in (a for a in self.near[c] if self.kind[a] == NITROGEN):
                # proline's nitrogen has two carbons more: Cα is the one that leads on
                ends = [a for a in self.near[n] if a != c and self.kind[a] == CARBON]
                ends.sort(key=lambda a: self._carboxyl(a) is None)
                if len(ahead) == 1 and ends:
                    found.append((ahead[0], c, n, ends[0]))
        return found

    def _in_order(self, bonds: list[Quadruple]) -> list[Quadruple]:
        """From the N-terminus on; a ring begins at its lowest atom."""
        left = {b[0]: b for b in bonds}
        ends = {b[3] for b in bonds}
        ordered: list[Quadruple] = []
        while left:
            alpha = min(left, key=lambda a: (a in ends, a))
            while alpha in left:
                ordered.append(left.pop(alpha))
                alpha = ordered[-1][3]
        return ordered

    def _oxygens(self, c: int) -> int:
        return sum(self.kind[a] == OXYGEN and len(self.near[a]) == 1 for a in self.near[c])

    def _one(self, atom: int, kind: int) -> int | None:
        return next((a for a in self.near[atom] if self.kind[a] == kind), None)

    def _carboxyl(self, alpha: int) -> int | None:
        """The carbon at Cα that holds most oxygens; without hydrogens serine's Cβ holds one too."""
        ends = [a for a in self.near[alpha] if self.kind[a] == CARBON and self._oxygens(a)]
        return max(ends, key=self._oxygens, default=None)

    def _chi1(self, n: int, alpha: int, c: int, into: Quadruple | None) -> Quadruple | None:
        ring = set(self.near[n]) - {alpha, -1 if into is None else into[1]}
        beta = next((a for a in self.near[alpha] if a not in (n, c) and self.kind[a] == CARBON), None)
        if beta is None or ring:
            return None
        others = [a for a in self.near[beta] if a != alpha]
        # IUPAC's first branch: the heavier atom, then the longer branch, then the lower number
        rank = sorted(others, key=lambda a: (-self.kind[a], -len(self.near[a]), self.names[a], a))
        return (n, alpha, beta, rank[0]) if rank else None

    def _name(self, alpha: int, number: int) -> str:
        return f"{self.residue_names[alpha] if self.residue_names else 'residue'} {number}"


def _of_beads(system: System) -> Peptide:
    names = system.atom_names or ("",) * system.num_particles
    near: dict[tuple[int, str], int] = {}  # neighbour of a bead by its name
    for i, j in system.bonds.tolist():
        near |= {(i, names[j]): j, (j, names[i]): i}
    residues: list[Residue] = []
    omega: list[Quadruple] = []
    for alpha in (i for i, name in enumerate(names) if name == "CA"):
        n, c = near.get((alpha, "N")), near.get((alpha, "C"))
        if n is None or c is None:
            continue
        before, after = near.get((n, "C")), near.get((c, "N"))
        if after is not None and (following := near.get((after, "CA"))) is not None:
            omega.append((alpha, c, after, following))
        label = system.residue_names[alpha] if system.residue_names else "residue"
        phi = None if before is None else (before, n, alpha, c)
        psi = None if after is None else (n, alpha, c, after)
        residues.append(Residue(f"{label} {len(residues) + 1}", phi, psi, None))
    return Peptide(residues, omega)


def torsion_planes(names: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Return the columns of φ and ψ of each residue that has both; the key is "" or `ALA 2`."""
    place = {name: i for i, name in enumerate(names)}
    pairs = {
        name[:-1].strip(): (i, place.get(name[:-1] + "ψ")) for name, i in place.items() if name[-1] == "φ"
    }
    return {residue: (i, j) for residue, (i, j) in pairs.items() if j is not None}
