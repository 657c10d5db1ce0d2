"""The `forces` task: a potential trained on forces, and on energies where there are any."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch
from pydantic import Field
from torch_geometric.data import Data

from zoo import keys
from zoo.config import Strict
from zoo.data.dataset import Frames
from zoo.data.graph import num_graphs
from zoo.data.info import Interface
from zoo.physics.forces import energy_and_forces
from zoo.tasks.base import Predictions, Task
from zoo.tasks.metrics import Metric, block_means, metric, standard_error


class ForcesConfig(Strict):
    """Weights of the two terms of the loss, both without unit."""

    force_weight: float = Field(1.0, ge=0)
    energy_weight: float = Field(0.01, ge=0)


class ForcesTask(Task):
    """Minimise `w_f ⟨|F − F̂|²⟩/(3 f²) + w_e ⟨(U − Û)²⟩/(N f²ℓ²)`.

    f is the root mean square force component of the training split, ℓ one unit of length and N the
    number of particles: both terms are without unit and of order one at the start.
    """

    interface: ClassVar[Interface] = "potential"
    options: ForcesConfig

    def loss(self, batch: Data) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """See the class; also logs the mean absolute errors in the dataset's units."""
        energy, forces = energy_and_forces(self.model, batch, create_graph=self.training)
        scale = self.model.info.force_rms
        residual = forces - batch[keys.FORCES]
        loss = self.options.force_weight * (residual / scale).square().mean()
        logs = {"force_mae": residual.abs().mean()}
        if keys.ENERGY in batch:
            particles = energy.new_tensor(batch.num_nodes / num_graphs(batch))
            error = energy - batch[keys.ENERGY]
            loss = loss + self.options.energy_weight * ((error / scale).square().mean() / particles)
            logs["energy_mae"] = error.abs().mean()
        return loss, logs

    def predict(self, batch: Data) -> dict[str, torch.Tensor]:
        """Energies `[graphs]` and forces `[nodes, 3]`."""
        energy, forces = energy_and_forces(self.model, batch)
        return {keys.ENERGY: energy, keys.FORCES: forces}

    @classmethod
    def metrics(cls, predictions: Predictions, frames: Frames) -> dict[str, Metric]:
        """Mean absolute and root mean square errors per component; errors over blocks of frames.

        A block is a contiguous range of one independent run. `energy_mae` is of the total energy.
        """
        units = frames.dataset.units
        residual = predictions[keys.FORCES] - frames.array(keys.FORCES).astype(np.float64)
        absolute = np.abs(residual).mean((1, 2))
        blocks = _blocks(frames)
        out = {
            "force_mae": metric(absolute.mean(), units.force, standard_error(block_means(absolute, blocks))),
            "force_rmse": metric(np.sqrt((residual**2).mean()), units.force),
        }
        if keys.ENERGIES in frames.dataset.arrays:
            error = np.abs(predictions[keys.ENERGY] - frames.array(keys.ENERGIES))
            out["energy_mae"] = metric(error.mean(), units.energy, standard_error(block_means(error, blocks)))
        return out


def _blocks(frames: Frames) -> np.ndarray:
    """Number the contiguous stretches of frames of one run."""
    index = frames.index
    new = np.diff(index) != 1
    if keys.RUN in frames.dataset.arrays:
        new |= np.diff(frames.array(keys.RUN)) != 0
    return np.concatenate([[0], np.cumsum(new)])
