"""From an OpenMM System to an energy in torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.etree.ElementTree import Element

from torch import nn

from zoo.errors import DataError
from zoo.physics.energy.bonded import HarmonicAngles, HarmonicBonds
from zoo.physics.energy.born import BornEnergies
from zoo.physics.energy.cmap import CorrectionMaps
from zoo.physics.energy.molecule import MolecularEnergy
from zoo.physics.energy.pairs import PairEnergies, PairTable
from zoo.physics.energy.torsional import HarmonicTorsions, PeriodicTorsions, RyckaertBellemans
from zoo.physics.energy.xml import parse_system, refuse

_BONDED: dict[str, Callable[[Element], nn.Module]] = {
    "HarmonicBondForce": HarmonicBonds.from_xml,
    "HarmonicAngleForce": HarmonicAngles.from_xml,
    "PeriodicTorsionForce": PeriodicTorsions.from_xml,
    "RBTorsionForce": RyckaertBellemans.from_xml,
    "CMAPTorsionForce": CorrectionMaps.from_xml,
    "CustomTorsionForce": HarmonicTorsions.from_xml,
}
_PAIRS = ("NonbondedForce", "CustomNonbondedForce", "CustomBondForce")
_BORN = ("GBSAOBCForce", "CustomGBForce")
#: They move atoms or change the box; the energy of a configuration has nothing of them.
_NO_ENERGY = ("CMMotionRemover", "AndersenThermostat")


def from_openmm(system: Any) -> MolecularEnergy:
    """Return the energy of an OpenMM System as a torch module: positions `[batch, atoms, 3]` → `[batch]`.

    Known are HarmonicBond-, HarmonicAngle-, PeriodicTorsion-, RBTorsion-, CMAPTorsion-, Nonbonded-
    and GBSAOBCForce, CustomGBForce as `openmm.app` writes it for OBC1 and OBC2, and the custom
    forces of its CHARMM force field. Thermostats, barostats and movers are ignored; constraints
    carry no energy.

    Args:
        system: an `openmm.System`, or the text that `openmm.XmlSerializer` makes of one, such as a
            dataset's `system.parameters["openmm_system_xml"]`: reading that does not need OpenMM.

    Raises:
        DataError: a force cannot be represented (by name, with the reason), has a cutoff or periodic
            boundaries, or the text is no System.
    """
    if not isinstance(system, str):
        import openmm

        if not isinstance(system, openmm.System):
            raise DataError(
                f"from_openmm takes an openmm.System or its XML, not {type(system).__name__}; "
                "of a Simulation give simulation.system"
            )
        system = openmm.XmlSerializer.serialize(system)
    root = parse_system(system)
    if any(len(particle) for particle in root.findall("Particles/Particle")):
        raise DataError("from_openmm cannot represent virtual sites, which this System has")
    particles = len(root.findall("Particles/Particle"))
    bonded: list[nn.Module] = []
    pairwise: list[nn.Module] = []
    pairs = PairTable(particles)
    for force in root.findall("Forces/Force"):
        kind = force.attrib["type"]
        if kind in _BONDED:
            bonded.append(_BONDED[kind](force))
        elif kind in _PAIRS:
            pairs.add(force)
        elif kind in _BORN:
            pairwise.append(BornEnergies.from_xml(force))
        elif kind not in _NO_ENERGY and "Barostat" not in kind:
            raise refuse(force, "there is no such term in torch")
    if pairs.coulomb.any() or pairs.c12.any() or pairs.c6.any():
        pairwise.insert(0, PairEnergies.from_table(pairs))
    return MolecularEnergy(particles, bonded, pairwise)
