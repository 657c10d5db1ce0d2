"""What every task shares: a model, a loss, predictions as arrays, and an optimiser."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar, Literal

import lightning
import numpy as np
import torch
from pydantic import BaseModel
from torch_geometric.data import Data

from zoo import keys
from zoo.config import Optim
from zoo.data.dataset import Frames
from zoo.data.graph import num_graphs
from zoo.errors import RunFailed
from zoo.models.base import ZooModel
from zoo.tasks.metrics import Metric
from zoo.tasks.schedule import build_schedule

Predictions = dict[str, np.ndarray]


class Task(lightning.LightningModule):
    """Base of all tasks.

    A subclass gives `loss`, `predict` and `metrics`; metrics are computed from predictions alone,
    so that any row of any table can be recomputed without training again.

    Args:
        model: what is trained.
        options: an instance of the task's config model.
        optim: optimiser and schedule.
        total_steps: optimiser steps of the whole run, which the schedule needs.
    """

    interface: ClassVar[Literal["potential", "node"]]

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
