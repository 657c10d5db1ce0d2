"""Radial densities: how many neighbours of each species a particle has, shell by shell."""

from __future__ import annotations

import torch
from torch import Tensor

from zoo.descriptors.surroundings import Surroundings

#: Widths beyond the last shell up to which neighbours are looked at, where one counts exp(−9) = 1e-4.
REACH = 3.0


def radial_densities(around: Surroundings, species: int, centers: Tensor, width: float) -> Tensor:
    """Return `G_sk(i) = Σ_{j of species s} exp(−(r_ij − μ_k)²/δ²)`, `[nodes, species · shells]`.

    Args:
        around: particles and neighbours; those beyond `REACH` widths behind the last shell are left out.
        species: number of species.
        centers: μ `[shells]` float64, ascending.
        width: δ.

    Source: Schoenholz et al., Nat. Phys. 12, 469 (2016), eq. 1 (after Behler and Parrinello 2007).
    """
    around = around.within(around.r < float(centers[-1]) + REACH * width)
    shells = torch.exp(-((around.r[:, None] - centers) / width).square())
    out = shells.new_zeros(around.nodes * species, len(centers))
    out.index_add_(0, around.receive * species + around.neighbour, shells)
    return out.view(around.nodes, -1)
