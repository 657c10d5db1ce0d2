"""What watches over a training: curve, averaged weights, best epoch, seeds, progress."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback
from safetensors.torch import load_file, save

from zoo.files import write_bytes
from zoo.models.growth import padded
from zoo.progress import Bar

Row = dict[str, float]


class EpochSeed(Callback):
    """Seed the generators from (seed, epoch, rank): a resumed run draws as an unbroken one."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def on_train_epoch_start(self, trainer: Trainer, module: LightningModule) -> None:
        """Seed torch, on every device."""
        numbers = (self.seed * 1_000_003 + trainer.current_epoch) * 4096 + trainer.global_rank
        torch.manual_seed(numbers % (1 << 63))


class AveragedWeights(Callback):
    """Exponential moving average of the weights, used for validation and in the end.

    Early on the decay is (1 + t)/(10 + t), so that the average is not held back by its start.
    """

    def __init__(self, decay: float) -> None:
        self.decay = decay
        self.average: dict[str, torch.Tensor] = {}
        self._raw: dict[str, torch.Tensor] = {}

    def on_train_batch_end(self, trainer: Trainer, module: Any, *_: Any) -> None:
        """Move the average towards the weights."""
        parameters = dict(module.model.named_parameters())
        if not self.average:
            self.average = {k: v.detach().clone() for k, v in parameters.items()}
            return
        step = trainer.global_step
        weight = 1 - min(self.decay, (1 + step) / (10 + step))
        for name, value in parameters.items():
            self.average[name] = self.average[name].to(value.device)
            self.average[name].lerp_(value.detach(), weight)

    def follow(self, before: dict[str, torch.Tensor], model: torch.nn.Module) -> None:
        """Move as the weights moved in a growth, from `before`; new entries begin at their value."""
        for name, value in model.named_parameters():
            if name in self.average and not torch.equal(value, before[name]):
                old, average = before[name], value.detach().clone()
                part = tuple(slice(n) for n in old.shape)
                average[part] += self.average[name].to(old) - old
                self.average[name] = average

    def on_validation_start(self, trainer: Trainer, module: Any) -> None:
        """Put the averaged weights in."""
        if self.average:
            self._raw = {k: v.detach().clone() for k, v in module.model.named_parameters()}
            _load(module.model, self.average)

    def on_validation_end(self, trainer: Trainer, module: Any) -> None:
        """Put the raw weights back."""
        if self._raw:
            _load(module.model, self._raw)
            self._raw = {}

    def state_dict(self) -> dict[str, Any]:
        """The average, for the checkpoint."""
        return {"average": {k: v.cpu() for k, v in self.average.items()}}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Inverse of `state_dict`."""
        self.average = dict(state["average"])


class BestWeights(Callback):
    """Keep the weights of the epoch with the lowest validation loss, in a file.

    Stands before `AveragedWeights` in the list of callbacks, so that with averaging it sees the
    averaged weights, which are what was validated.

    Args:
        path: of the file.
        always: keep each epoch, so that the last one remains.
    """

    def __init__(self, path: Path, *, always: bool = False) -> None:
        self.path, self.always = path, always
        self.best = float("inf")
        self.epoch = -1

    def on_validation_end(self, trainer: Trainer, module: Any) -> None:
        """Save if this epoch is the best so far."""
        loss = float(trainer.callback_metrics["val_loss"])
        if trainer.sanity_checking or not (self.always or loss < self.best):
            return
        self.best, self.epoch = loss, trainer.current_epoch
        if trainer.is_global_zero:
            tensors = {k: v.detach().cpu().contiguous() for k, v in module.model.state_dict().items()}
            write_bytes(self.path, save(tensors))

    def restore(self, model: torch.nn.Module) -> None:
        """Load the best weights into `model`, which may have grown since: the function is the best one's."""
        model.load_state_dict(padded(load_file(self.path), model))

    def state_dict(self) -> dict[str, Any]:
        """Best loss and epoch, for the checkpoint."""
        return {"best": self.best, "epoch": self.epoch}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Inverse of `state_dict`."""
        self.best, self.epoch = state["best"], state["epoch"]


class Curve(Callback):
    """One row an epoch: epoch, step, seconds, learning rate, losses and metrics.

    Args:
        rows: of earlier processes of this run.
        write: called with all rows after each epoch.
    """

    def __init__(self, rows: list[Row], write: Any) -> None:
        self.rows, self.write = rows, write
        self._start = time.monotonic()
        self._before = 0.0

    def on_train_start(self, trainer: Trainer, module: LightningModule) -> None:
        """Drop rows of epochs that a killed process began and this one repeats."""
        self.rows = [row for row in self.rows if row["epoch"] < trainer.current_epoch]
        self._before = self.rows[-1]["seconds"] if self.rows else 0.0
        self._start = time.monotonic()

    def leave_out(self, seconds: float) -> None:
        """Count time that was not spent on training out of that of later rows."""
        self._start += seconds

    def on_train_epoch_end(self, trainer: Trainer, module: LightningModule) -> None:
        """Add the epoch's row."""
        row: Row = {
            "epoch": trainer.current_epoch,
            "step": trainer.global_step,
            "seconds": round(self._before + time.monotonic() - self._start, 3),
            "lr": trainer.optimizers[0].param_groups[0]["lr"],
        }
        row |= {name: float(value) for name, value in trainer.callback_metrics.items()}
        self.rows.append(row)
        if trainer.is_global_zero:
            self.write(self.rows)


class Progress(Callback):
    """Drive a progress bar by training steps, with the last validation loss beside it."""

    def __init__(self, bar: Bar) -> None:
        self.bar = bar

    def on_train_start(self, trainer: Trainer, module: LightningModule) -> None:
        """Count what an earlier process did."""
        self.bar.resume(trainer.global_step)

    def on_train_batch_end(self, trainer: Trainer, module: LightningModule, *_: Any) -> None:
        """Count a step."""
        metrics = trainer.callback_metrics
        shown = [f"{k} {float(metrics[k]):.4g}" for k in metrics if k.startswith("val_")]
        epoch = f"epoch {trainer.current_epoch + 1}/{trainer.max_epochs}"
        self.bar.advance(1, note=" · ".join([epoch, *shown[:3]]))


def _load(model: torch.nn.Module, values: dict[str, torch.Tensor]) -> None:
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(values[name])
