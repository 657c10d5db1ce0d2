"""The dataset entry: made by OpenMM, checked against independent facts."""

from __future__ import annotations

from typing import ClassVar

from zoo.data.dataset import Dataset
from zoo.data.entry import Check
from zoo.datasets.aniline.molecule import MOLECULE
from zoo.datasets.aniline.options import Options
from zoo.datasets.small_molecules.entry import SmallMolecule
from zoo.datasets.small_molecules.molecule import Molecule
from zoo.engines.langevin import LangevinOptions


class Aniline(SmallMolecule):
    """Aniline in vacuum: positions, kinetic energies, energies and forces."""

    molecule: ClassVar[Molecule] = MOLECULE
    options: ClassVar[type[LangevinOptions]] = Options

    def shape(self, dataset: Dataset) -> list[Check]:
        """The amino group, and the whole molecule against its microwave spectrum; see `checks.py`."""
        from zoo.datasets.aniline.checks import shape_checks

        return shape_checks(dataset)
