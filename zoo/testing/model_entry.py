"""Checks of a model's entry: spec, config, and that listing it stays quick."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, get_args

import pytest
from pydantic import BaseModel, ValidationError

from zoo.config import RunConfig, merged, nest, validated
from zoo.errors import ConfigError
from zoo.models.base import FittedModel, ZooModel
from zoo.registry import REGISTRY
from zoo.registry.spec import ModelSpec, Spec

SYMMETRIES = {"permutation", "translation", "rotation", "periodic"}
#: What a spec must not import: `zoo list` reads the specs of built-ins, `zoo show` any.
HEAVY = ("torch", "numpy", "lightning", "torch_geometric", "scipy")


class EntryChecks:
    """What a spec promises about names, settings and tasks."""

    name: ClassVar[str]
    options: ClassVar[Mapping[str, Any]]

    def test_spec(self) -> None:
        """The spec tells what it is in one line, and names tasks and symmetries that exist."""
        spec = REGISTRY.get("models", self.name)
        assert isinstance(spec, ModelSpec)
        check_summary(spec)
        assert spec.tasks, "a model serves at least one task"
        for task in spec.tasks:
            REGISTRY.get("tasks", task)
        strange = set(spec.symmetries) - SYMMETRIES
        assert not strange, f"no symmetry named {strange}; there are {SYMMETRIES}"

    def test_spec_is_light(self) -> None:
        """Importing the spec imports nothing heavy."""
        check_light("models", self.name)

    def test_target(self) -> None:
        """The target is a model; it is fitted in closed form if and only if the spec says so."""
        spec = REGISTRY.get("models", self.name)
        target = REGISTRY.load_target(spec)
        assert issubclass(target, ZooModel), f"{spec.target} is no subclass of zoo.models.base.ZooModel"
        assert issubclass(target, FittedModel) == spec.fitted, "fitted=True goes with a FittedModel"

    def test_unknown_setting_is_refused(self) -> None:
        """A setting that does not exist is an error, not silently dropped."""
        with pytest.raises(ConfigError, match="no_such_setting"):
            validated(self._config(), {**self.options, "no_such_setting": 1}, "model")

    def test_config_round_trip(self) -> None:
        """Settings survive JSON, each of them, changed from its default."""
        kind = self._config()
        for settings in ({}, self.options, *changed_settings(kind, self.options)):
            config = validated(kind, settings, "model")
            text = json.dumps(config.model_dump(mode="json"))
            again = validated(kind, json.loads(text), "model")
            lost = [k for k in kind.model_fields if getattr(again, k) != getattr(config, k)]
            assert not lost, f"{', '.join(lost)} of {config!r} does not survive JSON: {text}"

    def test_recipes(self) -> None:
        """The settings recommended for a task are settings of a run, and valid."""
        spec = REGISTRY.get("models", self.name)
        assert isinstance(spec, ModelSpec)
        strange = set(spec.recipes) - set(spec.tasks)
        assert not strange, f"recipes for {strange}, which the model does not serve"
        for task, recipe in spec.recipes.items():
            record = merged({"model": {}, "dataset": {}, "task": {}}, nest(recipe))
            validated(RunConfig, record)
            validated(self._config(), record["model"], "model")
            validated(REGISTRY.load_config(REGISTRY.get("tasks", task)), record["task"], "task")

    def _config(self) -> type[BaseModel]:
        spec = REGISTRY.get("models", self.name)
        kind = REGISTRY.load_config(spec)
        assert isinstance(kind, type) and issubclass(kind, BaseModel), (
            f"config = {spec.config!r} must name a pydantic model; derive it from zoo.config.Strict"
        )
        return kind


def check_summary(spec: Spec) -> None:
    """A spec's summary is one line that fits a terminal."""
    assert spec.summary and "\n" not in spec.summary, "the summary is one line"
    assert len(spec.summary) <= 110, f"the summary has {len(spec.summary)} characters, 110 fit a line"


def check_light(group: str, name: str) -> None:
    """Importing the module of an installed entry's spec imports nothing of `HEAVY`."""
    entry = REGISTRY.find(group, name)
    if not entry.value:
        pytest.skip("registered in this process: there is no module to import")
    module = entry.value.partition(":")[0]
    code = (
        f"import sys; sys.path[:] = {sys.path!r}; import {module}; "
        f"print(*[m for m in {HEAVY!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert not done.stdout.strip(), f"importing {module} imports {done.stdout.strip()}: `zoo show` waits"


def changed_settings(kind: type[BaseModel], base: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield valid settings that differ from `base` in one field each."""
    start = kind.model_validate(dict(base))
    for field, description in kind.model_fields.items():
        value = getattr(start, field)
        for other in [*_others(value), *get_args(description.annotation)]:
            try:
                config = kind.model_validate({**base, field: other})
            except ValidationError:
                continue
            if getattr(config, field) != value:
                yield {**base, field: other}
                break


def _others(value: Any) -> list[Any]:
    """Plausible other values of the same sort."""
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int | float):
        return [value * 2, value + 1, value / 2, value - 1, value + 0.1, value - 0.1]
    if isinstance(value, list | tuple):
        return [value[:-1], [*value, *value]]
    return [3.0, 4] if value is None else []
