"""The dataset entry: insulin from its packaged start, checked against its crystal structure."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from zoo.data.dataset import Dataset
from zoo.data.entry import Check
from zoo.datasets.protein.entry import Protein
from zoo.datasets.protein.options import ProteinOptions

if TYPE_CHECKING:
    from zoo.datasets.protein.structure import Structure


class Insulin(Protein):
    """Positions and forces of the insulin monomer at a choice of resolutions."""

    tiny: ClassVar[Mapping[str, Any]] = {"equilibration": 0.02, "interval": 0.02, "runs": 1}

    def start(self, options: ProteinOptions) -> tuple[Path, Structure, bool]:
        """The packaged equilibrated start, unless the options name another structure."""
        from zoo.datasets.insulin.prepare import START, package_file
        from zoo.datasets.protein.structure import read_all_atom

        if options.structure is not None:
            return super().start(options)
        path = package_file(START)
        return path, read_all_atom(path), True

    def checks(self, dataset: Dataset) -> list[Check]:
        """Those of any protein, and insulin's own: helix, core, disulfides, size."""
        from zoo.datasets.insulin.checks import insulin_checks

        return [*super().checks(dataset), *insulin_checks(dataset)]
