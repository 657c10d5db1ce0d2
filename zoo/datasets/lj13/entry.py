"""The dataset entry: sampled by replica exchange, checked against identities and published samples."""

from __future__ import annotations

from typing import Any, ClassVar

from zoo.data.dataset import Dataset
from zoo.data.entry import Check
from zoo.datasets.lj13.options import Options
from zoo.datasets.toys.entry import ToyEntry
from zoo.datasets.toys.options import ToyOptions

#: Depth of each pair's well in the two conventions of the literature; see `LennardJonesCluster`.
DEPTH = {None: 2.0, "eacf": 1.0}


class LJ13(ToyEntry):
    """Thirteen Lennard-Jones particles in a harmonic trap: positions, energies, forces."""

    options: ClassVar[type[ToyOptions]] = Options
    note: ClassVar[str] = "energies in kT at temperature 1; lengths in r_min, the pair's minimum"

    def parameters(self, options: ToyOptions) -> dict[str, Any]:
        """Return particles, depth and trap."""
        assert isinstance(options, Options)
        depth = DEPTH[self.variant] if options.depth is None else options.depth
        return {"particles": options.particles, "depth": depth, "trap": options.trap}

    def checks(self, dataset: Dataset) -> list[Check]:
        """Energies recomputed, virial, thermometer, chains; averages against other samplers' and papers'."""
        from zoo.datasets.lj13.checks import all_checks

        return all_checks(dataset)
