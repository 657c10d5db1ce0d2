"""The dataset entry: sampled by replica exchange, checked against quadrature."""

from __future__ import annotations

from typing import ClassVar

from zoo.data.dataset import Dataset
from zoo.data.entry import Check
from zoo.datasets.toys.entry import ToyEntry


class DW4(ToyEntry):
    """Four particles in the plane with double wells between all pairs: positions, energies, forces."""

    note: ClassVar[str] = "energies in kT at temperature 1; lengths in the unit of d0 = 4"

    def checks(self, dataset: Dataset) -> list[Check]:
        """Energies recomputed, virial, thermometer, chains; energies and distances against quadrature."""
        from zoo.datasets.dw4.checks import all_checks

        return all_checks(dataset)
