"""A potential that is its prior alone."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor
from torch_geometric.data import Data

from zoo import keys
from zoo.config import Strict
from zoo.data.graph import Graph
from zoo.data.info import DataInfo
from zoo.errors import ConfigError
from zoo.models.base import FittedModel, frames_of, require_interface


class PriorOnlyConfig(Strict):
    """Nothing to set: the terms are those of the task, `task.prior`."""


class PriorOnly(FittedModel):
    """`U = c`, to which calling the model adds the prior; c is the mean energy that it leaves.

    Raises:
        ConfigError: the task wants targets of particles, or has no prior.
    """

    constant: Tensor  # []

    def __init__(self, config: PriorOnlyConfig, info: DataInfo) -> None:
        super().__init__(config, info)
        require_interface(info, "potential", "prior-only")
        if info.prior is None:
            raise ConfigError(
                "prior-only needs a prior, which atoms have by request alone: task.prior=[bonds, angles]"
            )
        self.register_buffer("constant", torch.zeros((), dtype=torch.float64))

    def fit(self, graphs: Iterable[Graph]) -> None:
        """Take the constant; the prior was fitted when the data were looked at."""
        self.constant.fill_(self.info.energy_per_particle * self.info.num_particles)

    def forward(self, graph: Data) -> Tensor:
        """Return energies `[graphs]`; see `ZooModel`."""
        x = frames_of(graph, keys.POS, self.info.num_particles)
        return self.constant.to(x).expand(len(x))
