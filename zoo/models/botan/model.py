"""BOTAN: H. Shiba et al., J. Chem. Phys. 158, 084503 (2023)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch_geometric.data import Data

from zoo.data.info import DataInfo
from zoo.models.bapst.layers import perceptron
from zoo.models.bapst.model import Bapst
from zoo.models.botan.config import BotanConfig
from zoo.models.pair_predictor import PairPredictor


class Botan(Bapst, PairPredictor):
    """`bapst` with a decoder of edges: the mean change of the distance of each pair of neighbours.

    What pairs do holds more than what particles do on their own, and the network that predicts both
    predicts particles better (Shiba et al., section III). Where the training data do not hold the changes
    of pairs there is no such decoder: then this is `bapst`.
    """

    pair_mean: Tensor  # [targets]
    pair_std: Tensor  # [targets]

    def __init__(self, config: BotanConfig, info: DataInfo) -> None:
        super().__init__(config, info)
        if self.predicts_pairs:
            width = config.hidden_channels
            self.decode_edge = perceptron(width, width, width, len(info.pair_std), last=False)
            self.register_buffer("pair_mean", torch.tensor(info.pair_mean))
            self.register_buffer("pair_std", torch.tensor(info.pair_std))

    def forward_pairs(self, graph: Data) -> tuple[Tensor, Tensor, Tensor]:
        """Return targets, changes of pairs and whose they are; see `PairPredictor`."""
        h, e, edges = self.features(graph)
        return self.nodes(h, graph), self.decode_edge(e) * self.pair_std + self.pair_mean, edges
