"""Any potential of the zoo in LAMMPS, through `fix external` and its Python module.

    from zoo.drivers.lammps import LammpsSimulation
    with LammpsSimulation(zoo.load_dataset("alanine-dipeptide"), zoo.load("schnet-alanine-dipeptide")) as run:
        run.command("fix 1 all nve", "timestep 0.0005", "run 1000")
        run.positions(), run.energy()

Units are `metal` (Å, eV, ps, amu) for molecules and `lj` for reduced units: numbers need no conversion.
Another script of LAMMPS attaches the potential to its own atoms with `attach`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from zoo import keys
from zoo.data.dataset import Dataset
from zoo.engines.lammps import Session
from zoo.errors import DataError
from zoo.models.base import ZooModel
from zoo.models.potential import GraphPotential

#: Name of the fix.
FIX = "zoo"


def attach(lmp: Any, potential: GraphPotential) -> None:
    """Add a potential's forces and energy to a running LAMMPS with the same number of atoms.

    Atoms are taken by their number, from 1 on, in the order of the potential's particles; units must be
    `metal`, or `lj` for potentials in reduced units. Open boundaries, one process.

    Args:
        lmp: `lammps.lammps` with atoms.
        potential: of them.
    """
    lmp.command(f"fix {FIX} all external pf/callback 1 1")
    lmp.command(f"fix_modify {FIX} energy yes")

    def callback(_: Any, step: int, atoms: int, tag: np.ndarray, x: np.ndarray, f: np.ndarray) -> None:
        order = np.argsort(tag[:atoms])
        energy, forces = potential.energy_and_forces(torch.from_numpy(np.array(x[order], np.float64))[None])
        f[order] = forces[0].cpu().numpy()
        lmp.fix_external_set_energy_global(FIX, float(energy[0]))

    lmp.set_fix_external_callback(FIX, callback)


class LammpsSimulation(Session):
    """A frame of a dataset in LAMMPS, with a potential of the zoo as its only force.

    Args:
        dataset: of the particles.
        model: a potential.
        frame: to start from.

    Raises:
        ConfigError: the model predicts no energies.
        DataError: the dataset is periodic.
        EntryError: LAMMPS is not installed.
    """

    def __init__(self, dataset: Dataset, model: ZooModel, frame: int = 0) -> None:
        system = dataset.system
        if system.periodic:
            raise DataError(f"{dataset.name} is periodic; LAMMPS takes potentials in open space from the zoo")
        potential = GraphPotential(model, system.types)
        super().__init__()
        self.particles = system.num_particles
        x = np.asarray(dataset.array(keys.POSITIONS)[frame], np.float64)
        kinds, number = np.unique(system.masses, return_inverse=True)
        low, high = x.min() - 10, x.max() + 10
        self._do(
            f"units {'metal' if dataset.units.name == 'ase' else 'lj'}", "atom_style atomic",
            "atom_modify map array sort 0 0.0", "boundary s s s",
            f"region all block {low} {high} {low} {high} {low} {high}",
            f"create_box {len(kinds)} all",
        )  # fmt: skip
        ids = list(range(1, self.particles + 1))
        self.lmp.create_atoms(self.particles, ids, (number + 1).tolist(), x.ravel().tolist())
        self._do(*(f"mass {k} {mass}" for k, mass in enumerate(kinds, 1)))
        self._do(f"pair_style zero {potential.model.cutoff or 1.0}", "pair_coeff * *", "neigh_modify once no")
        attach(self.lmp, potential)
        self._do("run 0")

    def command(self, *commands: str) -> None:
        """Give LAMMPS commands."""
        self._do(*commands)

    def positions(self) -> np.ndarray:
        """Return `[particles, 3]`."""
        return self._gather("x")

    def velocities(self) -> np.ndarray:
        """Return `[particles, 3]`, length / time."""
        return self._gather("v")

    def set_velocities(self, velocities: np.ndarray) -> None:
        """Give every particle its velocity `[particles, 3]`."""
        self._scatter("v", velocities)

    def forces(self) -> np.ndarray:
        """Return `[particles, 3]` at the last step."""
        return self._gather("f")

    def energy(self) -> float:
        """Return the potential energy at the last step."""
        return float(self.lmp.get_thermo("pe"))
