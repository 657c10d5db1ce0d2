"""Densities on a torus: torsions one after the other, each by a circular spline given those before."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn

from zoo.models.flows.splines import Spline, parameters_per_column


class Harmonics(nn.Module):
    """Smooth features of circular columns `[batch, columns]` → `[batch, 2 · order · columns]`.

    Args:
        periods: of the columns.
        order: highest harmonic.
    """

    speed: Tensor

    def __init__(self, periods: list[float], order: int = 2) -> None:
        super().__init__()
        self.size = 2 * order * len(periods)
        base = torch.tensor([2 * math.pi / p for p in periods], dtype=torch.float64)
        self.register_buffer("speed", torch.arange(1, order + 1)[:, None] * base, persistent=False)

    def forward(self, angles: Tensor) -> Tensor:
        """Columns are kept together: `[batch, columns, 2 · order]` flattened."""
        phase = angles[:, None] * self.speed.to(angles)
        return torch.stack([phase.cos(), phase.sin()], 1).flatten(1, 2).transpose(1, 2).flatten(1)


class TorusAutoregression(nn.Module):
    """q(t) = Π q(t_i | t_1 … t_{i−1}), each factor a circular rational-quadratic spline of a uniform base.

    Modes of any number and depth, with no bridge between them that a connected base would need. The
    splines' numbers come from one small network for each column; all are evaluated in one product.

    Args:
        periods: of the columns, in their order.
        bins: of each spline.
        hidden: width of the networks.
        layers: hidden layers of the networks.
    """

    mask: Tensor
    bounds: Tensor

    def __init__(self, periods: list[float], bins: int = 32, hidden: int = 64, layers: int = 2) -> None:
        super().__init__()
        self.columns, self.bins = len(periods), bins
        self.features = Harmonics(periods)
        each = self.features.size // max(self.columns, 1)
        allowed = torch.arange(self.features.size) // max(each, 1)
        mask = (allowed[None] < torch.arange(self.columns)[:, None]).double()
        self.register_buffer("mask", mask, persistent=False)
        self.register_buffer("bounds", torch.tensor(periods, dtype=torch.float64) / 2, persistent=False)
        sizes = [self.features.size, *[hidden] * layers, parameters_per_column(bins, circular=True)]
        self.weights, self.biases = nn.ParameterList(), nn.ParameterList()
        for i, (fan_in, fan_out) in enumerate(pairwise(sizes)):
            last = i == len(sizes) - 2
            scale = 0.0 if last else 1 / math.sqrt(max(fan_in, 1))
            self.weights.append(nn.Parameter(scale * torch.randn(self.columns, fan_in, fan_out)))
            self.biases.append(nn.Parameter(torch.zeros(self.columns, 1, fan_out)))
        #: Numbers that no column's network depends on: these learn faster.
        self.marginal = nn.Parameter(torch.zeros(self.columns, sizes[-1]))

    def log_density(self, t: Tensor) -> Tensor:
        """Return log q(t) `[batch]`."""
        spline = self._spline(self.features(t), slice(None))
        _, ladj = spline.inverse(t)
        return ladj.sum(1) - self._volume(t)

    def draw(self, n: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Draw t `[n, columns]` with log q(t) `[n]`."""
        like = self.marginal
        bounds = self.bounds.to(like)
        uniform = torch.rand(n, self.columns, generator=generator, dtype=like.dtype, device=like.device)
        base = (2 * uniform - 1) * bounds
        t, ladj = self.from_base(base)
        return t, -ladj - self._volume(base)

    def to_base(self, t: Tensor) -> Tensor:
        """Return where t `[batch, columns]` comes from in the uniform base."""
        return self._spline(self.features(t), slice(None)).inverse(t)[0]

    def from_base(self, base: Tensor) -> tuple[Tensor, Tensor]:
        """Return t `[batch, columns]` of points of the base, and log |dt/dbase| `[batch]`."""
        n = len(base)
        columns: list[Tensor] = []
        ladj = base.new_zeros(n)
        each = self.features.size // max(self.columns, 1)
        known = base.new_zeros(n, self.features.size)
        for i in range(self.columns):
            spline = self._spline(known, slice(i, i + 1))
            value, change = spline.forward(base[:, i : i + 1])
            columns.append(value[:, 0])
            ladj = ladj + change[:, 0]
            if i + 1 < self.columns:
                padded = torch.zeros_like(base)
                padded = torch.cat([padded[:, :i], value, padded[:, i + 1 :]], 1)
                own = torch.zeros_like(known)
                own[:, i * each : (i + 1) * each] = 1.0
                known = torch.where(own > 0, self.features(padded), known)
        return torch.stack(columns, 1), ladj

    def _volume(self, like: Tensor) -> Tensor:
        return (2 * self.bounds).log().sum().to(like)

    def _spline(self, features: Tensor, which: slice) -> Spline:
        """Splines of some columns, for features `[batch, size]`."""
        h = features[None] * self.mask[which, None].to(features)
        last = len(self.weights) - 1
        for i, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            h = torch.baddbmm(bias[which], h, weight[which])
            if i < last:
                h = torch.nn.functional.silu(h)
        raw = h.transpose(0, 1) + self.marginal[which]
        return Spline.build(raw, self.bounds[which].to(raw), circular=True)
