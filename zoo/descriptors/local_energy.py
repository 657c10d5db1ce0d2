"""Potential energy of a particle among its neighbours: half of each pair."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from zoo.descriptors.surroundings import Surroundings

#: Pairs nearer than this (in σ of the pair) count as if they were there: a number stays a number where
#: particles lie upon each other, which they do in no liquid.
CLOSEST = 0.5


class LocalEnergy:
    """½ Σ_j 4 ε [(σ/r)¹² − (σ/r)⁶ + c0 + c2 (r/σ)² + c4 (r/σ)⁴] of the neighbours below the cutoff.

    Args:
        potential: ε and σ `[species][species]`, cutoff in σ of each pair and tail (c0, c2, c4); None:
            the constant that makes the energy vanish at the cutoff. See
            `zoo.physics.energy.LennardJonesMixture`.

    Attributes:
        cutoff: of the longest pair, in the unit of length.
    """

    def __init__(self, potential: Mapping[str, Any]) -> None:
        self.epsilon = torch.tensor(potential["epsilon"], dtype=torch.float64)
        self.sigma = torch.tensor(potential["sigma"], dtype=torch.float64)
        self.pair_cutoff = float(potential["cutoff"])
        shift = self.pair_cutoff**-6.0 - self.pair_cutoff**-12.0
        self.tail = tuple(potential.get("tail") or (shift, 0.0, 0.0))
        self.cutoff = self.pair_cutoff * float(self.sigma.max())

    def __call__(self, around: Surroundings) -> Tensor:
        """Return `[nodes, 1]` float64, in the unit of ε."""
        own = around.kind[around.receive]
        epsilon = self.epsilon.to(own.device)[own, around.neighbour]
        ratio = around.r / self.sigma.to(own.device)[own, around.neighbour]
        x2 = ratio.clamp_min(CLOSEST).square()
        s6 = x2**-3
        c0, c2, c4 = self.tail
        pair = 4 * epsilon * (s6 * (s6 - 1) + c0 + x2 * (c2 + x2 * c4))
        pair = torch.where(ratio < self.pair_cutoff, pair, 0.0)
        return pair.new_zeros(around.nodes).index_add_(0, around.receive, 0.5 * pair)[:, None]
