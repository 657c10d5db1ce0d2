"""The `propensity` task: one regression target per particle and time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import torch
from pydantic import BaseModel
from torch import Tensor
from torch.utils.data import DataLoader
from torch_geometric.data import Data

from zoo import keys
from zoo.data.ceiling import noise_ceiling
from zoo.data.dataset import Frames
from zoo.data.info import Interface
from zoo.data.loader import make_loader
from zoo.models.base import ZooModel
from zoo.models.ensemble import Ensemble, ensemble, members_of
from zoo.tasks.base import Predictions, Task
from zoo.tasks.metrics import Metric, metric, pearson, standard_error
from zoo.tasks.propensity.config import PropensityConfig
from zoo.tasks.propensity.inputs import Inputs
from zoo.tasks.propensity.rotations import turned

#: Standard deviation of an ensemble's members, in predictions.
SPREAD = "targets_spread"


class PropensityTask(Task):
    """Minimise the error of the targets, z-scored per type and time on the training split."""

    interface: ClassVar[Interface] = "node"
    options: PropensityConfig
    row: torch.Tensor
    std: torch.Tensor
    weights: torch.Tensor

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        info = self.model.info
        row = torch.zeros(max(info.types) + 1, dtype=torch.long)
        row[info.types] = torch.arange(len(info.types))
        weights = torch.tensor([self.options.type_weights.get(t, 1.0) for t in info.types])
        self.register_buffer("row", row, persistent=False)
        self.register_buffer("std", torch.tensor(info.target_std), persistent=False)
        self.register_buffer("weights", weights, persistent=False)

    @classmethod
    def build(cls, make: Callable[[], ZooModel], options: BaseModel) -> ZooModel:
        """Build the members of an ensemble, or the one model."""
        assert isinstance(options, PropensityConfig)
        return ensemble(make, options.members)

    def loader(self, frames: Frames, batch_size: int, **how: Any) -> DataLoader:
        """Batches at the positions that the options name, with the descriptors that the model starts from."""
        inputs = Inputs(self.model, frames, self.options.positions)
        return make_loader(inputs.frames, self.model.cutoff, batch_size, prepare=inputs.prepare, **how)

    def loss(self, batch: Data) -> tuple[Tensor, dict[str, Tensor]]:
        """See the class; of an ensemble the members' mean. Also logs the error of the members' mean."""
        if self.training:
            batch = turned(batch, self.options.rotations)
        guesses = [member(batch) for member in members_of(self.model)]
        # each member learns from its own loss, as if it were trained alone: Adam does not mind the factor
        loss = torch.stack([self._loss(guess, batch) for guess in guesses]).mean()
        residual = torch.stack(guesses).detach().mean(0) - batch[keys.TARGETS]
        return loss, {"mae": residual.abs().mean()}

    def _loss(self, guess: Tensor, batch: Data) -> Tensor:
        row = self.row[batch[keys.Z]]
        scaled = (guess - batch[keys.TARGETS]) / self.std[row]
        if self.options.loss == "huber":
            error = torch.nn.functional.huber_loss(scaled, torch.zeros_like(scaled), reduction="none")
        else:
            error = 0.5 * scaled.square()
        weight = self.weights[row][:, None]
        return (weight * error).sum() / (weight.sum() * error.shape[1])

    def predict(self, batch: Data) -> dict[str, Tensor]:
        """Targets `[nodes, targets]`; of an ensemble also the members' spread, `[nodes, targets]`."""
        with torch.no_grad():
            if isinstance(self.model, Ensemble):
                each = self.model.each(batch)
                return {keys.TARGETS: each.mean(0), SPREAD: each.std(0)}
            return {keys.TARGETS: self.model(batch)}

    @classmethod
    def metrics(cls, predictions: Predictions, frames: Frames) -> dict[str, Metric]:
        """Correlations with the propensity and their ceilings, lists over the target times.

        For each type X: `pearson_mean_X` within each configuration, then averaged (its error is
        over configurations), `pearson_pooled_X` over all particles of all configurations, and
        `mae_X`; `ceiling_mean_X`, `ceiling_pooled_X` where the clones are kept apart.
        """
        dataset = frames.dataset
        names, unit = dataset.system.type_names, dataset.units.length
        truth = frames.array(keys.TARGETS).astype(np.float64)
        guess = predictions[keys.TARGETS].astype(np.float64)
        ceilings = {}
        if keys.CLONES in dataset.arrays:
            ceilings = noise_ceiling(frames.array(keys.CLONES), dataset.system.types)
        out: dict[str, Metric] = {}
        for kind in sorted(set(dataset.system.types.tolist())):
            name, members = names[kind], dataset.system.types == kind
            t, g = truth[:, members].transpose(2, 0, 1), guess[:, members].transpose(2, 0, 1)
            each = np.nan_to_num(pearson(t, g))  # [targets, configurations]; a constant guess scores 0
            errors = [standard_error(row) for row in each]
            out[f"pearson_mean_{name}"] = metric(
                each.mean(1), "1", None if None in errors else [e or 0.0 for e in errors]
            )
            pooled = pearson(t.reshape(len(t), -1), g.reshape(len(g), -1))
            out[f"pearson_pooled_{name}"] = metric(np.nan_to_num(pooled), "1")
            out[f"mae_{name}"] = metric(np.abs(t - g).mean((1, 2)), unit)
            if kind in ceilings:
                mean, all_together = ceilings[kind]
                out[f"ceiling_mean_{name}"] = metric(mean, "1")
                out[f"ceiling_pooled_{name}"] = metric(all_together, "1")
        return out
