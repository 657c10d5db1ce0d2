"""The dataset entry: made by OpenMM, checked against independent facts."""

from __future__ import annotations

from typing import ClassVar

from zoo.data.dataset import Dataset
from zoo.data.entry import Check
from zoo.datasets.otp.molecule import MOLECULE
from zoo.datasets.otp.options import Options
from zoo.datasets.small_molecules.entry import SmallMolecule
from zoo.datasets.small_molecules.molecule import Molecule
from zoo.engines.langevin import LangevinOptions


class OrthoTerphenyl(SmallMolecule):
    """ortho-Terphenyl in vacuum: positions, kinetic energies, energies and forces."""

    molecule: ClassVar[Molecule] = MOLECULE
    options: ClassVar[type[LangevinOptions]] = Options

    def shape(self, dataset: Dataset) -> list[Check]:
        """Twist of the rings; see `checks.py`."""
        from zoo.datasets.otp.checks import shape_checks

        return shape_checks(dataset)
