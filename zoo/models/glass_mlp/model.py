"""GlassMLP: one small network for each type of particle."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch_geometric.data import Data

from zoo import keys
from zoo.data.info import DataInfo
from zoo.models.described import DescribedModel
from zoo.models.gat.density import RunningStandard
from zoo.models.glass_mlp.config import GlassMLPConfig

#: Added to the variance of the inputs: far-reaching means differ by 1e-2 from particle to particle.
FLOOR = 1e-6


class GlassMLP(DescribedModel):
    """Inputs → bottleneck → hidden layers → targets, for each type apart; no message passing.

    G. Jung, G. Biroli, L. Berthier, Phys. Rev. Lett. 130, 238202 (2023): the bottleneck of two and the
    layers of ten with ELU are theirs. Theirs is one network for each time; here one gives all times.
    Their lengths beyond `scale_range` are covered by diffused fields.

    Raises:
        ConfigError: the task wants energies.
    """

    config: GlassMLPConfig
    mean: Tensor  # [types, targets]
    std: Tensor  # [types, targets]

    def __init__(self, config: GlassMLPConfig, info: DataInfo) -> None:
        super().__init__(config, info, config.descriptors)
        self.standard = RunningStandard(len(info.types), self.num_descriptors, FLOOR)
        self.networks = nn.ModuleList(self._network(len(info.target_names)) for _ in info.types)
        self.register_buffer("mean", torch.tensor(info.target_mean), persistent=False)
        self.register_buffer("std", torch.tensor(info.target_std), persistent=False)

    def _network(self, targets: int) -> nn.Module:
        config = self.config
        layers: list[nn.Module] = [
            nn.Dropout(config.dropout),
            nn.Linear(self.num_descriptors, config.bottleneck),
        ]
        width = config.bottleneck
        for _ in range(config.num_layers):
            layers += [nn.Linear(width, config.hidden_channels), nn.ELU()]
            width = config.hidden_channels
        return nn.Sequential(*layers, nn.Linear(width, targets))

    @property
    def message_layers(self) -> int:
        """See `ZooModel`."""
        return 0

    def forward(self, graph: Data) -> Tensor:
        """Return `[nodes, targets]`; see `ZooModel`."""
        kind = self.index(graph[keys.Z])
        x = self.standard(self.inputs(graph).to(self.mean.dtype), kind)
        out = self.mean[kind]
        for k, network in enumerate(self.networks):
            mine = (kind == k).nonzero().squeeze(1)
            out = out.index_add(0, mine, network(x[mine]) * self.std[k])
        return out

    def node_states(self, graph: Data) -> dict[str, Tensor]:
        """See `ZooModel`: standardised descriptors, the bottleneck, and each hidden layer of a node's own
        network.
        """
        kind = self.index(graph[keys.Z])
        x = self.standard(self.inputs(graph).to(self.mean.dtype), kind)
        states = {"layer 0": x}
        ends = [1, *range(3, 3 + 2 * self.config.num_layers, 2)]
        for depth, end in enumerate(ends, 1):
            width = self.config.bottleneck if depth == 1 else self.config.hidden_channels
            h = x.new_zeros(len(x), width)
            for k, network in enumerate(self.networks):
                assert isinstance(network, nn.Sequential)
                mine = (kind == k).nonzero().squeeze(1)
                h = h.index_copy(0, mine, network[: end + 1](x[mine]))
            states[f"layer {depth}"] = h
        return states
