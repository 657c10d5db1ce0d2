"""MEGNet (Chen, Ye, Zuo, Zheng, Ong 2019, arXiv:1812.05055), made smooth so that it has forces."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch_geometric.data import Data

from molzoo_megnet.megnet.blocks import Block, Set2Set, Topology
from molzoo_megnet.megnet.config import MEGNetConfig
from zoo import keys
from zoo.data.info import DataInfo
from zoo.errors import ConfigError
from zoo.graphs import GaussianBasis, PolynomialCutoff, gather, segment_mean
from zoo.models.activation import ShiftedSoftplus
from zoo.models.base import TypeIndex, ZooModel
from zoo.models.heads import make_head

#: Å and σ: the second neighbours of a molecule, the cutoff of a Lennard-Jones potential.
CUTOFF = {"ase": 5.0, "lj": 2.5}


class MEGNet(ZooModel):
    """Edges learn from their nodes, nodes from their edges, and a global state from both.

    Edges start as Gaussians of their length, nodes as an embedding of their type, the state as the
    composition. Unlike the paper's, averages over edges are weighted by a smooth cutoff, so that
    energies have continuous forces; and energies are a sum over nodes unless `readout="set2set"`.

    Raises:
        ConfigError: set2set where targets of particles are wanted.
    """

    def __init__(self, config: MEGNetConfig, info: DataInfo) -> None:
        super().__init__(config, info, config.cutoff or CUTOFF[info.units])
        c, hidden = config.channels, config.hidden_channels
        self.index = TypeIndex(info.types)
        self.envelope = PolynomialCutoff(self.cutoff)
        self.basis = GaussianBasis(0.0, self.cutoff, config.num_gaussians)
        self.first_edge = nn.Linear(config.num_gaussians, c)
        self.first_node = nn.Embedding(len(info.types), c)
        self.first_state = nn.Linear(len(info.types), c, bias=False)
        self.blocks = nn.ModuleList(Block(c, hidden) for _ in range(config.num_blocks))
        if config.readout == "set2set" and info.interface == "node":
            raise ConfigError("readout 'set2set' sums particles up; for their targets use 'sum'")
        self.set2set = Set2Set(3 * c, config.set2set_steps) if config.readout == "set2set" else None
        self.head = make_head(6 * c if self.set2set else 3 * c, info, ShiftedSoftplus)

    def forward(self, graph: Data) -> Tensor:
        """Return energies `[graphs]` or targets `[nodes, targets]`; see `ZooModel`."""
        at = Topology.of(graph, self.envelope)
        kind = self.index(graph[keys.Z])
        e, v = self.first_edge(self.basis(at.length)), self.first_node(kind)
        one_hot = nn.functional.one_hot(kind, len(self.info.types)).to(v.dtype)
        u = self.first_state(segment_mean(one_hot, at.graph_of_node))
        for block in self.blocks:
            e, v, u = block(e, v, u, at)
        h = torch.cat([v, at.mean_of_edges(e, at.receivers), gather(u, at.graph_of_node)], dim=1)
        if self.set2set is None:
            return self.head(h, graph)
        return self.head.node_energies(self.set2set(h, at))
