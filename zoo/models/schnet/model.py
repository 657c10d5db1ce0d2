"""SchNet (Schütt et al. 2017, arXiv:1706.08566), the same function as torch-geometric's."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch_geometric.data import Data

from zoo import keys
from zoo.data.info import DataInfo
from zoo.errors import ConfigError
from zoo.graphs import GaussianBasis
from zoo.models.activation import ShiftedSoftplus
from zoo.models.base import ZooModel, cutoff_of
from zoo.models.heads import EnergyHead, make_head
from zoo.models.pairs import Pairs, make_pairs
from zoo.models.schnet.config import SchNetConfig
from zoo.models.schnet.filters import filters, make_radial

#: Atomic numbers (or species) that have an embedding, as many as torch-geometric's.
NUM_EMBEDDINGS = 100


class SchNet(ZooModel):
    """Nodes exchange messages through filters that depend on distance: `x_i ← x_i + f(Σ_j W(d_ij) ⊙ x_j)`.

    Energies and targets are invariant; forces and energies are continuous at the cutoff. With the
    weights of torch-geometric's SchNet (`load_pyg`) it gives that model's energies.

    Raises:
        ConfigError: a type below 0 or above 99.
    """

    def __init__(self, config: SchNetConfig, info: DataInfo) -> None:
        super().__init__(config, info, cutoff_of(config.cutoff, info))
        if not 0 <= min(info.types) <= max(info.types) < NUM_EMBEDDINGS:
            raise ConfigError(f"schnet takes types 0 to {NUM_EMBEDDINGS - 1}, got {info.types}")
        channels = config.hidden_channels
        self.embedding = nn.Embedding(NUM_EMBEDDINGS, channels)
        self.basis = GaussianBasis(0.0, self.cutoff, config.num_gaussians)
        self.interactions = nn.ModuleList(
            Interaction(channels, config.num_gaussians, config.num_filters, config.dropout)
            for _ in range(config.num_interactions)
        )
        self.head = make_head(channels, info, ShiftedSoftplus)

    @property
    def message_layers(self) -> int:
        """See `ZooModel`."""
        return len(self.interactions)

    def forward(self, graph: Data) -> Tensor:
        """Return energies `[graphs]` or targets `[nodes, targets]`; see `ZooModel`."""
        pairs = make_pairs(graph)
        d = pairs.distance
        radial = make_radial(d, self.basis, self.cutoff)
        h = pairs.enter(self.embedding(graph[keys.Z]))
        for interaction in self.interactions:
            assert isinstance(interaction, Interaction)
            w = filters(d, interaction.filter, radial, self.basis, self.cutoff)
            h = h + interaction(h, w, pairs)
        return self.head(pairs.leave(h), graph)

    @torch.no_grad()
    def radial_filters(self, distances: Tensor) -> Tensor:
        """Return each block's filters at `distances [n]`, `[blocks, filters, n]`; 0 beyond the cutoff."""
        radial = make_radial(distances, self.basis, self.cutoff)
        blocks = [block for block in self.interactions if isinstance(block, Interaction)]
        return torch.stack(
            [filters(distances, block.filter, radial, self.basis, self.cutoff).T for block in blocks]
        )

    def load_pyg(self, state: Mapping[str, Tensor]) -> None:
        """Take the weights of `torch_geometric.nn.models.SchNet.state_dict()`, equal in all sizes.

        Energies are then that model's, in whatever unit it has: no scale and no shift is applied.

        Raises:
            ConfigError: a size differs, or this model predicts no energies.
        """
        if not isinstance(self.head, EnergyHead):
            raise ConfigError("torch-geometric's SchNet predicts energies, this model targets of particles")
        names = {
            "distance_expansion.offset": "basis.centers",
            "lin1.": "head.lin1.",
            "lin2.": "head.lin2.",
            ".conv.lin1.": ".before.",
            ".conv.lin2.": ".after.",
            ".mlp.": ".filter.",
            ".lin.": ".out.",
        }
        own = self.state_dict()
        found: dict[str, Tensor] = {}
        for name, value in state.items():
            if ".conv.nn." in name:  # the filter network a second time
                continue
            top = name.startswith(("lin1.", "lin2."))
            for theirs, ours in names.items():
                if top == theirs.startswith("lin"):
                    name = name.replace(theirs, ours)
            found[name] = value
        found["head.scale"] = torch.ones_like(own["head.scale"])
        found["head.shift"] = torch.zeros_like(own["head.shift"])
        for name, value in found.items():
            if name not in own or own[name].shape != value.shape:
                raise ConfigError(
                    f"torch-geometric's SchNet has {name} {list(value.shape)}, "
                    f"this one {list(own[name].shape) if name in own else 'has no such weight'}"
                )
        self.load_state_dict(found)


class Interaction(nn.Module):
    """One block: filter-generating network, convolution, and a layer before and two after it."""

    def __init__(self, channels: int, gaussians: int, filters: int, dropout: float) -> None:
        super().__init__()
        self.filter = nn.Sequential(
            nn.Linear(gaussians, filters), ShiftedSoftplus(), nn.Linear(filters, filters)
        )
        self.before = nn.Linear(channels, filters, bias=False)
        self.after = nn.Linear(filters, channels)
        self.act = ShiftedSoftplus()
        self.out = nn.Linear(channels, channels)
        self.dropout = nn.Dropout(dropout)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, h: Tensor, w: Tensor, pairs: Pairs) -> Tensor:
        """Return the change of the node features `h [..., channels]` for filters `w [rows, filters]`."""
        messages = pairs.convolve(w, self.before(h))
        return self.dropout(self.out(self.act(self.after(messages))))
