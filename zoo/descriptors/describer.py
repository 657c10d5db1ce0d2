"""From the neighbours of each particle to its descriptors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from zoo.descriptors.settings import DescriptorSettings


class Describer:
    """Computes the descriptors that the settings name, in float64; nothing is learned.

    Args:
        settings: which ones.
        species: number of species.
        potential: ε, σ `[species, species]`, cutoff in σ and tail of the pair potential, as in a
            system's parameters; None where it is not known.

    Attributes:
        cutoff: edges up to here are looked at.
        names: of each column.

    Raises:
        ConfigError: the energy is asked for, and there is no potential.
    """

    cutoff: float
    names: list[str]

    def __init__(
        self, settings: DescriptorSettings, species: int, potential: Mapping[str, Any] | None = None
    ) -> None:
        self.settings, self.species, self.potential = settings, species, potential
        self.centers = torch.tensor(settings.centers(), dtype=torch.float64)
        self.cutoff = settings.centers()[-1] + 3 * settings.width
        self.names = [f"density {s} {c:.2f}" for s in range(species) for c in settings.centers()]

    def __call__(self, kind: Tensor, edge_index: Tensor, vectors: Tensor) -> Tensor:
        """Return `[nodes, len(names)]` float64.

        Args:
            kind: `[nodes]` species 0 … species − 1.
            edge_index: `[2, E]`, row 0 sends, row 1 receives; longer ones than `cutoff` do not count.
            vectors: `[E, 3]` from sender to receiver.
        """
        send, receive = edge_index
        r = vectors.double().norm(dim=1)
        near = r < self.cutoff
        shells = torch.exp(-((r[near, None] - self.centers) / self.settings.width).square())
        out = shells.new_zeros(len(kind) * self.species, len(self.centers))
        out.index_add_(0, receive[near] * self.species + kind[send[near]], shells)
        return out.view(len(kind), -1)
