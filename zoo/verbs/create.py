"""What is there, and one model of it, untrained."""

from __future__ import annotations

from typing import Any

from zoo.config import validated
from zoo.data.dataset import Dataset
from zoo.errors import ConfigError
from zoo.models.base import ZooModel
from zoo.registry import REGISTRY


def list_models() -> list[str]:
    """Names of all models, built-in and of plugins."""
    return REGISTRY.names("models")


def list_datasets() -> list[str]:
    """Names of all datasets, built-in and of plugins."""
    return REGISTRY.names("datasets")


def list_tasks() -> list[str]:
    """Names of all tasks, built-in and of plugins."""
    return REGISTRY.names("tasks")


def list_benchmarks() -> list[str]:
    """Names of all benchmarks, built-in and of plugins."""
    return REGISTRY.names("benchmarks")


def create_model(name: str, *, dataset: Dataset, task: str | None = None, **options: Any) -> ZooModel:
    """Build an untrained model for a dataset.

    Args:
        name: of the model.
        dataset: its training split gives types, scales and targets.
        task: by default the first of the model's tasks that the dataset serves.
        options: of the model, e.g. `hidden_channels=64`.

    Raises:
        UnknownName, ConfigError, EntryError: no such model or option, or one that does not fit.
    """
    from zoo.verbs.plan import common_task

    spec = REGISTRY.get("models", name)
    REGISTRY.require(spec)
    task = task or common_task(spec, dataset)
    if task not in spec.tasks:
        raise ConfigError(f"model {name!r} does not serve task {task!r}, but {', '.join(spec.tasks)}")
    task_spec = REGISTRY.get("tasks", task)
    task_options = validated(REGISTRY.load_config(task_spec), {}, "task")
    info = REGISTRY.load_target(task_spec).data_info(dataset.split("train"), task_options)
    config = validated(REGISTRY.load_config(spec), options, "model")
    return REGISTRY.load_target(spec)(config, info)
