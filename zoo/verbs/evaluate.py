"""`evaluate`: predictions of a run on a split, and their scores beside the baselines'."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo import keys
from zoo.config import validated
from zoo.data.catalog import open_dataset
from zoo.data.dataset import Dataset, Frames
from zoo.errors import ConfigError, DataError
from zoo.models.base import ZooModel
from zoo.registry import REGISTRY
from zoo.run import Run
from zoo.tasks.base import Predictions, Task
from zoo.tasks.metrics import Metric
from zoo.weights import load_weights


def evaluate(
    run: Run | Path | str,
    *,
    dataset: str | Path | None = None,
    split: str = "test",
) -> dict[str, Metric]:
    """Score a run.

    Args:
        run: a run, or its directory.
        dataset: another dataset than the run's own: name or folder.
        split: "train", "val", "test" or "all".

    Returns:
        Each metric as `{"value", "unit"}`, with `"error"` where it is known; keys are stable.

    Raises:
        RunError: no such run, or it has no weights yet.
        DataError: the dataset does not fit the model, or lacks what the task needs.
    """
    run = run if isinstance(run, Run) else Run(run)
    config = run.config
    model = load_weights(run.path)
    task = make_task(model, config.task)
    data = open_dataset(dataset if dataset is not None else config.dataset["name"])
    if dataset is None and data_digest(data) != config.dataset["digest"]:
        raise DataError(
            f"{data.name} is no longer the data that {run.path} was trained on (another sha256); "
            "to score on it all the same, name it with --dataset"
        )
    frames = data.split(split)
    check_fits(model, data)
    predictions = predict(task, frames)
    label = None if dataset is None else f"{data.name.replace('/', '-')}-{data_digest(data)}"
    run.save_predictions(predictions, run.predictions_path(split, label))
    return task.metrics(predictions, frames)


def make_task(model: ZooModel, settings: dict[str, Any], **extra: Any) -> Task:
    """Build the task named in `settings` around a model."""
    spec = REGISTRY.get("tasks", settings["name"])
    options = {k: v for k, v in settings.items() if k != "name"}
    return REGISTRY.load_target(spec)(model, validated(REGISTRY.load_config(spec), options, "task"), **extra)


def predict(task: Task, frames: Frames) -> Predictions:
    """Return predictions of all frames as arrays `[frames, …]`, with the frames' numbers."""
    task.model.eval()
    task.eval()
    return task.predictions(frames)


def baselines(
    names: tuple[str, ...],
    train: Frames,
    frames: Frames,
    settings: dict[str, Any],
    options: Mapping[str, Any],
) -> dict[str, dict[str, Metric]]:
    """Fit each baseline of a task on `train` and score it on `frames`.

    It takes of `options` what it has an option for. One that does not suit the system, as bonds do not suit
    a liquid, is left out with a remark.
    """
    out = {}
    for name in names:
        try:
            known = REGISTRY.load_config(REGISTRY.get("models", name)).model_fields
            own = {key: value for key, value in options.items() if key in known}
            model = fitted(name, own, train, settings)
        except (ConfigError, DataError) as error:
            print(f"baseline {name} left out: {error}", file=sys.stderr)
            continue
        task = make_task(model, settings)
        out[name] = task.metrics(predict(task, frames), frames)
    return out


def fitted(name: str, options: dict[str, Any], train: Frames, settings: dict[str, Any]) -> ZooModel:
    """Build a closed-form model and fit it on a split."""
    spec = REGISTRY.get("models", name)
    task_spec = REGISTRY.get("tasks", settings["name"])
    given = {k: v for k, v in settings.items() if k != "name"}
    task_options = validated(REGISTRY.load_config(task_spec), given, "task")
    config = validated(REGISTRY.load_config(spec), options, "model")
    model = REGISTRY.load_target(spec)(config, REGISTRY.load_target(task_spec).data_info(train, task_options))
    make_task(model, settings).fit_closed_form(train)
    return model.eval()


def check_fits(model: ZooModel, dataset: Dataset) -> None:
    """Raise `DataError` where a model's training data and `dataset` cannot go together."""
    info = model.info
    if dataset.manifest.units != info.units:
        raise DataError(
            f"{dataset.name} is in {dataset.manifest.units!r} units, the model was trained in "
            f"{info.units!r} units"
        )
    strange = sorted(set(dataset.system.types.tolist()) - set(info.types))
    if strange:
        names = ", ".join(dataset.system.type_names[t] for t in strange)
        raise DataError(f"{dataset.name} holds types that the model never saw: {names}")
    if info.particle_types and dataset.system.types.tolist() != info.particle_types:
        raise DataError(
            f"{dataset.name} has other particles than those that the model was trained on, and knows alone"
        )
    if info.interface == "node" and dataset.target_names != info.target_names:
        raise DataError(
            f"{dataset.name} has the targets {dataset.target_names}, the model predicts {info.target_names}"
        )


def data_digest(dataset: Dataset) -> str:
    """Short name of a dataset's content: the beginning of its positions' SHA-256."""
    return dataset.manifest.arrays[keys.POSITIONS].sha256[:12]
