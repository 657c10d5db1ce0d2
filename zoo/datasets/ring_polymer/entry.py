"""The entry: made by LAMMPS, checked against exact results and an independent study."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel

from zoo.data.dataset import Dataset
from zoo.data.entry import Check, DatasetEntry
from zoo.datasets.ring_polymer.options import RingPolymerOptions
from zoo.registry.spec import DatasetSpec

#: What the bare name stands for.
DEFAULT_VARIANT = "langevin-eq"


class RingPolymer(DatasetEntry):
    """Kremer-Grest rings or linear chains: positions, forces, energies; runs equally spaced in time."""

    tiny: ClassVar[Mapping[str, Any]] = {"beads": 20, "interval": 1.0, "equilibration": 20.0, "runs": 2}

    def __init__(self, spec: DatasetSpec, variant: str | None = None) -> None:
        super().__init__(spec, variant or DEFAULT_VARIANT)

    def make(self, out: Path, *, frames: int | None, seed: int, options: BaseModel) -> Path:
        """Simulate `frames` frames (default: those of the packaged sample) into the folder `out`.

        Continues after a kill, to the same result. `options` are `RingPolymerOptions`.

        Raises:
            EntryError: LAMMPS is not installed.
            ConfigError: the frames do not fit the runs, or a seed that is negative.
            DataError: `out` exists.
            RunFailed: a simulation broke down, such as by a time step that is too long.
        """
        from zoo.datasets.ring_polymer.build import make

        assert isinstance(options, RingPolymerOptions) and self.variant is not None
        return make(Path(out), variant=self.variant, frames=frames, seed=seed, options=options)

    def checks(self, dataset: Dataset) -> list[Check]:
        """Potential, temperature, size, topology and dynamics; see `zoo.datasets.ring_polymer.checks`."""
        from zoo.datasets.ring_polymer.checks import all_checks

        return all_checks(dataset)
