"""Models of particles that also predict what pairs of neighbours do."""

from __future__ import annotations

from abc import abstractmethod

from torch import Tensor
from torch_geometric.data import Data

from zoo.models.base import ZooModel


class PairPredictor(ZooModel):
    """Base of models that predict the mean change of the distance of pairs beside the targets of nodes."""

    @property
    def predicts_pairs(self) -> bool:
        """Whether the training data told the changes of pairs, so that the model has learned them."""
        return bool(self.info.pair_std)

    @abstractmethod
    def forward_pairs(self, graph: Data) -> tuple[Tensor, Tensor, Tensor]:
        """Return targets `[nodes, targets]`, changes `[n, targets]` and their edges `[n]`.

        Changes are in the dataset's unit of length, those of the edges of the graph that the third
        names, which are within the model's cutoff. Only where `predicts_pairs`.
        """
