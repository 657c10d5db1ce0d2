"""The dataset entry: made by OpenMM, checked against independent facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from pydantic import BaseModel

from zoo.data.dataset import Dataset
from zoo.data.entry import Check, DatasetEntry, RawData
from zoo.datasets.alanine_dipeptide.options import Options
from zoo.errors import DataError


class AlanineDipeptide(DatasetEntry):
    """ACE-ALA-NME in implicit solvent: positions, velocities, energies and forces."""

    tiny: ClassVar[Mapping[str, Any]] = {"equilibration": 0.1, "interval": 0.02}

    def make(self, out: Path, *, frames: int | None, seed: int, options: BaseModel) -> Path:
        """Simulate `frames` frames (default 10,000) with OpenMM into the folder `out`.

        Continues after a kill, to the same result. `options` are `options.Options`.

        Raises:
            EntryError: OpenMM is not installed.
            ConfigError: too few frames for the number of runs, or a seed that is negative.
            RunFailed: a simulation broke down, such as by a time step that is too long.
        """
        from zoo.datasets.alanine_dipeptide.build import make

        if not isinstance(options, Options):
            options = Options.model_validate(options.model_dump())
        return make(Path(out), frames=10_000 if frames is None else frames, seed=seed, options=options)

    def complete(self, raw: RawData) -> RawData:
        """Add names and bonds of the molecule. Raises `DataError` if the files hold another one."""
        from zoo.datasets.alanine_dipeptide.molecule import ATOMS, BONDS

        numbers = [number for _, _, number in ATOMS]
        if raw.units != "ase" or raw.system.types.tolist() != numbers:
            raise DataError(
                f"these files hold {raw.system.num_particles} particles in {raw.units!r} units, not the "
                "22 atoms of ACE-ALA-NME in the order of its AMBER topology; import them under another NAME"
            )
        system = replace(
            raw.system,
            bonds=np.array(BONDS),
            atom_names=tuple(name for _, name, _ in ATOMS),
            residue_names=tuple(residue for residue, _, _ in ATOMS),
        )
        return replace(raw, system=system)

    def checks(self, dataset: Dataset) -> list[Check]:
        """Energies recomputed, two thermometers, bond lengths, chirality, basins; see `checks.py`."""
        from zoo.datasets.alanine_dipeptide.checks import all_checks

        return all_checks(dataset)
