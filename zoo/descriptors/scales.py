"""Fields coarse-grained over a length: density of each species, mean and variance of what is measured."""

from __future__ import annotations

import torch
from torch import Tensor

from zoo.descriptors.operators import Mean

#: Least share of the weights that means of a species are divided by: one that has less is hardly there, and
#: its means go to 0 with it, without a jump.
ABSENT = 1e-3


def at_scale(measured: Tensor, kind: Tensor, species: int, mean: Mean) -> Tensor:
    """Return `[nodes, species · (1 + 2 columns)]`, as `names` says.

    With weights w = exp(−r/L) that fade out at their range, the particle itself included: Σ_j w of each
    species' particles, and over these the mean of each column and its variance.

    Args:
        measured: `[nodes, columns]` float64, such as energy and Voronoi surface.
        kind: `[nodes]` species.
        species: number of species.
        mean: the operator of this length.

    Source: Jung, Biroli, Berthier, Phys. Rev. Lett. 130, 238202 (2023), eq. 1 and below.
    """
    own = torch.nn.functional.one_hot(kind, species).double()
    parts = [own, *(own[:, [s]] * power for s in range(species) for power in (measured, measured.square()))]
    means = mean @ torch.cat(parts, dim=1)
    share, moments = means[:, :species], means[:, species:].unflatten(1, (species, 2, measured.shape[1]))
    safe = share.clamp_min(ABSENT)[:, :, None]
    first = moments[:, :, 0] / safe
    variance = (moments[:, :, 1] / safe - first.square()).clamp_min(0)
    rows = torch.cat([(share * mean.total[:, None])[:, :, None], first, variance], dim=2)
    return rows.flatten(1)


def names(measured: list[str], species: int) -> list[str]:
    """Name of each column of `at_scale`."""
    out = []
    for s in range(species):
        out += [f"weight of {s}", *(f"mean {name} of {s}" for name in measured)]
        out += [f"variance of {name} of {s}" for name in measured]
    return out
