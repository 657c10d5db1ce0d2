"""`DatasetSuite`: what every dataset of the zoo has to pass. Inherit it, name yours, run pytest."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest

from zoo.config import validated
from zoo.data.catalog import dataset_entry, open_dataset
from zoo.data.dataset import Dataset
from zoo.data.entry import DatasetEntry, NoOptions
from zoo.registry import REGISTRY
from zoo.testing.dataset_making import MakingChecks
from zoo.testing.dataset_sample import SampleChecks


class DatasetSuite(MakingChecks, SampleChecks):
    """Conformance tests of one dataset: its sample, and a short version made anew.

        class TestMine(DatasetSuite):
            name = "my-dataset"
            options = {"particles": 20}     # of the short version; by default the entry's `tiny`

    An entry without a packaged sample is made once with its default options.
    """

    name: ClassVar[str]
    #: Frames of the short version.
    frames: ClassVar[int] = 12
    options: ClassVar[Mapping[str, Any] | None] = None

    @pytest.fixture
    def entry(self) -> DatasetEntry:
        """The entry under test."""
        return dataset_entry(self.name)

    @pytest.fixture
    def dataset(self, entry: DatasetEntry, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
        """The packaged sample; made here and now, not taken from the cache, where there is none."""
        if entry.spec.sample is not None:
            return open_dataset(self.name)
        if self.name not in _MADE:
            options = validated(REGISTRY.load_config(entry.spec) or NoOptions, {})
            out = tmp_path_factory.mktemp("sample") / "sample"
            _MADE[self.name] = entry.make(out, frames=None, seed=0, options=options)
        return Dataset(_MADE[self.name])


#: Samples made in this process: once for all checks.
_MADE: dict[str, Path] = {}
