"""Any potential of the zoo as a calculator of ASE.

    from zoo.drivers.ase import atoms
    x = atoms(zoo.load_dataset("alanine-dipeptide"))
    x.calc = zoo.calculator("schnet-alanine-dipeptide")
    x.get_forces()                                      # eV/Å

ASE's units are those of molecules in the zoo, but for time: ASE counts in Å √(amu/eV) = 10.18 fs. In reduced
units ASE's numbers are ε, σ and τ as they stand.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes

from zoo import keys
from zoo.data.dataset import Dataset
from zoo.errors import DataError
from zoo.models.base import ZooModel
from zoo.models.potential import GraphPotential
from zoo.run import Run
from zoo.weights import load

#: Array of `ase.Atoms` that holds what the model knows each particle as, where that is no atomic number.
TYPE = "type"


class ZooCalculator(Calculator):
    """Energy and forces of a potential.

    Particles are what the array `type` of the atoms says, such as kinds of beads; without it, atomic numbers.

    Args:
        model: a potential.

    Raises:
        ConfigError: the model predicts no energies.
    """

    implemented_properties = ["energy", "forces"]  # noqa: RUF012  # as ASE declares it

    def __init__(self, model: ZooModel) -> None:
        super().__init__()
        self.model = model
        self._made: tuple[bytes, GraphPotential] | None = None
        self._potential(np.array(model.info.types[:1]), (False,) * 3)  # refuses a model that is no potential

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Sequence[str] = ("energy",),
        system_changes: Sequence[str] = all_changes,
    ) -> None:
        """Fill `results`; ASE calls this. Raises `DataError` for types that the model never saw."""
        super().calculate(atoms, properties, system_changes)
        types = self.atoms.arrays.get(TYPE, self.atoms.numbers)
        potential = self._potential(types, tuple(bool(p) for p in self.atoms.pbc))
        x = torch.from_numpy(np.array(self.atoms.positions, np.float64))[None]
        cell = torch.from_numpy(np.array(self.atoms.cell)) if self.atoms.pbc.any() else None
        energy, forces = potential.energy_and_forces(x, cell)
        self.results = {"energy": float(energy[0]), "forces": forces[0].cpu().numpy()}

    def check_state(self, atoms: Atoms, tol: float = 1e-15) -> list[str]:
        """Changes since the last calculation; `type` counts among the numbers."""
        changes = super().check_state(atoms, tol)
        known = () if self.atoms is None else self.atoms.arrays.get(TYPE, ())
        if "numbers" not in changes and not np.array_equal(known, atoms.arrays.get(TYPE, ())):
            changes.append("numbers")
        return changes

    def _potential(self, types: np.ndarray, pbc: tuple[bool, ...]) -> GraphPotential:
        key = np.asarray(types, np.int64).tobytes() + bytes(pbc)
        if self._made is None or self._made[0] != key:
            strange = sorted(set(np.asarray(types).tolist()) - set(self.model.info.types))
            if strange:
                raise DataError(
                    f"the model was trained on types {self.model.info.types}, the atoms have {strange}; "
                    "beads need an array `type`, as zoo.drivers.ase.atoms gives them"
                )
            self._made = (key, GraphPotential(self.model, types, pbc))
        return self._made[1]


def calculator(run: Run | Path | str) -> ZooCalculator:
    """Return the potential of a run of task `forces`, or a packaged one by name, as a calculator of ASE.

    Raises:
        RunError: no such run.
        ConfigError: it predicts no energies.
    """
    return ZooCalculator(load(run.path if isinstance(run, Run) else run))


def atoms(dataset: Dataset, frame: int = 0) -> Atoms:
    """Return a frame as `ase.Atoms` without calculator, velocities where they are stored.

    Elements are those of the system, `X` for beads and particles; the array `type` tells these apart for the
    calculator, and masses are the system's.

    Args:
        dataset: where it comes from.
        frame: its number.
    """
    from ase.units import fs

    system, molecule = dataset.system, dataset.units.name == "ase"
    named: dict[str, Any] = {"pbc": system.pbc}
    if system.periodic:
        named["cell"] = dataset.array(keys.CELLS)[frame]
    elements = system.elements if molecule else np.zeros(system.num_particles, int)
    out = Atoms(
        elements, np.asarray(dataset.array(keys.POSITIONS)[frame], np.float64), masses=system.masses, **named
    )
    out.new_array(TYPE, system.types.copy())
    if keys.VELOCITIES in dataset.arrays:
        out.set_velocities(dataset.array(keys.VELOCITIES)[frame] / (1000 * fs if molecule else 1.0))
    return out
