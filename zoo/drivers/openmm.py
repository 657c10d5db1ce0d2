"""Any potential of the zoo as a force of OpenMM, through its `PythonForce` (OpenMM 8.3 and later).

    from zoo.drivers.openmm import system
    simulated = system(zoo.load_dataset("alanine-dipeptide"), zoo.load("schnet-alanine-dipeptide"))
    context = openmm.Context(simulated, openmm.LangevinMiddleIntegrator(300, 1.0, 0.001))

OpenMM counts in nm, ps, amu and kJ/mol: potentials in reduced units are refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from zoo.data.dataset import Dataset
from zoo.errors import DataError, EntryError
from zoo.models.base import ZooModel
from zoo.models.potential import GraphPotential
from zoo.units import ANGSTROM_PER_NM, EV_PER_KJ_MOL

if TYPE_CHECKING:
    import openmm


def force(potential: GraphPotential) -> openmm.PythonForce:
    """Return a force of all particles of a system, in their order.

    Args:
        potential: in Å and eV.

    Raises:
        DataError: the potential is in reduced units.
        EntryError: OpenMM is missing or too old.
    """
    mm = _openmm()
    if potential.model.info.units != "ase":
        raise DataError("OpenMM counts in nm and kJ/mol, and this potential is in reduced units; try LAMMPS")

    def compute(state: Any) -> tuple[float, np.ndarray]:
        from openmm.unit import nanometer

        x = state.getPositions(asNumpy=True).value_in_unit(nanometer) * ANGSTROM_PER_NM
        cell = None
        if any(potential.pbc):
            vectors = state.getPeriodicBoxVectors(asNumpy=True).value_in_unit(nanometer)
            cell = torch.from_numpy(np.array(vectors, np.float64) * ANGSTROM_PER_NM)
        energy, forces = potential.energy_and_forces(torch.from_numpy(np.array(x, np.float64))[None], cell)
        return float(energy[0]) / EV_PER_KJ_MOL, forces[0].cpu().numpy() * (ANGSTROM_PER_NM / EV_PER_KJ_MOL)

    out = mm.PythonForce(compute)
    out.setUsesPeriodicBoundaryConditions(any(potential.pbc))
    return out


def system(dataset: Dataset, model: ZooModel) -> openmm.System:
    """Return a system of OpenMM: the dataset's masses, and the model as the only force.

    Args:
        dataset: of the particles.
        model: a potential.

    Raises:
        ConfigError: the model predicts no energies.
        DataError: reduced units.
        EntryError: OpenMM is missing or too old.
    """
    mm = _openmm()
    out = mm.System()
    for mass in dataset.system.masses.tolist():
        out.addParticle(mass)
    out.addForce(force(GraphPotential(model, dataset.system.types, dataset.system.pbc)))
    return out


def _openmm() -> Any:
    try:
        import openmm
    except ImportError as error:
        raise EntryError("this needs OpenMM: pip install 'molzoo[simulate]'") from error
    if not hasattr(openmm, "PythonForce"):
        raise EntryError(f"OpenMM {openmm.__version__} has no PythonForce: pip install 'openmm>=8.3'")
    return openmm
