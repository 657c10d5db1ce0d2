"""Affine couplings on whitened coordinates."""

from __future__ import annotations

import math

import torch
from pydantic import Field
from torch import Tensor, nn

from zoo.data.info import DataInfo
from zoo.models.density import DensityConfig
from zoo.models.flows.base import UniformNormal
from zoo.models.flows.composed import ComposedFlow
from zoo.models.flows.masks import halves
from zoo.models.flows.triangular import AffineCoupling

#: tanh(0.8 z) is the logistic function nearest to the normal's distribution: normal z becomes almost uniform.
STEEPNESS = 0.8


class RealNVPConfig(DensityConfig):
    """Sizes of the couplings."""

    couplings: int = Field(8, ge=1, description="number of affine couplings")
    hidden: int = Field(128, ge=1, description="width of the networks")
    layers: int = Field(2, ge=1, description="hidden layers of the networks")


class RealNVP(ComposedFlow):
    """A Gaussian pushed through affine couplings of halves of the columns (Noé et al. 2019).

    Torsions are cut open at ±π, each to a line of its own. What this cannot do: know that both ends of the
    cut are one place, so that a mode there comes out in two halves with a seam; and part a Gaussian into
    modes without a bridge of density between them, as an affine map bends a column only through the
    others. That is why the field went on to splines on the circle (`spline-flow`).
    """

    config: RealNVPConfig

    def __init__(self, config: RealNVPConfig, info: DataInfo) -> None:
        super().__init__(config, info)
        circular, local = self.whitening.circular, self.whitening.local
        self.base = UniformNormal(0, circular + local)
        generator = torch.Generator().manual_seed(0)  # masks are part of the architecture
        for mask in halves(circular, local, config.couplings, generator):
            self.transforms.append(Plain(mask, config.hidden, config.layers))
        self.transforms.append(CutOpen(circular))


class Plain(AffineCoupling):
    """An affine coupling without context."""

    def __init__(self, mask: Tensor, hidden: int, layers: int) -> None:
        super().__init__(mask, 0, hidden, layers)

    def forward(self, z: Tensor, context: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return y `[batch, columns]` and log |dy/dz| `[batch]`."""
        return super().forward(z, z[:, :0])

    def inverse(self, y: Tensor, context: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return z `[batch, columns]` and log |dz/dy| `[batch]`."""
        return super().inverse(y, y[:, :0])


class CutOpen(nn.Module):
    """Line to circle cut at ±π: angle = π tanh(0.8 z), of the first columns.

    Args:
        circular: how many.
    """

    def __init__(self, circular: int) -> None:
        super().__init__()
        self.circular = circular

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Return u `[batch, columns]` and log |du/dz| `[batch]`."""
        line = z[:, : self.circular]
        return torch.cat([math.pi * torch.tanh(STEEPNESS * line), z[:, self.circular :]], 1), _volume(line)

    def inverse(self, u: Tensor) -> tuple[Tensor, Tensor]:
        """Return z `[batch, columns]` and log |dz/du| `[batch]`."""
        edge = 1 - torch.finfo(u.dtype).eps
        line = torch.atanh((u[:, : self.circular] / math.pi).clamp(-edge, edge)) / STEEPNESS
        return torch.cat([line, u[:, self.circular :]], 1), -_volume(line)


def _volume(line: Tensor) -> Tensor:
    """log |d(π tanh(s z))/dz| summed over columns; sech² by softplus does not underflow."""
    x = STEEPNESS * line
    log_sech2 = 2 * (math.log(2) - x - torch.nn.functional.softplus(-2 * x))
    return (math.log(math.pi * STEEPNESS) + log_sech2).sum(1)
