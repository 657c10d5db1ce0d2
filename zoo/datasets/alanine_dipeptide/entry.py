"""The dataset entry: made by OpenMM, checked against independent facts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from pydantic import BaseModel

from zoo.data.dataset import Dataset
from zoo.data.entry import Check, DatasetEntry, RawData
from zoo.data.system import System
from zoo.datasets.alanine_dipeptide.options import OF_EXCHANGE, OF_OPENMM, Options
from zoo.errors import ConfigError, DataError


class AlanineDipeptide(DatasetEntry):
    """ACE-ALA-NME in implicit solvent or in vacuum: positions, velocities, energies and forces."""

    tiny: ClassVar[Mapping[str, Any]] = {"equilibration": 0.1, "interval": 0.02}

    def make(self, out: Path, *, frames: int | None, seed: int, options: BaseModel) -> Path:
        """Simulate `frames` frames (default 10,000) into the folder `out`.

        With OpenMM; the variant `replica-exchange` in torch. Continues after a kill, to the same
        result. `options` are `options.Options`.

        Raises:
            EntryError: OpenMM is not installed.
            ConfigError: too few frames for the number of runs, a seed that is negative, or an option
                that this variant has not.
            RunFailed: a simulation broke down, such as by a time step that is too long.
        """
        from zoo.datasets.alanine_dipeptide.build import make
        from zoo.datasets.alanine_dipeptide.exchange_build import make_exchange

        if not isinstance(options, Options):
            options = Options.model_validate(options.model_dump())
        frames = 10_000 if frames is None else frames
        exchange = self.variant == "replica-exchange"
        foreign = options.model_dump(exclude_defaults=True).keys() & set(
            OF_OPENMM if exchange else OF_EXCHANGE
        )
        if foreign:
            raise ConfigError(f"{self.name} has no option {', '.join(sorted(foreign))}")
        if exchange:
            return make_exchange(Path(out), frames=frames, seed=seed, options=options)
        return make(Path(out), variant=self.variant, frames=frames, seed=seed, options=options)

    def complete(self, raw: RawData) -> RawData:
        """Put the atoms into the order of the AMBER topology, by their names, and add its names and bonds.

        Raises `DataError` if the files hold another molecule.
        """
        from zoo.data.formats.names import into_order
        from zoo.datasets.alanine_dipeptide.molecule import ATOMS, BONDS, RESIDUES

        wanted = System(
            types=np.array([number for _, _, number in ATOMS]),
            masses=np.ones(len(ATOMS)),
            type_names={1: "H", 6: "C", 7: "N", 8: "O"},
            bonds=np.array(BONDS),
            atom_names=tuple(name for _, name, _ in ATOMS),
            residue_names=tuple(residue for residue, _, _ in ATOMS),
            residues=np.array([RESIDUES.index(residue) for residue, _, _ in ATOMS]),
        )
        if raw.units != "ase":
            raise DataError(f"ACE-ALA-NME is stored in Å and eV, these files are in {raw.units!r} units")
        return into_order(raw, wanted, "ACE-ALA-NME")

    def checks(self, dataset: Dataset) -> list[Check]:
        """Energies recomputed, two thermometers, bond lengths, chirality, basins; see `checks.py`."""
        from zoo.datasets.alanine_dipeptide.checks import all_checks

        return all_checks(dataset, self.variant)
