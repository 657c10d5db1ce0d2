"""What the entries of both molecules do alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel

from zoo.data.dataset import Dataset
from zoo.data.entry import Check, DatasetEntry, RawData
from zoo.datasets.small_molecules.molecule import Molecule
from zoo.engines.langevin import LangevinOptions
from zoo.errors import DataError


class SmallMolecule(DatasetEntry):
    """A molecule in vacuum, simulated with OPLS-AA: positions, energies, forces.

    Subclasses name the molecule and its options, and add the checks of its shape.
    """

    tiny: ClassVar[Mapping[str, Any]] = {"equilibration": 0.1, "interval": 0.02}
    molecule: ClassVar[Molecule]
    options: ClassVar[type[LangevinOptions]]

    def make(self, out: Path, *, frames: int | None, seed: int, options: BaseModel) -> Path:
        """Simulate `frames` frames (default 10,000) with OpenMM into the folder `out`.

        Continues after a kill, to the same result. `options` are `LangevinOptions`.

        Raises:
            EntryError: OpenMM is not installed.
            ConfigError: too few frames for the number of runs, or a seed that is negative.
            RunFailed: a simulation broke down, such as by a time step that is too long.
        """
        from zoo.datasets.small_molecules.build import make

        if not isinstance(options, LangevinOptions):
            options = self.options.model_validate(options.model_dump())
        frames = 10_000 if frames is None else frames
        return make(self.name, self.molecule, Path(out), frames=frames, seed=seed, options=options)

    def complete(self, raw: RawData) -> RawData:
        """Add names and bonds of the molecule. Raises `DataError` if the files hold another one."""
        molecule = self.molecule
        if raw.units != "ase" or raw.system.types.tolist() != molecule.numbers:
            raise DataError(
                f"these files hold {raw.system.num_particles} particles in {raw.units!r} units, not the "
                f"{len(molecule.elements)} atoms of {self.name} in the zoo's order; "
                "import them under another NAME"
            )
        system = replace(raw.system, **molecule.topology)
        return replace(raw, system=system)

    def checks(self, dataset: Dataset) -> list[Check]:
        """Energies recomputed, temperatures, bonds, planes of the rings, and the molecule's shape."""
        from zoo.datasets.small_molecules.checks import common_checks, same_molecule

        wrong = same_molecule(dataset, self.molecule)
        return [wrong] if wrong else [*common_checks(dataset, self.molecule), *self.shape(dataset)]

    def shape(self, dataset: Dataset) -> list[Check]:
        """Return the checks of this molecule's shape."""
        raise NotImplementedError
