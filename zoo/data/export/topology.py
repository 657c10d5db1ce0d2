"""A system as mdtraj's topology, and lengths in nm."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from zoo.data.dataset import Dataset
from zoo.data.system import System
from zoo.units import ANGSTROM_PER_NM

if TYPE_CHECKING:
    import mdtraj

#: Reduced units have no length in nm: 1 σ is written as 1 nm.
NM_PER_SIGMA = 1.0


def to_nm(dataset: Dataset) -> float:
    """Return nm in one unit of the dataset's length."""
    return 1 / ANGSTROM_PER_NM if dataset.units.name == "ase" else NM_PER_SIGMA


def topology(system: System, units: str) -> mdtraj.Topology:
    """Return mdtraj's topology: chains, residues, atoms with names and elements, bonds.

    Particles in reduced units are virtual sites named by their type. What the system does not
    name is one chain of one residue.
    """
    import mdtraj
    from mdtraj.core.element import Element, virtual

    n = system.num_particles
    chain_of = system.chains if len(system.chains) else np.zeros(n, int)
    residue_of = system.residues if len(system.residues) else chain_of
    out = mdtraj.Topology()
    elements = system.elements
    chain = residue = None
    before: tuple[int, int] | None = None
    atoms = []
    for i in range(n):
        here = (int(chain_of[i]), int(residue_of[i]))
        if before is None or here[0] != before[0]:
            chain = out.add_chain()
        if here != before:
            name = system.residue_names[i] if system.residue_names else "MOL"
            residue = out.add_residue(name, chain)
        before = here
        kind = int(system.types[i])
        element = Element.getByAtomicNumber(kind) if units == "ase" and elements[i] > 0 else virtual
        name = system.atom_names[i] if system.atom_names else system.type_names[kind]
        atoms.append(out.add_atom(name, element, residue))
    for i, j in system.bonds:
        out.add_bond(atoms[i], atoms[j])
    return out
