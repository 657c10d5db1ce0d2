"""Energies in torch: of molecules, built from an OpenMM System (`from_openmm`), of mixtures and polymers.

All map positions `[batch, particles, 3]` to energies `[batch]` and are differentiable. Within a
molecule's, positions lie as `[3, atoms, batch]`: an operation runs over the batch in one sweep of
memory, and picking atoms copies whole rows. Each term maps them to energies `[batch]` in eV.
"""

from zoo.physics.energy.kremer_grest import KremerGrest
from zoo.physics.energy.mixture import LennardJonesMixture
from zoo.physics.energy.molecule import MolecularEnergy
from zoo.physics.energy.openmm_system import from_openmm

__all__ = ["KremerGrest", "LennardJonesMixture", "MolecularEnergy", "from_openmm"]
