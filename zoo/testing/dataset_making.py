"""Checks of a dataset's entry and of how it is made: short, the same by seed, whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from pydantic import BaseModel

from zoo.config import validated
from zoo.data.dataset import Dataset
from zoo.data.entry import DatasetEntry, NoOptions
from zoo.errors import ConfigError, ZooError
from zoo.registry import REGISTRY
from zoo.registry.loading import missing_modules
from zoo.registry.spec import DatasetSpec
from zoo.testing.model_entry import changed_settings, check_light, check_summary


class MakingChecks:
    """The entry's promises, and `zoo data make` in small."""

    name: ClassVar[str]
    frames: ClassVar[int]
    options: ClassVar[Mapping[str, Any] | None]

    def test_spec(self) -> None:
        """The spec tells what it is in one line, its tasks exist, its target is a dataset entry."""
        spec = REGISTRY.get("datasets", self.name)
        assert isinstance(spec, DatasetSpec)
        check_summary(spec)
        for task in spec.tasks:
            REGISTRY.get("tasks", task)
        target = REGISTRY.load_target(spec)
        assert issubclass(target, DatasetEntry), f"{spec.target} is no zoo.data.entry.DatasetEntry"

    def test_spec_is_light(self) -> None:
        """Importing the spec imports nothing heavy."""
        check_light("datasets", self.name)

    def test_unknown_option_is_refused(self, entry: DatasetEntry) -> None:
        """An option that does not exist is an error, not silently dropped."""
        with pytest.raises(ConfigError, match="no_such_option"):
            validated(_config(entry), {"no_such_option": 1})

    def test_options_round_trip(self, entry: DatasetEntry) -> None:
        """Options survive JSON, each of them, changed from its default."""
        kind = _config(entry)
        for settings in ({}, *changed_settings(kind, {})):
            options = validated(kind, settings)
            text = json.dumps(options.model_dump(mode="json"))
            assert validated(kind, json.loads(text)) == options, f"{options!r} does not survive JSON: {text}"

    def test_make_is_reproducible(self, entry: DatasetEntry, tmp_path: Path) -> None:
        """A short version made twice is the same, array by array; with another seed it is not."""
        first, second, other = (
            self.make(entry, tmp_path / name, seed) for name, seed in (("a", 1), ("b", 1), ("c", 2))
        )
        left = [p.name for p in tmp_path.iterdir() if p.name not in ("a", "b", "c")]
        assert not left, f"make leaves {left} behind"
        assert len(first) >= 3 and first.manifest.name == entry.name
        assert first.arrays.keys() == second.arrays.keys()
        for name, array in first.arrays.items():
            assert np.array_equal(array, second.arrays[name]), f"{name} differs between two of one seed"
        assert not np.array_equal(first.array("positions"), other.array("positions")), (
            "another seed gives the same positions"
        )

    def test_make_replaces_nothing(self, entry: DatasetEntry, tmp_path: Path) -> None:
        """What is at the destination already stays, and the error says so."""
        out = tmp_path / "mine"
        out.mkdir()
        (out / "notes.txt").write_text("mine")
        with pytest.raises(ZooError, match="mine"):
            self.make(entry, out, 1)
        assert [p.name for p in out.iterdir()] == ["notes.txt"]

    def make(self, entry: DatasetEntry, out: Path, seed: int) -> Dataset:
        """Make the short version; the test is skipped where that is not possible here."""
        if type(entry).make is DatasetEntry.make:
            pytest.skip("the entry has no generator")
        missing = missing_modules(entry.spec)
        if missing:
            pytest.skip(f"making it needs {', '.join(missing)}")
        given = self.options if self.options is not None else entry.tiny
        options = validated(_config(entry), given)
        path = entry.make(out, frames=self.frames, seed=seed, options=options)
        assert path == out and out.is_dir(), f"make returned {path}, asked for {out}"
        return Dataset(path, verify=True)


def _config(entry: DatasetEntry) -> type[BaseModel]:
    return REGISTRY.load_config(entry.spec) or NoOptions
