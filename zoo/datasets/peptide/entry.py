"""The dataset entry: a capped peptide, made by replica exchange, checked against independent facts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel

from zoo.data.dataset import Dataset
from zoo.data.entry import Check, DatasetEntry
from zoo.datasets.peptide.options import Options
from zoo.errors import ConfigError

#: Sequence of each variant, between the caps; the bare name means the first.
SEQUENCES = {None: "AAA", "alanine-hexapeptide": "AAAAA", "valine-dipeptide": "V"}


class PeptideEntry(DatasetEntry):
    """ACE–sequence–NME in implicit solvent: positions, energies and forces, each basin with its weight."""

    tiny: ClassVar[Mapping[str, Any]] = {
        "equilibration": 0.02, "interval": 0.02, "exchange": 0.02, "runs": 6, "levels": 2,
        "pivots": 1, "polish": 1,
    }  # fmt: skip

    def make(self, out: Path, *, frames: int | None, seed: int, options: BaseModel) -> Path:
        """Simulate `frames` frames (default 1,000) into the folder `out`.

        Continues after a kill, to the same result. `options` are `options.Options`.

        Raises:
            EntryError: OpenMM or PDBFixer is not installed.
            ConfigError: too few frames for the number of ensembles, a negative seed, a sequence that is
                none or is given for a variant, or a device that is not there.
            RunFailed: a simulation broke down, such as by a time step that is too long.
        """
        from zoo.datasets.peptide.build import make

        if not isinstance(options, Options):
            options = Options.model_validate(options.model_dump())
        sequence = SEQUENCES[self.variant]
        if options.sequence and self.variant:
            raise ConfigError(
                f"{self.name} has the sequence {sequence}: zoo data make peptide --set "
                f"sequence={options.sequence} makes another"
            )
        frames = 1000 if frames is None else frames
        return make(
            Path(out),
            name=self.name,
            sequence=options.sequence or sequence,
            frames=frames,
            seed=seed,
            options=options,
        )

    def checks(self, dataset: Dataset) -> list[Check]:
        """Energies recomputed, a thermometer, chirality, basins; see `checks.py`."""
        from zoo.datasets.peptide.checks import all_checks

        return all_checks(dataset)
