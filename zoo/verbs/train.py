"""`train`: fit a model, evaluate it, keep everything in a run directory."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from zoo.config import RunConfig
from zoo.data.dataset import Frames
from zoo.errors import ConfigError, RunError
from zoo.files import write_json
from zoo.models.base import ZooModel
from zoo.run import RESULTS, Run, new_path
from zoo.tasks.base import Task
from zoo.verbs.evaluate import baselines, fitted, make_task, predict
from zoo.verbs.fit import fit
from zoo.verbs.growing.check import check_growable
from zoo.verbs.looking.journal import Journal
from zoo.verbs.plan import Plan, check_device, resolve
from zoo.weights import save_weights

#: Set for the processes that a distributed run starts, so that all use one directory.
RUN_VARIABLE = "ZOO_RUN_PATH"
#: Seconds that the other processes wait for the first one to make the run directory.
PATIENCE = 120.0


def train(
    model: str,
    dataset: str | Path,
    *,
    task: str | None = None,
    config: Path | str | Mapping[str, Any] | None = None,
    settings: Mapping[str, Any] | None = None,
    epochs: int | None = None,
    seed: int | None = None,
    accelerator: str | None = None,
    devices: int | None = None,
    nodes: int | None = None,
    out: Path | str | None = None,
    resume: bool = False,
    grow: bool = False,
    look_every: int | None = None,
    with_baselines: bool = True,
) -> Run:
    """Train a model on a dataset and evaluate it on the test split.

    Args:
        model: registry name, or `distribution:name`.
        dataset: registry name (its packaged sample), `name/variant`, or folder.
        task: name; by default the first of the model's tasks that the dataset serves.
        config: YAML file, or nested mapping, of settings.
        settings: dotted settings such as `{"optim.lr": 1e-3}`; they win over `config`.
        epochs, seed, accelerator, devices, nodes: short for `settings` of `train.…`.
        out: run directory to make; by default the first free one under `runs/`.
        resume: continue a run that was killed; it ends as if it had not been killed.
        grow: add neurons in training where they promise most; `settings` of `grow.…` say how.
        look_every: look inside every so many epochs and at the end, on the validation split, into
            `RUN/inside/epochs`, which `zoo watch` shows; the result is the same as without.
        with_baselines: fit and score the task's baselines as well.

    Returns:
        The run, with weights, predictions and results.

    Raises:
        UnknownName, ConfigError, DataError, EntryError, RunError: the request was wrong.
        RunFailed: the loss became NaN or infinite; the message names the frames.
    """
    short = {
        "epochs": epochs,
        "seed": seed,
        "accelerator": accelerator,
        "devices": devices,
        "nodes": nodes,
    }
    over: dict[str, Any] = {f"train.{k}": v for k, v in short.items() if v is not None}
    over |= {"grow": {}} if grow else {}
    plan = resolve(model, dataset, task=task, config=config, settings={**(settings or {}), **over})
    check_device(plan.config)
    train_frames = thinned(plan.dataset.split("train"), plan.config.train.frames)
    check_growable(plan, train_frames)
    _check_looks(plan, look_every)
    run = _open_run(plan, Path(out) if out else None, resume)
    if run.done:
        return run
    start = time.monotonic()
    epochs = 0 if plan.model.fitted else plan.config.train.epochs
    with Journal(run, epochs, active=not _follower(plan.config)) as journal:
        if plan.model.fitted:
            options = {k: v for k, v in plan.config.model.items() if k != "name"}
            network: ZooModel = fitted(plan.config.model["name"], options, train_frames, plan.config.task)
            lightning_task = make_task(network, plan.config.task)
        else:
            lightning_task = fit(plan, run, train_frames, journal, look_every)
            if lightning_task.global_rank != 0:  # rank 0 evaluates and writes
                return run
        journal.at("evaluating")
        _finish(plan, run, lightning_task, train_frames, time.monotonic() - start, with_baselines)
    return run


def _check_looks(plan: Plan, look_every: int | None) -> None:
    if look_every is None:
        return
    if look_every < 1:
        raise ConfigError(f"--look-every takes a number of epochs from 1, got {look_every}")
    if plan.model.fitted:
        raise ConfigError(f"{plan.model.name} is fitted in closed form: there are no epochs to look at")


def thinned(frames: Frames, number: int | None) -> Frames:
    """Return `number` evenly spaced frames; all of them for None or more than there are."""
    if number is None or number >= len(frames):
        return frames
    picked = torch.linspace(0, len(frames) - 1, number).round().long().numpy()
    return Frames(frames.dataset, frames.index[picked], frames.name)


def _open_run(plan: Plan, out: Path | None, resume: bool) -> Run:
    if _follower(plan.config):
        return _await_run(plan, out)
    if resume:
        run = Run(out) if out else _unfinished(plan.config)
        if run.config.digest() != plan.config.digest():
            raise RunError(
                f"{run.path} was started with other settings or data; repeat its settings "
                f"(`zoo train … --config {run.path / 'config.yaml'} --resume`)"
            )
    else:
        name = plan.config.dataset["name"]
        run = Run.create(out or new_path(plan.config.model["name"], name), plan.config)
    os.environ[RUN_VARIABLE] = str(run.path.resolve())
    return run


def _follower(config: RunConfig) -> bool:
    """Whether another process of this distributed run makes the directory (torchrun, srun, Lightning)."""
    if config.train.devices * config.train.nodes == 1:
        return False
    ranks = ("RANK", "SLURM_PROCID", "NODE_RANK", "LOCAL_RANK")
    return any(int(os.environ.get(name, 0)) > 0 for name in ranks)


def _await_run(plan: Plan, out: Path | None) -> Run:
    """Return the run that the first process makes, when it is there."""
    inherited = os.environ.get(RUN_VARIABLE)
    path = Path(inherited) if inherited else out
    if path is None:
        raise ConfigError("several processes share one run directory: name it with --out")
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            run = Run(path)
            if run.config.digest() == plan.config.digest():
                return run
        except (RunError, ConfigError):  # not there yet
            pass
        if time.monotonic() > deadline:
            raise RunError(f"the first process made no run of these settings at {path}")
        time.sleep(0.2)


def _unfinished(config: RunConfig) -> Run:
    """Return the newest unfinished run of `config` under `runs/`."""
    folders = sorted(Path("runs").glob("*/config.yaml"), key=lambda p: p.stat().st_mtime)
    for path in reversed(folders):
        run = Run(path.parent)
        if not run.done and run.config.digest() == config.digest():
            return run
    raise RunError("no unfinished run with these settings under runs/; name it with --out")


def _finish(
    plan: Plan, run: Run, task: Task, train_frames: Frames, seconds: float, with_baselines: bool
) -> None:
    """Evaluate on the test split; write weights, card, predictions and, last, the results."""
    test = plan.dataset.split("test")
    settings = plan.config.task
    predictions = predict(task, test)
    metrics = task.metrics(predictions, test)
    run.save_predictions(predictions, run.predictions_path())
    facts = {
        "task": settings,
        "dataset": {"name": plan.dataset.name, "digest": plan.config.dataset["digest"]},
        "metrics": metrics,
        "environment": run.environment,
    }
    save_weights(task.model, run.path, plan.config.model["name"], **facts)
    beside = (*plan.task.baselines, *task.further_baselines())
    others = [n for n in beside if with_baselines and n != plan.config.model["name"]]
    curve = run.curve()
    results = {
        "model": plan.config.model["name"],
        "dataset": plan.dataset.name,
        "task": settings["name"],
        "split": "test",
        "seed": plan.config.train.seed,
        "parameters": sum(p.numel() for p in task.model.parameters()),
        "frames": {"train": len(train_frames), "test": len(test)},
        "seconds": round(curve[-1]["seconds"] if curve else seconds, 2),
        "device": str(next(iter(task.model.state_dict().values())).device),
        "metrics": metrics,
        "baselines": baselines(tuple(others), train_frames, test, settings, task.baseline_options()),
    }
    write_json(run.path / RESULTS, results)
    os.environ.pop(RUN_VARIABLE, None)
