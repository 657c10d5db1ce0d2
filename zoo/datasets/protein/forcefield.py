"""The force field: AMBER ff99SB-ILDN with OBC2 implicit solvent, as OpenMM ships it."""

from __future__ import annotations

from typing import Any

import numpy as np

from zoo.data.system import System
from zoo.engines.openmm import require_openmm
from zoo.errors import DataError, EntryError

FILES = ("amber99sbildn.xml", "amber99_obc.xml")
NAME = "AMBER ff99SB-ILDN + OBC2 implicit solvent (ε 1 and 78.3) + ACE surface term, no cutoff"


def require_simulation() -> None:
    """Raise `EntryError` with the line to install where OpenMM or PDBFixer is missing."""
    require_openmm("a protein")
    try:
        import pdbfixer  # noqa: F401
    except ImportError as error:
        raise EntryError(
            "structure files are completed with PDBFixer, which is not installed: "
            "pip install 'molzoo[simulate]'"
        ) from error


def force_field() -> Any:
    """Return OpenMM's ForceField."""
    from openmm import app

    return app.ForceField(*FILES)


def build_system(topology: Any, hydrogen_mass: float) -> Any:
    """Return the OpenMM System of a topology: bonds to hydrogen rigid, no cutoff, nothing else moved.

    Args:
        topology: OpenMM's, with hydrogens.
        hydrogen_mass: amu; what hydrogens gain, the atoms that they are bonded to lose.

    Raises:
        DataError: the force field has no parameters for a residue.
    """
    from openmm import app, unit

    try:
        return force_field().createSystem(
            topology,
            nonbondedMethod=app.NoCutoff,
            constraints=app.HBonds,
            hydrogenMass=hydrogen_mass * unit.amu,
            removeCMMotion=False,
        )
    except ValueError as error:
        reason = str(error).splitlines()[0].split(".")[0]
        raise DataError(f"the force field has no parameters for this molecule: {reason}") from error


def topology_of(system: System) -> Any:
    """Return OpenMM's Topology of a dataset that stores all atoms; `build_system` takes it."""
    from openmm import app

    topology = app.Topology()
    chain = residue = None
    before: tuple[int, int] = (-1, -1)
    atoms = []
    for i, number in enumerate(system.types.tolist()):
        here = (int(system.chains[i]), int(system.residues[i]))
        if here[0] != before[0]:
            chain = topology.addChain()
        if here != before:
            residue = topology.addResidue(system.residue_names[i], chain)
        before = here
        atoms.append(topology.addAtom(system.atom_names[i], app.Element.getByAtomicNumber(number), residue))
    for i, j in np.asarray(system.bonds).tolist():
        topology.addBond(atoms[i], atoms[j])
    return topology
