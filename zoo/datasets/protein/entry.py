"""The dataset entry: any protein, made by OpenMM, checked against independent facts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel

from zoo.data.dataset import Dataset
from zoo.data.entry import Check, DatasetEntry
from zoo.datasets.protein.options import ProteinOptions

if TYPE_CHECKING:
    from zoo.datasets.protein.structure import Structure

#: Frames that are made where none are asked for.
FRAMES = 200


class Protein(DatasetEntry):
    """Positions and forces of a protein at a choice of resolutions; all atoms are simulated."""

    tiny: ClassVar[Mapping[str, Any]] = {"equilibration": 0.1, "interval": 0.02, "runs": 1}

    def make(self, out: Path, *, frames: int | None, seed: int, options: BaseModel) -> Path:
        """Simulate `frames` frames (default 200) with OpenMM into the folder `out`.

        Continues after a kill, to the same result. `options` are `options.ProteinOptions`.

        Raises:
            EntryError: OpenMM or PDBFixer is not installed.
            DataError: the structure is damaged, or holds what the force field does not know.
            ConfigError: too few frames for the number of runs, or a negative seed.
            RunFailed: a simulation broke down.
        """
        from zoo.datasets.protein.build import simulate
        from zoo.datasets.protein.forcefield import require_simulation

        assert isinstance(options, ProteinOptions)
        require_simulation()
        path, structure, relaxed = self.start(options)
        return simulate(
            Path(out), self.name, path, structure, options,
            frames=FRAMES if frames is None else frames, seed=seed, minimize=not relaxed,
        )  # fmt: skip

    def start(self, options: ProteinOptions) -> tuple[Path, Structure, bool]:
        """Return the file of the structure, the all-atom model of it, and whether it is relaxed."""
        from zoo.datasets.protein.source import structure_path
        from zoo.datasets.protein.structure import prepare

        path = structure_path(options.structure)
        chosen = {"model": options.model, "chains": options.chains, "others": options.others}
        return path, prepare(path, ph=options.ph, **chosen), False  # type: ignore[arg-type]

    def checks(self, dataset: Dataset) -> list[Check]:
        """Temperatures, bonds, chirality, peptide bonds, shape; see `zoo.datasets.protein.checks`."""
        from zoo.datasets.protein.checks import all_checks

        return all_checks(dataset)
