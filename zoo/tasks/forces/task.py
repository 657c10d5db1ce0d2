"""The `forces` task: a potential trained on forces, and on energies where there are any."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import partial
from typing import ClassVar

import numpy as np
import torch
from pydantic import BaseModel
from torch_geometric.data import Data

from zoo import keys
from zoo.analysis.layers.probe import GraphLoss, SlopeLoss, ValueLoss
from zoo.data.dataset import Dataset, Frames
from zoo.data.graph import Graph, num_graphs
from zoo.data.info import DataInfo, Interface, data_info
from zoo.data.loader import make_loader
from zoo.models.base import FittedModel
from zoo.models.prior import prior_of
from zoo.physics.forces import energy_and_forces
from zoo.tasks.base import EVAL_BATCH, Predictions, Task
from zoo.tasks.forces.config import ForcesConfig
from zoo.tasks.forces.denoising import noised_array, noised_graph
from zoo.tasks.forces.prior import are_beads, boltzmann, make_prior, without_prior
from zoo.tasks.forces.scores import denoising_scores, floor_scores, force_scores
from zoo.tasks.metrics import Metric


class ForcesTask(Task):
    """Minimise `w_f ⟨|F − F̂|²⟩/(3 f²) + w_e ⟨(U − Û)²⟩/(N f²ℓ²)`.

    f is the root mean square force component of the training split (of what a prior leaves of it), ℓ one unit
    of length and N the number of particles: both terms are without unit and of order one at the start.

    Of beads F is the instantaneous force, of which no function of the beads can give more than the mean: the
    loss ends at the noise floor, not at 0 (see `zoo.coarse.noise`).
    """

    interface: ClassVar[Interface] = "potential"
    options: ForcesConfig

    def loss(self, batch: Data) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """See the class; also logs the mean absolute errors in the dataset's units."""
        batch = self._labelled(batch, fixed=not self.training)
        energy, forces = energy_and_forces(self.model, batch, create_graph=self.training)
        return self._error(energy, forces, batch)

    def _error(
        self, energy: torch.Tensor, forces: torch.Tensor, batch: Data
    ) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
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

    def sample_losses(self, frames: Frames, size: int = 1) -> Iterator[GraphLoss]:
        """See `Task`: the loss depends on how the energy changes with positions."""
        for batch in self.loader(frames, size):
            batch = self._labelled(self.cast(batch), fixed=True)
            if size > 1:
                yield ValueLoss(partial(self._value, batch))
                continue
            energy, forces = (t.requires_grad_() for t in energy_and_forces(self.model, batch))
            by_forces, by_energy = torch.autograd.grad(
                self._error(energy, forces, batch)[0], (forces, energy), allow_unused=True
            )
            weight = 0.0 if by_energy is None else float(by_energy)
            yield SlopeLoss(
                partial(self._moved_energy, batch), by_forces, weight, partial(self._value, batch)
            )

    def _moved_energy(self, batch: Data, displacement: torch.Tensor) -> torch.Tensor:
        moved = copy.copy(batch)
        moved[keys.POS] = batch[keys.POS] + displacement
        return self.model(moved).sum()

    def _value(self, batch: Data) -> torch.Tensor:
        return self._error(*energy_and_forces(self.model, batch), batch)[0]

    def predict(self, batch: Data) -> dict[str, torch.Tensor]:
        """Energies `[graphs]` and forces `[nodes, 3]`; of denoising also those that are to undo noise."""
        energy, forces = energy_and_forces(self.model, batch)
        out = {keys.ENERGY: energy, keys.FORCES: forces}
        if self.options.objective == "denoising":
            blurred = self._labelled(batch, fixed=True)
            out["denoising"] = energy_and_forces(self.model, blurred)[1]
            out["denoising_target"] = blurred[keys.FORCES]
        return out

    @classmethod
    def metrics(cls, predictions: Predictions, frames: Frames) -> dict[str, Metric]:
        """Errors of forces and energies; of beads the noise floor and what is above it.

        `energy_mae` is of the total energy. Errors are over contiguous blocks of independent runs.
        """
        arrays = frames.dataset.arrays
        out: dict[str, Metric] = {}
        if "denoising" in predictions:
            out |= denoising_scores(predictions, frames)
        if keys.FORCES in arrays:
            out |= force_scores(predictions, frames)
            if are_beads(frames.dataset) and not frames.dataset.system.periodic:
                out |= floor_scores(predictions, frames)
        return out

    # --- what a run asks for ----------------------------------------------------------------------

    @classmethod
    def require(cls, dataset: Dataset, options: BaseModel) -> None:
        """Raise `DataError` without forces to learn from; denoising needs a temperature alone."""
        assert isinstance(options, ForcesConfig)
        if options.objective == "denoising":
            boltzmann(dataset, "denoising")
        else:
            super().require(dataset, options)

    @classmethod
    def data_info(cls, frames: Frames, options: BaseModel) -> DataInfo:
        """Gather facts of a training split: scale and shift are those of what the prior leaves to learn."""
        assert isinstance(options, ForcesConfig)
        denoising = options.objective == "denoising"
        info = data_info(frames, cls.interface, labels=not denoising)
        info.prior = make_prior(frames, options.prior)
        if not denoising and info.prior is None:
            return info
        info.kT = boltzmann(frames.dataset, "the task")
        x = frames.array(keys.POSITIONS).astype(np.float64)
        if denoising:
            x, forces = noised_array(x, info.kT, options.noise)
        else:
            forces = frames.array(keys.FORCES).astype(np.float64)
        if info.prior is not None:
            energies, known = prior_of(info.prior, x)
            forces = forces - known
            if not denoising and keys.ENERGIES in frames.dataset.arrays:
                info.energy_per_particle -= float(energies.mean()) / info.num_particles
        info.force_rms = float(np.sqrt(np.mean(forces**2))) or 1.0
        return info

    def further_baselines(self) -> tuple[str, ...]:
        """The bare prior, where there is one."""
        return () if self.model.info.prior is None else ("prior-only",)

    def fit_closed_form(self, frames: Frames) -> None:
        """Fit a model without gradient descent to what the prior leaves of a training split."""
        assert isinstance(self.model, FittedModel)
        info = self.model.info
        batch_size = max(1, min(EVAL_BATCH, 8192 // info.num_particles))
        loader = make_loader(frames, self.model.cutoff, batch_size)
        graphs = (self._labelled(graph, fixed=True) for graph in loader)
        self.model.fit(
            graphs
            if info.prior is None
            else without_prior(graphs, self.model.prior_energy, info.num_particles)
        )

    def _labelled(self, batch: Graph, *, fixed: bool) -> Graph:
        """The batch with the labels of the objective."""
        if self.options.objective == "forces":
            return batch
        info = self.model.info
        assert info.kT is not None
        return noised_graph(batch, info.num_particles, info.kT, self.options.noise, fixed=fixed)
