"""What a dataset's entry can do: be made, be checked, complete what a reader found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from pydantic import BaseModel, ConfigDict

from zoo.data.dataset import Dataset
from zoo.data.splits import Ranges
from zoo.data.system import System
from zoo.errors import DataError
from zoo.registry.spec import DatasetSpec


class NoOptions(BaseModel):
    """Options of an entry that has none."""

    model_config = ConfigDict(extra="forbid")


@dataclass
class RawData:
    """What a reader found in files, before an entry or the store sees it.

    Args:
        system: the constant part.
        arrays: name to array, first axis = frames; names and shapes as in `zoo.keys`.
        array_units: name to unit, one for each array.
        units: "ase" or "lj".
        temperature: where the files tell it.
        target_names, target_times: of `targets` and `clone_displacements`, if any.
        provenance: files, their sha256, format and whatever they say of their origin.
        splits: half-open frame ranges of "train", "val", "test" where the files were published so;
            None: the store splits by run or by blocks of time.
        more: further frames in chunks of the same arrays, read while they are written, so that a
            long trajectory never is in memory as a whole; `arrays` is the first chunk.
    """

    system: System
    arrays: dict[str, np.ndarray]
    array_units: dict[str, str]
    units: str
    temperature: float | None = None
    target_names: list[str] = field(default_factory=list)
    target_times: list[float] = field(default_factory=list)
    provenance: dict[str, Any] = field(default_factory=dict)
    splits: dict[str, Ranges] | None = None
    more: Iterable[dict[str, np.ndarray]] = ()


@dataclass(frozen=True)
class Check:
    """One comparison of a dataset with an independent fact.

    Args:
        name: what is compared.
        expected: the expected value or range, as text.
        source: where the expectation comes from.
        measured: value, in `unit`.
        error: its standard error, None where it is exact.
        ok: whether it holds; None where it could not be checked (`note` says why).
    """

    name: str
    expected: str
    source: str
    measured: float | None
    unit: str = ""
    error: float | None = None
    ok: bool | None = None
    note: str = ""

    def __post_init__(self) -> None:
        # numpy's booleans and numbers are not Python's: `np.False_ is False` does not hold
        if self.ok is not None:
            object.__setattr__(self, "ok", bool(self.ok))
        for name in ("measured", "error"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, float(getattr(self, name)))


class DatasetEntry:
    """Base of all dataset entries. Subclasses override what they can do.

    Args:
        spec: the entry's spec.
        variant: the part of the name after the slash, if any; one of `spec.variants`.
    """

    #: Options of a version that is made in seconds: what `zoo.testing` makes.
    tiny: ClassVar[Mapping[str, Any]] = {}

    def __init__(self, spec: DatasetSpec, variant: str | None = None) -> None:
        self.spec, self.variant = spec, variant

    @property
    def name(self) -> str:
        """Name with its variant."""
        return self.spec.name + (f"/{self.variant}" if self.variant else "")

    def make(self, out: Path, *, frames: int | None, seed: int, options: BaseModel) -> Path:
        """Simulate or generate the dataset into the folder `out`, with a progress bar.

        Called again after a kill, it continues; see `zoo.data.work.Work`. Nothing is at `out`
        before it is whole. `options` is an instance of the spec's config model.
        """
        raise DataError(f"{self.name} has no generator; import files with `zoo data import`")

    def complete(self, raw: RawData) -> RawData:
        """Add what this entry derives from a reader's arrays, such as targets.

        Called for each chunk of frames: what it derives of a frame depends on that frame alone.
        """
        return raw

    def checks(self, dataset: Dataset) -> list[Check]:
        """Compare a dataset with independent facts of this entry's physics."""
        return []
