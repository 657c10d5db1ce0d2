"""ACE–sequence–NME: its atoms and bonds, in the order of the AMBER topology."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.analysis.proteins import Backbone
from zoo.data.system import System
from zoo.errors import ConfigError, DataError

if TYPE_CHECKING:
    from openmm import app

#: Three-letter names; side chains are charged as at pH 7, histidine with its hydrogen at Nε.
LETTERS = {
    "A": "ALA", "R": "ARG", "N": "ASN", "D": "ASP", "C": "CYS", "Q": "GLN", "E": "GLU", "G": "GLY",
    "H": "HIE", "I": "ILE", "L": "LEU", "K": "LYS", "M": "MET", "F": "PHE", "P": "PRO", "S": "SER",
    "T": "THR", "W": "TRP", "Y": "TYR", "V": "VAL",
}  # fmt: skip
#: Fourth atom of χ1 (N–Cα–Cβ–…), the first of these that the residue has.
GAMMA = ("CG", "CG1", "OG", "OG1", "SG")
#: Pairs of atoms grow with the square of the length, and all of them count.
LONGEST = 20


@dataclass(frozen=True)
class Peptide:
    """A capped peptide, residue by residue as the templates of the force field list the atoms.

    Args:
        sequence: one-letter codes, without the caps.
        residue_names: of all residues with the caps.
        atoms: residue number, name and atomic number of each atom.
        bonds: `[bonds, 2]`.
    """

    sequence: str
    residue_names: tuple[str, ...]
    atoms: tuple[tuple[int, str, int], ...]
    bonds: np.ndarray

    @classmethod
    def of(cls, system: System) -> Peptide:
        """Return the peptide of a dataset, without OpenMM. Raises `DataError` if it is none."""
        sequence = system.parameters.get("sequence")
        if not sequence or not system.atom_names or not len(system.residues):
            raise DataError("the system is no capped peptide: it lacks a sequence, names or residues")
        first = np.unique(system.residues, return_index=True)[1]
        return cls(
            sequence,
            tuple(system.residue_names[i] for i in first),
            tuple(zip(system.residues.tolist(), system.atom_names, system.types.tolist(), strict=True)),
            system.bonds,
        )

    @cached_property
    def index(self) -> dict[tuple[int, str], int]:
        """Number of an atom by residue and name."""
        return {(residue, name): i for i, (residue, name, _) in enumerate(self.atoms)}

    @property
    def numbers(self) -> np.ndarray:
        """Atomic numbers `[atoms]`."""
        return np.array([number for _, _, number in self.atoms])

    @property
    def residues(self) -> np.ndarray:
        """Residue `[atoms]`, ACE is 0."""
        return np.array([residue for residue, _, _ in self.atoms])

    def backbone(self) -> Backbone:
        """Return φ, ψ, ω of the residues, found by name."""
        # the ends of the caps are no Cα by name, but the peptide bond turns about them all the same
        names = ["CA" if name == "CH3" else name for _, name, _ in self.atoms]
        return Backbone.of(names, self.residues, np.zeros(len(names), np.int64))

    def chi1(self) -> dict[int, tuple[int, int, int, int]]:
        """Return the atoms of χ1 by residue; proline's is part of its ring and left out."""
        found = {}
        for residue, name in enumerate(self.residue_names):
            gamma = next((g for g in GAMMA if (residue, g) in self.index), None)
            if gamma and name != "PRO":
                a, b, c, d = (self.index[residue, n] for n in ("N", "CA", "CB", gamma))
                found[residue] = (a, b, c, d)
        return found

    def topology(self) -> app.Topology:
        """Return OpenMM's Topology."""
        from openmm import app

        topology = app.Topology()
        chain = topology.addChain()
        residues = [topology.addResidue(name, chain) for name in self.residue_names]
        atoms = [
            topology.addAtom(name, app.Element.getByAtomicNumber(number), residues[residue])
            for residue, name, number in self.atoms
        ]
        for i, j in self.bonds.tolist():
            topology.addBond(atoms[i], atoms[j])
        return topology


def peptide(sequence: str, force_field: Any) -> Peptide:
    """Return the peptide ACE–sequence–NME.

    Args:
        sequence: one-letter codes.
        force_field: OpenMM's `app.ForceField`, whose templates say which atoms a residue has.

    Raises:
        ConfigError: a letter is no amino acid, or there are none or too many.
    """
    unknown, known = sorted(set(sequence) - set(LETTERS)), "".join(sorted(LETTERS))
    if unknown:
        raise ConfigError(f"sequence={sequence}: {', '.join(unknown)} is no amino acid; known are {known}")
    if not 0 < len(sequence) <= LONGEST:
        raise ConfigError(f"sequence={sequence!r} has {len(sequence)} residues: 1 to {LONGEST} are possible")
    names = ("ACE", *(LETTERS[letter] for letter in sequence), "NME")
    atoms: list[tuple[int, str, int]] = []
    bonds: list[tuple[int, int]] = []
    carbonyl = -1
    for residue, name in enumerate(names):
        template, first = force_field._templates[name], len(atoms)
        atoms += [(residue, a.name, a.element.atomic_number) for a in template.atoms]
        bonds += [(first + min(b), first + max(b)) for b in template.bonds]
        own = _places(atoms[first:], first)
        if residue:
            bonds.append((carbonyl, own["N"]))
        carbonyl = own.get("C", -1)
    return Peptide(sequence, names, tuple(atoms), np.array(sorted(bonds)))


def _places(atoms: Sequence[tuple[int, str, int]], first: int) -> dict[str, int]:
    return {name: first + i for i, (_, name, _) in enumerate(atoms)}
