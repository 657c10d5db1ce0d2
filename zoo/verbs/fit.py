"""Gradient descent through Lightning: devices, precision, schedules, resume."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback, EarlyStopping, ModelCheckpoint

from zoo.data.dataset import Frames
from zoo.errors import EntryError, RunError, RunFailed
from zoo.models.growth import grow_to
from zoo.progress import progress
from zoo.run import LAST, Run
from zoo.tasks.base import Task
from zoo.tasks.callbacks import AveragedWeights, BestWeights, Curve, EpochSeed, Progress
from zoo.verbs.evaluate import make_task
from zoo.verbs.growing.callback import Growing, growth_of
from zoo.verbs.looking.callback import Looking
from zoo.verbs.looking.health import Health
from zoo.verbs.looking.journal import Journal
from zoo.verbs.plan import Plan, build

BEST = "checkpoints/best.safetensors"


def fit(plan: Plan, run: Run, train_frames: Frames, journal: Journal, look_every: int | None = None) -> Task:
    """Train the plan's model in `run`, from its last checkpoint if it has one.

    What goes wrong is written to `journal`; every `look_every` epochs there are looks inside.

    Returns the task with the weights of the best epoch by validation loss.
    """
    settings = plan.config.train
    val_frames = plan.dataset.split("val")
    _quieten_lightning()
    torch.manual_seed(settings.seed)
    model = build(plan, train_frames)
    world = settings.devices * settings.nodes
    last = _last_checkpoint(run)
    if last is not None:
        grow_to(model, growth_of(last))
    task = make_task(model, plan.config.task, optim=plan.config.optim)
    steps = task.epoch_steps(train_frames, settings, world)
    task.total_steps = steps * settings.epochs
    task.begin(train_frames, val_frames, settings, fresh=last is None)
    loader, val_loader = task.loaders(steps, plan.config.dataset.get("weights"))
    best = BestWeights(run.path / BEST, always=not task.keep_best)
    with progress(f"training {plan.config.model['name']}", steps * settings.epochs, "steps") as bar:
        trainer = lightning.Trainer(
            accelerator=settings.accelerator,
            devices=settings.devices,
            num_nodes=settings.nodes,
            strategy=task.distributed if world > 1 else "auto",
            precision=settings.precision,
            max_epochs=settings.epochs,
            gradient_clip_val=settings.gradient_clip,
            check_val_every_n_epoch=settings.validate_every,
            callbacks=_callbacks(plan, run, train_frames, best, Progress(bar), journal, look_every),
            logger=_logger(settings.logger, run),
            num_sanity_val_steps=0,
            inference_mode=False,
            use_distributed_sampler=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            default_root_dir=run.path,
        )
        try:
            trainer.fit(task, loader, val_loader, ckpt_path=last, weights_only=True)
        except SystemExit as stop:  # what Lightning makes of Ctrl-C
            raise KeyboardInterrupt(f"to continue: --resume --out {run.path}") from stop
    if best.epoch < 0:
        raise RunFailed(f"{run.path}: no epoch was validated; lower train.validate_every")
    if trainer.is_global_zero:
        best.restore(task.model)
    return task


def _last_checkpoint(run: Run) -> Path | None:
    path = run.path / LAST
    if not path.is_file():
        return None
    try:
        torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except Exception as error:  # a damaged file can raise nearly anything
        raise RunError(f"{path} is damaged; remove it to start this run again") from error
    return path


def _callbacks(
    plan: Plan, run: Run, frames: Frames, best: BestWeights, bar: Progress, journal: Journal,
    look_every: int | None,
) -> list[Callback]:  # fmt: skip
    settings, grow = plan.config.train, plan.config.grow
    averaged = None if settings.ema is None else AveragedWeights(settings.ema)
    callbacks: list[Callback] = [EpochSeed(settings.seed), best]
    if averaged is not None:  # behind `best`, which must see the averaged weights
        callbacks.append(averaged)
    if settings.early_stopping is not None:
        callbacks.append(EarlyStopping("val_loss", patience=settings.early_stopping))
    if grow is not None:
        callbacks.append(Growing(grow, run, frames, settings.seed, journal, averaged))
    last = Path(LAST)
    checkpoint = ModelCheckpoint(
        run.path / last.parent,
        filename=last.stem,
        enable_version_counter=False,
        save_on_train_epoch_end=True,
    )
    curve = Curve(run.curve(), run.write_curve)
    callbacks += [curve, Health(journal, curve)]
    if look_every is not None:
        callbacks.append(Looking(look_every, plan, run, journal, curve))
    return [*callbacks, bar, checkpoint]


def _logger(kind: str, run: Run) -> Any:
    """Return a logger besides metrics.csv, False for none."""
    if kind == "csv":
        return False
    try:
        if kind == "tensorboard":
            from lightning.pytorch.loggers import TensorBoardLogger

            return TensorBoardLogger(run.path, name="tensorboard", version="")
        from lightning.pytorch.loggers import WandbLogger

        return WandbLogger(name=run.path.name, save_dir=run.path)
    except (ImportError, ModuleNotFoundError) as error:
        raise EntryError(f"logger {kind!r} is not installed: pip install 'molzoo[log]'") from error


def _quieten_lightning() -> None:
    """Leave standard error to the progress bar and to errors."""
    for name in ("lightning.pytorch", "lightning.fabric", "lightning"):
        logging.getLogger(name).setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module=r"lightning\..*")
