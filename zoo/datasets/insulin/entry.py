"""The dataset entry: insulin from its packaged start, checked against its crystal structure."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel

from zoo.data.dataset import Dataset
from zoo.data.entry import Check, DatasetEntry
from zoo.datasets.insulin.options import InsulinOptions
from zoo.datasets.protein.entry import Protein


class Insulin(Protein):
    """Positions and forces of the insulin monomer at a choice of resolutions."""

    tiny: ClassVar[Mapping[str, Any]] = {"equilibration": 0.02, "interval": 0.02, "workers": 1}

    def make(self, out: Path, *, frames: int | None, seed: int, options: BaseModel) -> Path:
        """Simulate `frames` frames (default 250) from the packaged start; see `Protein.make`.

        With `structure` set, from that file or PDB code instead, relaxed first.
        """
        from zoo.data.store import sha256
        from zoo.datasets.insulin.prepare import START, package_file
        from zoo.datasets.protein.build import simulate
        from zoo.datasets.protein.forcefield import require_simulation
        from zoo.datasets.protein.structure import read_all_atom

        assert isinstance(options, InsulinOptions)
        if options.structure is not None:
            return super().make(out, frames=frames, seed=seed, options=options)
        require_simulation()
        path = package_file(START)
        return simulate(
            Path(out), self.name, read_all_atom(path), options,
            frames=frames or FRAMES, seed=seed, minimize=False, provenance=provenance,
        )  # fmt: skip

    def checks(self, dataset: Dataset) -> list[Check]:
        """Those of any protein, and insulin's own: helix, core, disulfides, size."""
        from zoo.datasets.insulin.checks import insulin_checks
        from zoo.datasets.protein.checks import all_checks

        return [*all_checks(dataset), *insulin_checks(dataset)]
