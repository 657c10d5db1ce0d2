"""The OpenMM System of each variant, from OpenMM's own files."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoo.datasets.alanine_dipeptide.molecule import ATOMS, BONDS, RESIDUES

if TYPE_CHECKING:
    import openmm
    from openmm import app

#: tleap turns degrees into radians with this π; the published topology carries the difference.
LEAP_PI = 3.141594
#: ff96's divisor of 1-4 electrostatics; OpenMM's file rounds its inverse to six digits.
SCEE = 1.2


@dataclass(frozen=True)
class ForceField:
    """A force field of OpenMM's own files.

    Args:
        files: names of the XML files.
        text: what it is, for the manifest.
        short: the same in a few words.
        published: whether two rounded numbers of ff96 are set as in the published topology.
    """

    files: tuple[str, ...]
    text: str
    short: str
    published: bool = False

    def openmm(self) -> app.ForceField:
        """Return OpenMM's object."""
        from openmm import app

        return app.ForceField(*self.files)


#: By variant of the dataset; the literature's is the one without a name.
FORCE_FIELDS: dict[str | None, ForceField] = {
    None: ForceField(
        ("amber96.xml", "implicit/obc1.xml"),
        "AMBER ff96 + OBC1 (mbondi2 radii, ε 1 and 78.5) + ACE surface term",
        "ff96 + OBC1",
        published=True,
    ),
    "vacuum": ForceField(("amber96.xml",), "AMBER ff96, no solvent", "ff96 in vacuum", published=True),
    "ff99sbildn": ForceField(
        ("amber99sbildn.xml", "amber99_obc.xml"),
        "AMBER ff99SB-ILDN + OBC2 (OpenMM's GBSAOBCForce, ε 1 and 78.3) + ACE surface term",
        "ff99SB-ILDN + OBC2",
    ),
}


def force_field(variant: str | None) -> ForceField:
    """Return the force field of a variant; `replica-exchange` samples the literature's."""
    return FORCE_FIELDS.get(variant, FORCE_FIELDS[None])


def build_system(hydrogen_mass: float, variant: str | None = None) -> openmm.System:
    """Return the system of a variant, without constraints.

    That without a name is the literature's (openmmtools `AlanineDipeptideImplicit`), equal to the
    published AMBER topology to 1e-6 kJ/mol: the two numbers in which OpenMM's `amber96.xml` differs
    from it are set to the topology's (`_as_published`).

    Args:
        hydrogen_mass: mass of each hydrogen, amu; no other mass is changed.
        variant: of the dataset.
    """
    chosen = force_field(variant)
    return amber_system(_topology(), chosen, chosen.openmm(), hydrogen_mass)


def amber_system(
    topology: app.Topology, chosen: ForceField, openmm_force_field: app.ForceField, hydrogen_mass: float
) -> openmm.System:
    """Return the system of any topology, without constraints, cutoff or anything that moves it.

    Args:
        topology: with hydrogens.
        chosen: a force field.
        openmm_force_field: the same as OpenMM's object, `chosen.openmm()`.
        hydrogen_mass: mass of each hydrogen, amu; no other mass is changed.
    """
    import openmm
    from openmm import app

    system = openmm_force_field.createSystem(
        topology, nonbondedMethod=app.NoCutoff, constraints=None, removeCMMotion=False
    )
    if chosen.published:
        _as_published(system)
    for i, atom in enumerate(topology.atoms()):
        if atom.element.atomic_number == 1:
            system.setParticleMass(i, hydrogen_mass)
    # Text and back: the system simulated is exactly the one that the dataset stores.
    return openmm.XmlSerializer.deserialize(openmm.XmlSerializer.serialize(system))


def _topology() -> app.Topology:
    from openmm import app

    topology = app.Topology()
    chain = topology.addChain()
    residues = {name: topology.addResidue(name, chain) for name in RESIDUES}
    atoms = [
        topology.addAtom(name, app.Element.getByAtomicNumber(number), residues[residue])
        for residue, name, number in ATOMS
    ]
    for i, j in BONDS:
        topology.addBond(atoms[i], atoms[j])
    return topology


def _as_published(system: openmm.System) -> None:
    import openmm

    stretch = LEAP_PI / math.pi
    for force in system.getForces():
        if isinstance(force, openmm.HarmonicAngleForce):
            for i in range(force.getNumAngles()):
                a, b, c, angle, k = force.getAngleParameters(i)
                force.setAngleParameters(i, a, b, c, angle * stretch, k)
        elif isinstance(force, openmm.PeriodicTorsionForce):
            for i in range(force.getNumTorsions()):
                a, b, c, d, n, phase, k = force.getTorsionParameters(i)
                force.setTorsionParameters(i, a, b, c, d, n, phase * stretch, k)
        elif isinstance(force, openmm.NonbondedForce):
            charge = [force.getParticleParameters(i)[0] for i in range(force.getNumParticles())]
            for i in range(force.getNumExceptions()):
                a, b, product, sigma, epsilon = force.getExceptionParameters(i)
                if product._value != 0:
                    force.setExceptionParameters(i, a, b, charge[a] * charge[b] / SCEE, sigma, epsilon)
