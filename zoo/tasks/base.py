"""What every task shares: a model, a loss, predictions as arrays, and an optimiser."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, ClassVar

import lightning
import numpy as np
import torch
from pydantic import BaseModel
from torch.utils.data import DataLoader
from torch_geometric.data import Data

from zoo import keys
from zoo.analysis.layers.probe import GraphLoss, ValueLoss
from zoo.config import Optim, Training
from zoo.data.dataset import Dataset, Frames
from zoo.data.graph import num_graphs
from zoo.data.info import DataInfo, Interface, data_info, require_array
from zoo.data.loader import make_loader
from zoo.errors import RunFailed
from zoo.models.base import FittedModel, ZooModel
from zoo.tasks.metrics import Metric
from zoo.tasks.schedule import build_schedule

Predictions = dict[str, np.ndarray]

#: Frames of a molecule in a batch that is not trained on; large systems come one or a few to a batch.
EVAL_BATCH = 256


class Task(lightning.LightningModule):
    """Base of all tasks.

    A subclass gives `loss`, `predict` and `metrics` (one that does not go through the frames batch by
    batch: `training_step`, `predictions` and the like instead); metrics are computed from predictions alone,
    so that any row of any table can be recomputed without training again.

    Args:
        model: what is trained.
        options: an instance of the task's config model.
        optim: optimiser and schedule.
        total_steps: optimiser steps of the whole run, which the schedule needs.
    """

    interface: ClassVar[Interface]
    #: Whether the epoch with the least validation loss is kept, or else the last one.
    keep_best = True
    #: Lightning's strategy for several processes.
    distributed: ClassVar[str] = "ddp"

    def __init__(
        self, model: ZooModel, options: BaseModel, optim: Optim | None = None, total_steps: int = 1
    ) -> None:
        super().__init__()
        self.model, self.options = model, options
        self.optim, self.total_steps = optim or Optim(), total_steps

    @abstractmethod
    def loss(self, batch: Data) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Return the loss and further scalars to log, each a mean over the batch."""

    @abstractmethod
    def predict(self, batch: Data) -> dict[str, torch.Tensor]:
        """Return detached predictions, the first axis being graphs or nodes."""

    @classmethod
    @abstractmethod
    def metrics(cls, predictions: Predictions, frames: Frames) -> dict[str, Metric]:
        """Score predictions (`[frames, …]` arrays) against the frames they are of."""

    # --- what a run asks for, in this order --------------------------------------------------

    @classmethod
    def build(cls, make: Callable[[], ZooModel], options: BaseModel) -> ZooModel:
        """Build what is trained: what `make` returns, or several of them."""
        return make()

    @classmethod
    def require(cls, dataset: Dataset, options: BaseModel) -> None:
        """Raise `DataError` unless the dataset has what the task learns from."""
        require_array(dataset, cls.interface)

    @classmethod
    def data_info(cls, frames: Frames, options: BaseModel) -> DataInfo:
        """Gather what a model needs to know of a training split."""
        return data_info(frames, cls.interface)

    def epoch_steps(self, frames: Frames, settings: Training, world: int) -> int:
        """Optimiser steps of an epoch on each of `world` devices."""
        return math.ceil(math.ceil(len(frames) / world) / settings.batch_size)

    def begin(self, frames: Frames, val_frames: Frames, settings: Training, *, fresh: bool) -> None:
        """Look at the training split before the first step; `fresh`: the weights are not trained yet."""
        self._splits, self._training = (frames, val_frames), settings

    def loaders(self, steps: int, weights: list[float] | None) -> tuple[Any, Any]:
        """Batches of training and of validation, `steps` an epoch of the first.

        Args:
            steps: as `epoch_steps` said.
            weights: shares of the parts of a joined dataset.
        """
        frames, val_frames = self._splits
        settings = self._training
        loader = self.loader(
            frames, settings.batch_size,
            shuffle=True, seed=settings.seed, workers=settings.workers, weights=weights,
        )  # fmt: skip
        val_batch = max(1, min(EVAL_BATCH, 4096 // frames.dataset.system.num_particles))
        return loader, self.loader(val_frames, val_batch)

    def loader(self, frames: Frames, batch_size: int, **how: Any) -> DataLoader:
        """Batches of frames as the model takes them; `how` as of `make_loader`."""
        return make_loader(frames, self.model.cutoff, batch_size, **how)

    def further_baselines(self) -> tuple[str, ...]:
        """Names of baselines for this model alone, behind those of the task's spec."""
        return ()

    def baseline_options(self) -> Mapping[str, Any]:
        """Options that baselines take over from the model, each baseline those that it has."""
        return {}

    def fit_closed_form(self, frames: Frames) -> None:
        """Fit a model without gradient descent to a training split."""
        assert isinstance(self.model, FittedModel)
        batch_size = max(1, min(EVAL_BATCH, 8192 // frames.dataset.system.num_particles))
        self.model.fit(self.loader(frames, batch_size))

    def predictions(self, frames: Frames) -> Predictions:
        """Return predictions of all frames as arrays `[frames, …]`, with the frames' numbers."""
        n = frames.dataset.system.num_particles
        batch_size = max(1, min(EVAL_BATCH, 4096 // n))
        weights = next(iter([*self.model.parameters(), *self.model.buffers()]), None)
        device = torch.device("cpu") if weights is None else weights.device
        parts: dict[str, list[np.ndarray]] = {}
        for batch in self.loader(frames, batch_size):
            graphs = batch[keys.FRAME].numel()
            outputs = self.predict(self.cast(batch.to(device)))
            for name, value in outputs.items():
                array = value.cpu().numpy()
                if len(array) == graphs * n and array.ndim > 1:
                    array = array.reshape(graphs, n, *array.shape[1:])
                parts.setdefault(name, []).append(array)
        out = {name: np.concatenate(arrays) for name, arrays in parts.items()}
        return {"frame": frames.index, **out}

    def sample_losses(self, frames: Frames, size: int = 1) -> Iterator[GraphLoss]:
        """The loss of each frame by itself, for a look into the layers (`zoo.analysis.layers`).

        With a `size` above 1 the losses of so many frames at a time, for their values alone.

        The task is in evaluation mode, and best in float64. A loss that depends on derivatives of what the
        network returns must say so: see `SlopeLoss`.
        """
        for batch in self.loader(frames, size):
            yield ValueLoss(partial(self._value, self.cast(batch)))

    def _value(self, batch: Data) -> torch.Tensor:
        return self.loss(batch)[0]

    # --- lightning ---------------------------------------------------------------------------

    def training_step(self, batch: Data, _: int) -> torch.Tensor:
        """One step; a loss that is not finite stops the run and names the batch."""
        loss, logs = self.loss(self.cast(batch))
        if not torch.isfinite(loss):
            frames = batch[keys.FRAME].tolist()
            raise RunFailed(
                f"the loss became {loss.item()} in epoch {self.current_epoch}, "
                f"step {self.global_step}, on frames {_some(frames)}. "
                "Look at these frames (`zoo data check`), or lower optim.lr"
            )
        self._log("train", loss, logs, batch)
        return loss

    def backward(self, loss: torch.Tensor, *args: Any, **kwargs: Any) -> None:
        """Gradients of the weights alone: those of the positions would cost SchNet a third more."""
        weights = [p for p in self.parameters() if p.requires_grad]
        loss.backward(*args, **{"inputs": weights, **kwargs})

    def validation_step(self, batch: Data, _: int) -> None:
        """Loss and logs on the validation split, for choosing among epochs."""
        loss, logs = self.loss(self.cast(batch))
        self._log("val", loss.detach(), logs, batch)

    def _log(self, stage: str, loss: torch.Tensor, logs: dict[str, torch.Tensor], batch: Data) -> None:
        values = {f"{stage}_loss": loss.detach()}
        values |= {f"{stage}_{name}": value.detach() for name, value in logs.items()}
        self.log_dict(
            values,
            on_step=False,
            on_epoch=True,
            batch_size=num_graphs(batch),
            sync_dist=True,
        )

    def configure_optimizers(self) -> Any:
        """Adam or AdamW with the schedule of the settings."""
        kinds = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
        optimizer = kinds[self.optim.name](
            self.model.parameters(), lr=self.optim.lr, weight_decay=self.optim.weight_decay
        )
        return build_schedule(optimizer, self.optim, self.total_steps)

    def cast(self, batch: Data) -> Data:
        """Bring a batch to the model's precision; a fitted model, without parameters, takes it as is."""
        parameter = next(self.model.parameters(), None)
        if parameter is None or batch[keys.POS].dtype == parameter.dtype:
            return batch
        dtype = parameter.dtype
        return batch.apply(lambda t: t.to(dtype) if t.is_floating_point() else t)


def _some(frames: list[int]) -> str:
    shown = ", ".join(str(f) for f in sorted(frames)[:8])
    return shown + (f", … ({len(frames)} in all)" if len(frames) > 8 else "")
