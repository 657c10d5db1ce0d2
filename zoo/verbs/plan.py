"""From names and settings to a plan: what `--dry-run` shows and `train` does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from zoo.config import RunConfig, merged, nest, read_yaml, validated
from zoo.data.catalog import is_registered, open_dataset
from zoo.data.dataset import Dataset, Frames
from zoo.data.joined import JoinedDataset
from zoo.errors import ConfigError
from zoo.models.base import ZooModel
from zoo.registry import REGISTRY
from zoo.registry.spec import ModelSpec, TaskSpec
from zoo.verbs.evaluate import data_digest


@dataclass(frozen=True)
class Plan:
    """A resolved request: what `--dry-run` shows and `train` does."""

    config: RunConfig
    model: ModelSpec
    task: TaskSpec
    dataset: Dataset


def resolve(
    model: str,
    dataset: str | Path,
    *,
    task: str | None = None,
    config: Path | str | Mapping[str, Any] | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Plan:
    """Resolve names and settings. Later ones win: defaults, the model's recipe, `config`, `settings`.

    Raises:
        UnknownName: no such model, dataset, task or setting.
        ConfigError: a value that does not fit, or a task the model or dataset does not serve.
    """
    spec = REGISTRY.get("models", model)
    REGISTRY.require(spec)
    data = open_dataset(dataset)
    given = read_yaml(Path(config)) if isinstance(config, str | Path) else dict(config or {})
    given.pop("hash", None)
    given = merged(nest(given), nest(settings or {}))
    _refuse_bare_keys(given, spec)
    name = task or given.get("task", {}).get("name") or common_task(spec, data)
    if name not in spec.tasks:
        raise ConfigError(f"model {model!r} does not serve task {name!r}; it serves {', '.join(spec.tasks)}")
    task_spec = REGISTRY.get("tasks", name)
    for split in ("train", "test") if spec.fitted else ("train", "val", "test"):
        data.split(split)
    record = merged(nest(spec.recipes.get(name, {})), given)
    for section in ("model", "task"):
        record[section] = dict(record.get(section) or {})
        record[section].pop("name", None)
    model_options = validated(REGISTRY.load_config(spec), record["model"], "model")
    task_options = validated(REGISTRY.load_config(task_spec), record["task"], "task")
    REGISTRY.load_target(task_spec).require(data, task_options)
    label = "+".join(_label(part) for part in _parts(dataset, data))
    record["model"] = {"name": model, **model_options.model_dump(mode="json")}
    record["task"] = {"name": name, **task_options.model_dump(mode="json")}
    weights = _weights((given.get("dataset") or {}), data, spec)
    record["dataset"] = {"name": str(label), "digest": data_digest(data), **weights}
    return Plan(validated(RunConfig, record), spec, task_spec, data)


def _parts(dataset: str | Path, data: Dataset) -> list[str]:
    return str(dataset).split("+") if isinstance(data, JoinedDataset) else [str(dataset)]


def _label(name: str) -> str:
    """A folder by its full path, so that the run is found again from anywhere; else the name."""
    name = name.strip()
    return str(Path(name).resolve()) if not is_registered(name) and Path(name).is_dir() else name


def _weights(given: Mapping[str, Any], data: Dataset, spec: ModelSpec) -> dict[str, Any]:
    """Check `dataset.weights`, the shares of the parts of `A+B`."""
    unknown = sorted(set(given) - {"name", "digest", "weights"})
    if unknown:
        raise ConfigError(f"no setting named 'dataset.{unknown[0]}'; there is dataset.weights")
    weights = given.get("weights")
    if weights is None:
        return {}
    parts = len(data.parts) if isinstance(data, JoinedDataset) else 1
    numbers = isinstance(weights, list) and all(isinstance(w, int | float) for w in weights)
    if parts == 1 or not numbers or len(weights) != parts or min(weights) < 0 or sum(weights) <= 0:
        raise ConfigError(
            f"dataset.weights takes a number for each dataset of A+B, such as [3, 1]; "
            f"got {weights!r} for {parts}"
        )
    if spec.fitted:
        raise ConfigError(f"model {spec.name!r} is fitted in closed form and takes no dataset.weights")
    return {"weights": weights}


def _refuse_bare_keys(given: Mapping[str, Any], spec: ModelSpec) -> None:
    """Say `model.cutoff` to someone who wrote `cutoff`."""
    for key in given:
        if key in RunConfig.model_fields:
            continue
        sections = {
            "model": REGISTRY.load_config(spec).model_fields,
            **{s: RunConfig.model_fields[s].annotation.model_fields for s in ("optim", "train")},  # type: ignore[union-attr]
        }
        for section, fields in sections.items():
            if key in fields:
                raise ConfigError(f"no setting named {key!r}. Did you mean '{section}.{key}'?")


def common_task(spec: ModelSpec, data: Dataset) -> str:
    """Return the first task of the model that the dataset's arrays can serve."""
    arrays = set(data.arrays)
    serves = {"forces": "forces" in arrays, "propensity": "targets" in arrays}
    for name in spec.tasks:
        if serves.get(name, True):
            return name
    raise ConfigError(
        f"model {spec.name!r} serves {', '.join(spec.tasks)}, "
        f"for which dataset {data.name!r} has no data (it has {', '.join(sorted(arrays))})"
    )


def check_device(config: RunConfig) -> None:
    """Raise `ConfigError` if a device is asked for that is not there."""
    if config.train.accelerator == "gpu":
        found = torch.cuda.device_count()
        if found < config.train.devices:
            raise ConfigError(
                f"{config.train.devices} GPU asked for, torch sees {found}; "
                "use --accelerator cpu, or install torch's CUDA build"
            )


def build(plan: Plan, train_frames: Frames) -> ZooModel:
    """Build the plan's model, untrained."""
    options = {k: v for k, v in plan.config.model.items() if k != "name"}
    config = validated(REGISTRY.load_config(plan.model), options, "model")
    settings = {k: v for k, v in plan.config.task.items() if k != "name"}
    task_options = validated(REGISTRY.load_config(plan.task), settings, "task")
    task, model = REGISTRY.load_target(plan.task), REGISTRY.load_target(plan.model)
    info = task.data_info(train_frames, task_options)
    built: ZooModel = task.build(lambda: model(config, info), task_options)
    return built
