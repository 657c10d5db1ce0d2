"""From a molecule to an OpenMM System: `oplsaa.xml` with OPLS's rule for unlike pairs."""

from __future__ import annotations

import math
from importlib.resources import files
from io import StringIO
from typing import TYPE_CHECKING

from zoo.datasets.small_molecules.molecule import Molecule
from zoo.engines.openmm import require_openmm

if TYPE_CHECKING:
    import openmm
    from openmm import app

#: Share of Coulomb and Lennard-Jones terms that counts between atoms three bonds apart.
SCALE_14 = 0.5


def build_system(molecule: Molecule, hydrogen_mass: float) -> openmm.System:
    """Return the molecule in vacuum, without constraints or cutoff.

    Args:
        molecule: see `Molecule`.
        hydrogen_mass: mass of each hydrogen, amu; no other mass is changed.

    Raises:
        EntryError: OpenMM is not installed.
    """
    require_openmm("a small molecule")
    import openmm
    from openmm import app

    parameters = files("zoo.datasets.small_molecules") / "oplsaa.xml"
    field = app.ForceField(str(parameters), StringIO(_residue(molecule)))
    system = field.createSystem(
        _topology(molecule), nonbondedMethod=app.NoCutoff, constraints=None, removeCMMotion=False
    )
    _geometric_means(system, molecule)
    for i, number in enumerate(molecule.numbers):
        if number == 1:
            system.setParticleMass(i, hydrogen_mass)
    # Text and back: the system simulated is exactly the one that the dataset stores.
    return openmm.XmlSerializer.deserialize(openmm.XmlSerializer.serialize(system))


def _residue(molecule: Molecule) -> str:
    """Return the molecule as OpenMM's ForceField reads it: which atom has which type."""
    atoms = zip(molecule.atom_names, molecule.types, strict=True)
    lines = [f'<Atom name="{name}" type="{kind}"/>' for name, kind in atoms]
    lines += [f'<Bond from="{i}" to="{j}"/>' for i, j in molecule.bonds]
    residue = f'<Residue name="{molecule.name}">{"".join(lines)}</Residue>'
    return f"<ForceField><Residues>{residue}</Residues></ForceField>"


def _topology(molecule: Molecule) -> app.Topology:
    from openmm import app

    topology = app.Topology()
    residue = topology.addResidue(molecule.name, topology.addChain())
    atoms = [
        topology.addAtom(name, app.Element.getByAtomicNumber(number), residue)
        for name, number in zip(molecule.atom_names, molecule.numbers, strict=True)
    ]
    for i, j in molecule.bonds:
        topology.addBond(atoms[i], atoms[j])
    return topology


def _geometric_means(system: openmm.System, molecule: Molecule) -> None:
    """Give each pair σ = √(σᵢσⱼ), ε = √(εᵢεⱼ), which a NonbondedForce knows as exceptions only."""
    import openmm

    (force,) = (f for f in system.getForces() if isinstance(f, openmm.NonbondedForce))
    n = system.getNumParticles()
    atoms = [[x._value for x in force.getParticleParameters(i)] for i in range(n)]
    for i in range(n):
        for j in range(i + 1, n):
            apart = molecule.separation[i, j]
            scale = 0.0 if apart < 3 else SCALE_14 if apart == 3 else 1.0
            (qi, si, ei), (qj, sj, ej) = atoms[i], atoms[j]
            charge, epsilon = scale * qi * qj, scale * math.sqrt(ei * ej)
            force.addException(i, j, charge, math.sqrt(si * sj), epsilon, True)
