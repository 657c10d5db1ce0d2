"""The OpenMM System: AMBER ff96 + OBC1 + ACE surface term, from OpenMM's own files."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from zoo.datasets.alanine_dipeptide.molecule import ATOMS, BONDS, RESIDUES

if TYPE_CHECKING:
    import openmm
    from openmm import app

#: tleap turns degrees into radians with this π; the published topology carries the difference.
LEAP_PI = 3.141594
#: ff96's divisor of 1-4 electrostatics; OpenMM's file rounds its inverse to six digits.
SCEE = 1.2


def build_system(hydrogen_mass: float) -> openmm.System:
    """Return the literature's system (openmmtools `AlanineDipeptideImplicit`, no constraints).

    Equal to the published AMBER topology to 1e-6 kJ/mol: the two numbers in which OpenMM's
    `amber96.xml` differs from it are set to the topology's (`_as_published`).

    Args:
        hydrogen_mass: mass of each hydrogen, amu; no other mass is changed.
    """
    import openmm
    from openmm import app

    field = app.ForceField("amber96.xml", "implicit/obc1.xml")
    system = field.createSystem(_topology(), constraints=None, removeCMMotion=False)
    _as_published(system)
    for i, (_, _, number) in enumerate(ATOMS):
        if number == 1:
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
