"""The mean force on each atom as a potential that is linear in the positions."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor
from torch_geometric.data import Data

from zoo import keys
from zoo.config import Strict
from zoo.data.graph import Graph
from zoo.data.info import DataInfo
from zoo.errors import DataError
from zoo.models.base import FittedModel, frames_of, require_interface, require_key


class MeanForceConfig(Strict):
    """Nothing to set."""


class MeanForce(FittedModel):
    """`U = Ē − Σ_i f̄_i · (x_i − x̄_i)`, bars meaning averages over the training frames.

    Atoms are told apart by their number and forces are averaged in the laboratory's frame, so the
    potential changes when atoms are exchanged and when the molecule is turned or (unless the mean
    forces add up to zero) moved. That is the point of this baseline: the best constant. For
    a molecule that tumbles freely it is nearly zero force.

    Raises:
        ConfigError: the task wants targets of particles.
    """

    mean_force: Tensor  # [atoms, 3]
    mean_position: Tensor  # [atoms, 3]

    def __init__(self, config: MeanForceConfig, info: DataInfo) -> None:
        super().__init__(config, info)
        require_interface(info, "potential", "mean-force")
        zeros = torch.zeros(info.num_particles, 3, dtype=torch.float64)
        self.register_buffer("mean_force", zeros.clone())
        self.register_buffer("mean_position", zeros.clone())

    def fit(self, graphs: Iterable[Graph]) -> None:
        """Average forces and positions. Raises `DataError` if there are no frames or no forces."""
        force, position = torch.zeros_like(self.mean_force), torch.zeros_like(self.mean_force)
        frames = 0
        for graph in graphs:
            require_key(graph, keys.FORCES, "mean-force")
            force += frames_of(graph, keys.FORCES, self.info.num_particles).double().sum(0)
            position += frames_of(graph, keys.POS, self.info.num_particles).double().sum(0)
            frames += len(frames_of(graph, keys.POS, self.info.num_particles))
        if not frames:
            raise DataError("mean-force: the training split has no frames")
        self.mean_force.copy_(force / frames)
        self.mean_position.copy_(position / frames)

    def forward(self, graph: Data) -> Tensor:
        """Return energies `[graphs]`; see `ZooModel`."""
        x = frames_of(graph, keys.POS, self.info.num_particles)
        work = ((x - self.mean_position.to(x)) * self.mean_force.to(x)).sum((1, 2))
        return self.info.energy_per_particle * self.info.num_particles - work
