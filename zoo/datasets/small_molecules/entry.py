"""What the entries of both molecules do alike."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from pydantic import BaseModel

from zoo import keys
from zoo.data.dataset import Dataset
from zoo.data.entry import Check, DatasetEntry, RawData
from zoo.data.system import System
from zoo.datasets.small_molecules.molecule import Molecule
from zoo.engines.langevin import LangevinOptions
from zoo.errors import DataError


class SmallMolecule(DatasetEntry, ABC):
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
        """Put the atoms into the order of this entry, by their names, and add its names and bonds.

        Atoms whose names are other ones, such as those of LigParGen, are taken to stand in that
        order if their elements do. Raises `DataError` if the files hold another molecule, or if
        their distances are not those of its bonds.
        """
        from zoo.data.formats.names import into_order

        molecule = self.molecule
        n = len(molecule.elements)
        if raw.units != "ase":
            raise DataError(f"{self.name} is stored in Å and eV, these files are in {raw.units!r} units")
        same_names = set(raw.system.atom_names) == set(molecule.atom_names)
        if raw.system.types.tolist() == molecule.numbers and not same_names:
            raw = replace(raw, system=replace(raw.system, atom_names=(), residue_names=()))
        wanted = System(np.array(molecule.numbers), np.ones(n), molecule.type_names, **molecule.topology)
        raw = into_order(raw, wanted, f"{self.name} ({n} atoms)")
        if len(raw.arrays[keys.POSITIONS]):
            self._same_bonds(raw.arrays[keys.POSITIONS][0])
        return raw

    def _same_bonds(self, positions: np.ndarray) -> None:
        """Raise `DataError` unless those atoms of a frame `[atoms, 3]` are near that are bonded."""
        molecule = self.molecule
        apart = np.linalg.norm(positions[:, None] - positions[None], axis=-1)
        hydrogen = np.array(molecule.numbers) == 1
        # bonds are 1.0 to 1.5 Å; of atoms that are not bonded two hydrogens come nearest, at 1.5 Å
        limit = np.where(hydrogen[:, None] | hydrogen[None], 1.35, 1.8)
        near = {(int(i), int(j)) for i, j in np.argwhere(np.triu(apart < limit, 1))}
        wrong = sorted(near ^ set(molecule.bonds))
        if wrong:
            i, j = wrong[0]
            raise DataError(
                f"these are not the bonds of {self.name} in the zoo's order of atoms: "
                f"{molecule.atom_names[i]} and {molecule.atom_names[j]} are {apart[i, j]:.3g} Å apart; "
                "look at the unit of length and the order of atoms, or import under another NAME"
            )

    def checks(self, dataset: Dataset) -> list[Check]:
        """Energies recomputed, temperatures, bonds, planes of the rings, and the molecule's shape."""
        from zoo.datasets.small_molecules.checks import common_checks, same_molecule

        wrong = same_molecule(dataset, self.molecule)
        return [wrong] if wrong else [*common_checks(dataset, self.molecule), *self.shape(dataset)]

    @abstractmethod
    def shape(self, dataset: Dataset) -> list[Check]:
        """Return the checks of this molecule's shape."""
