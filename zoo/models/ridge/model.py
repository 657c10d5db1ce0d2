"""Ridge regression on descriptors, one for each type of particle."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from pydantic import Field, field_validator
from torch import Tensor
from torch_geometric.data import Data

from zoo import keys
from zoo.config import Strict
from zoo.data.graph import Graph, num_graphs
from zoo.data.info import DataInfo
from zoo.descriptors import DescriptorSettings
from zoo.errors import DataError
from zoo.models.base import FittedModel, require_key
from zoo.models.described import DescribedModel
from zoo.models.moments import Moments
from zoo.models.ridge.penalty import FOLDS, ridge


class RidgeConfig(Strict):
    """Descriptors, and the strengths of the penalty to choose from."""

    descriptors: DescriptorSettings = Field(
        default_factory=lambda: DescriptorSettings(), description="what the targets are linear in"
    )
    alphas: list[float] = Field(
        [10.0**k for k in range(-6, 3)],
        min_length=1,
        description="penalties, relative to the number of particles; the best is chosen by the error on "
        "training configurations that were left out",
    )
    center: bool = Field(
        False,
        description="fit to differences within each configuration, not to those between configurations",
    )

    @field_validator("alphas")
    @classmethod
    def _positive(cls, alphas: list[float]) -> list[float]:
        if min(alphas) <= 0:
            raise ValueError("alphas must be positive")
        return alphas


class Ridge(DescribedModel, FittedModel):
    """Each target as a linear function of the standardised descriptors, for each type apart.

    Minimises `‖y − Xw‖² + nα‖w‖²`; α is chosen for each type and target by leaving configurations out,
    for which the normal equations suffice: nothing is kept of a frame.

    Raises:
        ConfigError: the task wants energies.
    """

    config: RidgeConfig
    weights: Tensor  # [types, features, targets]
    bias: Tensor  # [types, targets]
    alpha: Tensor  # [types, targets]; what was chosen

    def __init__(self, config: RidgeConfig, info: DataInfo) -> None:
        super().__init__(config, info, config.descriptors)
        kinds, targets = len(info.types), len(info.target_names)
        for name, shape in (
            ("weights", (kinds, self.num_descriptors, targets)),
            ("bias", (kinds, targets)),
            ("alpha", (kinds, targets)),
        ):
            self.register_buffer(name, torch.zeros(shape, dtype=torch.float64))

    def features(self, graph: Data) -> tuple[Tensor, Tensor]:
        """Return type index `[nodes]` and descriptors `[nodes, num_descriptors]` float64."""
        return self.index(graph[keys.Z]), self.inputs(graph).double()

    @property
    def message_layers(self) -> int:
        """See `ZooModel`."""
        return 0

    def forward(self, graph: Data) -> Tensor:
        """Return `[nodes, targets]`; see `ZooModel`."""
        kind, x = self.features(graph)
        out = self.bias[kind]
        for k in range(len(self.info.types)):
            mine = kind == k
            out[mine] += x[mine] @ self.weights[k]
        return out.to(graph[keys.POS].dtype)

    def fit(self, graphs: Iterable[Graph]) -> None:
        """Gather the normal equations and solve them.

        Raises:
            DataError: targets are missing, or a type has fewer than two particles.
        """
        features, targets = self.num_descriptors, len(self.info.target_names)
        folds = [[Moments(features, targets) for _ in range(FOLDS)] for _ in self.info.types]
        seen = 0
        for graph in graphs:
            y = require_key(graph, keys.TARGETS, "ridge").double()
            kind, x = self.features(graph)
            batch = graph.get(keys.BATCH)
            number = seen + (torch.zeros_like(kind) if batch is None else batch)
            seen += num_graphs(graph)
            for k, parts in enumerate(folds):
                for fold, moments in enumerate(parts):
                    mine = (kind == k) & (number % FOLDS == fold)
                    if mine.any():
                        groups = number[mine] if self.config.center else None
                        moments.add(x[mine], y[mine], groups)
        for k, parts in enumerate(folds):
            filled = [moments for moments in parts if moments.count]
            if sum(moments.count for moments in filled) < 2:
                raise DataError(f"ridge: fewer than two particles of type {self.info.types[k]} to fit to")
            self.weights[k], self.bias[k], self.alpha[k] = ridge(filled, self.config.alphas)
