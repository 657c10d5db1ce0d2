"""The dataset entry: any protein, made by OpenMM, checked against independent facts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel

from zoo.data.dataset import Dataset
from zoo.data.entry import Check, DatasetEntry
from zoo.datasets.protein.options import ProteinOptions

#: Frames that are made where none are asked for.
FRAMES = 250


class Protein(DatasetEntry):
    """Positions and forces of a protein at a choice of resolutions; all atoms are simulated."""

    tiny: ClassVar[Mapping[str, Any]] = {"equilibration": 0.1, "interval": 0.02, "workers": 1}

    def make(self, out: Path, *, frames: int | None, seed: int, options: BaseModel) -> Path:
        """Simulate `frames` frames (default 250) with OpenMM into the folder `out`.

        Continues after a kill, to the same result. `options` are `options.ProteinOptions`.

        Raises:
            EntryError: OpenMM or PDBFixer is not installed.
            DataError: the structure is damaged, or holds what the force field does not know.
            ConfigError: too few frames for the number of runs, or a negative seed.
            RunFailed: a simulation broke down.
        """
        from zoo.data.store import sha256
        from zoo.datasets.protein.build import command, simulate
        from zoo.datasets.protein.source import structure_path
        from zoo.datasets.protein.structure import prepare

        assert isinstance(options, ProteinOptions)
        frames = FRAMES if frames is None else frames
        path = structure_path(options.structure)
        structure = prepare(
            path, ph=options.ph, model=options.model, chains=options.chains, others=options.others
        )
        provenance = {
            "command": command(self.name, options, frames, seed),
            "structure": {"file": path.name, "sha256": sha256(path), "changes": structure.notes},
        }
        return simulate(
            Path(out), self.name, structure, options,
            frames=frames, seed=seed, minimize=True, provenance=provenance,
        )  # fmt: skip

    def checks(self, dataset: Dataset) -> list[Check]:
        """Temperatures, bonds, chirality, peptide bonds, shape; see `zoo.datasets.protein.checks`."""
        from zoo.datasets.protein.checks import all_checks

        return all_checks(dataset)
