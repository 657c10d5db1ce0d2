"""Several networks of one kind that predict together: their mean, and how far they differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch_geometric.data import Data

from zoo.errors import ConfigError
from zoo.models.base import FittedModel, ZooModel


class Ensemble(ZooModel):
    """The mean of its members, which were trained side by side from other starts.

    B. Lakshminarayanan, A. Pritzel, C. Blundell, NeurIPS 2017, arXiv:1612.01474.

    Args:
        members: at least one, built alike.
    """

    def __init__(self, members: Sequence[ZooModel]) -> None:
        first = members[0]
        super().__init__(first.config, first.info, first.cutoff)
        self.members = nn.ModuleList(members)

    def forward(self, graph: Data) -> Tensor:
        """Return the mean `[nodes, targets]`; see `ZooModel`."""
        return self.each(graph).mean(0)

    def each(self, graph: Data) -> Tensor:
        """Return what each member predicts, `[members, nodes, targets]`."""
        return torch.stack([member(graph) for member in self.members])


def ensemble(make: Callable[[], ZooModel], members: int) -> ZooModel:
    """Build `members` models as one; one alone stays what it is.

    Raises:
        ConfigError: models in closed form, which would all be the same.
    """
    models = [make() for _ in range(members)]
    if members > 1 and isinstance(models[0], FittedModel):
        raise ConfigError("a model in closed form takes no task.members: all would be the same")
    return Ensemble(models) if members > 1 else models[0]


def members_of(model: ZooModel) -> list[ZooModel]:
    """Return the members of an ensemble, or the model alone."""
    return list(model.members) if isinstance(model, Ensemble) else [model]  # type: ignore[arg-type]
