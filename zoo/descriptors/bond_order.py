"""Bond-orientational order: how the neighbours at some distance are arranged, whatever the rotation."""

from __future__ import annotations

import torch
from torch import Tensor

from zoo.descriptors.harmonics import spherical_harmonics
from zoo.descriptors.operators import csr
from zoo.descriptors.surroundings import Surroundings

#: Widths beyond a shell up to which neighbours are looked at, where one weighs exp(−12.5) = 4e-6.
REACH = 5.0
#: Least sum of weights: fewer neighbours than this are order of none, not perfect order.
LEAST = 1e-3


def bond_order(around: Surroundings, degree: int, shells: Tensor, width: float) -> Tensor:
    """Return `q_l(i; μ)`, `[nodes, shells · degree]`: shell by shell, l = 1 … degree, each in [0, 1].

        q_l = √(4π/(2l + 1) Σ_m |q_lm|²),  q_lm = Σ_j w_j Y_lm(r_ij) / Σ_j w_j,
        w_j = exp(−(r_ij − μ)²/(2δ²))

    Args:
        around: particles and neighbours; those beyond `REACH` widths of a shell do not count there.
        degree: largest l.
        shells: μ `[shells]` float64.
        width: δ.

    Source: Boattini, Smallenburg, Filion, Phys. Rev. Lett. 127, 088007 (2021), eqs. 2 to 4; after
    Steinhardt, Nelson, Ronchetti, Phys. Rev. B 28, 784 (1983).
    """
    count = len(shells)
    near = ((around.r[:, None] - shells).abs() < REACH * width).any(1)
    around = around.within(near)
    distance = (around.r[:, None] - shells) / width
    edge, shell = (distance.abs() < REACH).nonzero().T
    weight = torch.exp(-0.5 * distance[edge, shell].square())
    row = around.receive[edge] * count + shell
    total = weight.new_zeros(around.nodes * count).index_add_(0, row, weight).clamp_min(LEAST)
    y = spherical_harmonics(around.vectors / around.r[:, None], degree)
    mean = csr(row, edge, weight / total[row], (around.nodes * count, len(y))) @ y
    square = torch.stack(
        [
            mean[:, order**2 - 1 : (order + 1) ** 2 - 1].square().sum(1) * (4 * torch.pi / (2 * order + 1))
            for order in range(1, degree + 1)
        ],
        dim=1,
    )
    return square.sqrt().view(around.nodes, -1)
