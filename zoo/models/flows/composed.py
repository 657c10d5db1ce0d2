"""A flow made of a base, a stack of bijections and a whitening."""

from __future__ import annotations

import math
from typing import Protocol, cast

import torch
from torch import Tensor, nn

from zoo.data.info import DataInfo
from zoo.models.density import DensityConfig, DensityModel
from zoo.models.flows.base import UniformNormal
from zoo.models.flows.whitening import Whitening
from zoo.physics.target import BoltzmannTarget


class Bijection(Protocol):
    """A smooth map with a smooth inverse."""

    def forward(self, u: Tensor) -> tuple[Tensor, Tensor]:
        """Return v `[batch, d]` and log |dv/du| `[batch]`."""

    def inverse(self, v: Tensor) -> tuple[Tensor, Tensor]:
        """Return u `[batch, d]` and log |du/dv| `[batch]`."""


class Base(Protocol):
    """A density that is easy to draw from."""

    def draw(self, n: int, generator: torch.Generator | None, like: Tensor) -> tuple[Tensor, Tensor]:
        """Draw u `[n, d]` with its log-density `[n]`."""

    def log_density(self, u: Tensor) -> Tensor:
        """Return the log-density `[batch]` of u `[batch, d]`."""


class ComposedFlow(DensityModel):
    """q = whitening(f_n(… f_1(u))), u from the base: uniform angles and normal local columns.

    A subclass appends `Bijection`s to `transforms`, and may replace `base`.
    """

    base: Base

    def __init__(self, config: DensityConfig, info: DataInfo) -> None:
        super().__init__(config, info)
        self.whitening = Whitening(self.coordinates, info)
        self.base = UniformNormal(self.whitening.circular, self.whitening.local)
        self.transforms = nn.ModuleList()

    def prepare(self, target: BoltzmannTarget | None, positions: Tensor | None) -> None:
        """Set mean and widths of the local coordinates; see `Whitening.prepare`."""
        self.whitening.prepare(self.coordinates, target, positions)

    def rescale(self, factor: float) -> None:
        """Local variances are proportional to the temperature."""
        self.whitening.rescale(factor)

    def draw(self, n: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """See `DensityModel`."""
        u, log_q = self.base.draw(n, generator, next(self.parameters(), self.whitening.mean))
        q, ladj = self._bent(u)
        return q, log_q - ladj

    def log_density(self, q: Tensor) -> Tensor:
        """See `DensityModel`."""
        u, ladj = self.unbent(q)
        return self.base.log_density(u) + ladj

    def to_base(self, q: Tensor) -> Tensor:
        """See `DensityModel`: angles and normal columns, as the base has them."""
        return self.unbent(q)[0]

    def from_base(self, u: Tensor) -> Tensor:
        """See `DensityModel`."""
        return self._bent(u)[0]

    @property
    def base_periods(self) -> list[float]:
        """See `DensityModel`."""
        return [2 * math.pi] * int(getattr(self.base, "circular", 0))

    def _bent(self, u: Tensor) -> tuple[Tensor, Tensor]:
        """q of u `[batch, d]`, and log |dq/du| `[batch]`."""
        total = u.new_zeros(len(u))
        for transform in [*self.transforms, self.whitening]:
            u, ladj = transform(u)
            total = total + ladj
        return u, total

    def unbent(self, q: Tensor) -> tuple[Tensor, Tensor]:
        """Return u `[batch, d]` as the base has it, and log |du/dq| `[batch]`."""
        u, ladj = self.whitening.inverse(q)
        for transform in reversed(self.transforms):
            u, change = cast(Bijection, transform).inverse(u)
            ladj = ladj + change
        return u, ladj
