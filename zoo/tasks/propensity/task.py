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
from zoo.config import Training
from zoo.data.dataset import Frames
from zoo.data.info import Interface
from zoo.data.loader import make_loader
from zoo.models.base import ZooModel
from zoo.models.ensemble import Ensemble, ensemble, members_of
from zoo.models.pair_predictor import PairPredictor
from zoo.progress import progress
from zoo.tasks.base import Predictions, Task
from zoo.tasks.metrics import Metric
from zoo.tasks.propensity.calibration import SPREAD
from zoo.tasks.propensity.config import PropensityConfig
from zoo.tasks.propensity.inputs import Inputs
from zoo.tasks.propensity.pairs import pair_error, warn_without_pairs
from zoo.tasks.propensity.rotations import turned
from zoo.tasks.propensity.scores import propensity_scores
from zoo.tasks.propensity.tiles import LARGE, Whole, predict_whole


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

    def begin(self, frames: Frames, val_frames: Frames, settings: Training, *, fresh: bool) -> None:
        """Say what the training split lacks; see the base."""
        super().begin(frames, val_frames, settings, fresh=fresh)
        warn_without_pairs(self.model, frames)

    def loader(self, frames: Frames, batch_size: int, **how: Any) -> DataLoader:
        """Batches at the positions that the options name, with the descriptors that the model starts from."""
        inputs = Inputs(self.model, frames, self.options.positions)
        return make_loader(inputs.frames, self.model.cutoff, batch_size, prepare=inputs.prepare, **how)

    def loss(self, batch: Data) -> tuple[Tensor, dict[str, Tensor]]:
        """See the class; of an ensemble the members' mean. Also logs the error of the members' mean."""
        if self.training:
            batch = turned(batch, self.options.rotations)
        # each member learns from its own loss, as if it were trained alone: Adam does not mind the factor
        each = [self._member_loss(member, batch) for member in members_of(self.model)]
        residual = torch.stack([guess for guess, *_ in each]).detach().mean(0) - batch[keys.TARGETS]
        logs = {"mae": residual.abs().mean()}
        for name in each[0][2]:
            logs[name] = torch.stack([parts[name] for *_, parts in each]).mean()
        return torch.stack([loss for _, loss, _ in each]).mean(), logs

    def _member_loss(self, member: ZooModel, batch: Data) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
        """Targets, loss, and the parts of the loss where pairs have one."""
        if keys.EDGE_TARGETS not in batch or not isinstance(member, PairPredictor):
            guess = member(batch)
            return guess, self._loss(guess, batch), {}
        guess, changes, edges = member.forward_pairs(batch)
        std = changes.new_tensor(member.info.pair_std)
        node = self._loss(guess, batch)
        pair, mae = pair_error(changes, edges, batch, std, self._error)
        share = self.options.pair_weight
        logs = {"node_loss": node.detach(), "pair_loss": pair.detach(), "pair_mae": mae}
        return guess, (1 - share) * node + share * pair, logs

    def _loss(self, guess: Tensor, batch: Data) -> Tensor:
        row = self.row[batch[keys.Z]]
        error = self._error((guess - batch[keys.TARGETS]) / self.std[row])
        weight = self.weights[row][:, None]
        return (weight * error).sum() / (weight.sum() * error.shape[1])

    def _error(self, scaled: Tensor) -> Tensor:
        if self.options.loss == "huber":
            return torch.nn.functional.huber_loss(scaled, torch.zeros_like(scaled), reduction="none")
        return 0.5 * scaled.square()

    def predict(self, batch: Data) -> dict[str, Tensor]:
        """Targets `[nodes, targets]`; of an ensemble also the members' spread, `[nodes, targets]`."""
        with torch.no_grad():
            if isinstance(self.model, Ensemble):
                each = self.model.each(batch)
                return {keys.TARGETS: each.mean(0), SPREAD: each.std(0)}
            return {keys.TARGETS: self.model(batch)}

    def predictions(self, frames: Frames) -> Predictions:
        """See the base; frames of more than `tiles.LARGE` particles are predicted tile by tile."""
        n = frames.dataset.system.num_particles
        if n <= LARGE:
            return super().predictions(frames)
        inputs = Inputs(self.model, frames, self.options.positions)
        member = members_of(self.model)[0]
        parts: dict[str, list[np.ndarray]] = {}
        with progress("predictions", n * len(frames), "particles") as bar:
            for number in range(len(frames)):
                whole = Whole.of(inputs.frames, number)
                views = None if inputs.views is None else [Whole.of(view, number) for view in inputs.views]
                for name, value in predict_whole(self.on_device, member, whole, views, bar=bar).items():
                    parts.setdefault(name, []).append(value.numpy())
        return {"frame": frames.index, **{name: np.stack(arrays) for name, arrays in parts.items()}}

    def on_device(self, batch: Data) -> dict[str, Tensor]:
        """Predictions of a batch on the CPU, made where and in the precision that the weights are."""
        weights = next(iter([*self.model.parameters(), *self.model.buffers()]), None)
        device = torch.device("cpu") if weights is None else weights.device
        return {name: value.cpu() for name, value in self.predict(self.cast(batch.to(device))).items()}

    @classmethod
    def metrics(cls, predictions: Predictions, frames: Frames) -> dict[str, Metric]:
        """Correlations with the propensity, their ceilings and more; see `propensity_scores`."""
        return propensity_scores(predictions, frames)
