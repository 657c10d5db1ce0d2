"""The mean target of each type of particle."""

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
from zoo.models.base import FittedModel, TypeIndex, require_interface, require_key


class TypeMeanConfig(Strict):
    """Nothing to set."""


class TypeMean(FittedModel):
    """Predicts for each particle the mean over the training particles of its type.

    Raises:
        ConfigError: the task wants energies.
    """

    mean: Tensor  # [types, targets]

    def __init__(self, config: TypeMeanConfig, info: DataInfo) -> None:
        super().__init__(config, info)
        require_interface(info, "node", "type-mean")
        self.index = TypeIndex(info.types)
        shape = (len(info.types), len(info.target_names))
        self.register_buffer("mean", torch.zeros(shape, dtype=torch.float64))

    def fit(self, graphs: Iterable[Graph]) -> None:
        """Average the targets. Raises `DataError` if a type does not occur or targets are missing."""
        total = torch.zeros_like(self.mean)
        count = torch.zeros(len(total), dtype=torch.float64, device=total.device)
        for graph in graphs:
            kind = self.index(graph[keys.Z])
            total.index_add_(0, kind, require_key(graph, keys.TARGETS, "type-mean").double())
            count += torch.bincount(kind, minlength=len(count))
        if not count.all():
            missing = [t for t, n in zip(self.info.types, count.tolist(), strict=True) if not n]
            raise DataError(f"type-mean: no particle of types {missing} in the training split")
        self.mean.copy_(total / count[:, None])

    @property
    def message_layers(self) -> int:
        """See `ZooModel`."""
        return 0

    def forward(self, graph: Data) -> Tensor:
        """Return `[nodes, targets]`; see `ZooModel`."""
        return self.mean[self.index(graph[keys.Z])].to(graph[keys.POS].dtype)
