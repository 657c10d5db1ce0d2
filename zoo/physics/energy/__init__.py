"""Energies of molecules in torch, built from an OpenMM System; see `from_openmm`.

Inside, positions lie as `[3, atoms, batch]`: an operation runs over the batch in one sweep of memory,
and picking atoms copies whole rows. Each term maps them to energies `[batch]` in eV.
"""

from zoo.physics.energy.molecule import MolecularEnergy
from zoo.physics.energy.openmm_system import from_openmm

__all__ = ["MolecularEnergy", "from_openmm"]
