"""What the entries of toy targets have in common."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel

from zoo.data.entry import DatasetEntry
from zoo.datasets.toys.options import ToyOptions


class ToyEntry(DatasetEntry):
    """A target sampled by `zoo.physics.samplers`; subclasses name its parameters and its checks."""

    tiny: ClassVar[Mapping[str, Any]] = {
        "runs": 6, "chains": 2, "steps": 5, "levels": 2, "equilibration": 5, "workers": 1
    }  # fmt: skip
    #: Class of the options.
    options: ClassVar[type[ToyOptions]] = ToyOptions
    #: What lengths and energies are measured in.
    note: ClassVar[str]

    def parameters(self, options: ToyOptions) -> dict[str, Any]:
        """Return the parameters of the potential in `zoo.physics.toys`."""
        return {}

    def make(self, out: Path, *, frames: int | None, seed: int, options: BaseModel) -> Path:
        """Sample `frames` frames (default 10,000) into the folder `out`.

        Continues after a kill, to the same result.

        Raises:
            ConfigError: too few frames for the number of runs, or a seed that is negative.
            RunFailed: the sampler broke down, such as by a time step that is too long.
        """
        from zoo.datasets.toys.build import make

        if not isinstance(options, self.options):
            options = self.options.model_validate(options.model_dump())
        return make(
            Path(out),
            self.name,
            frames=10_000 if frames is None else frames,
            seed=seed,
            options=options,
            parameters=self.parameters(options),
            note=self.note,
        )
