"""Monotonic rational-quadratic splines: on an interval with straight tails, or on the circle.

Durkan, Bekasov, Murray, Papamakarios, Neural Spline Flows, NeurIPS 2019 (arXiv:1906.04032), eqs 4 to 8;
on the circle: Rezende et al., ICML 2020 (arXiv:2002.02428), section 2.3.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

#: Least width and height of a bin as a share of an even one, and least slope. What a spline leaves in a
#: forbidden region is about this share of its mass there: small, or it shows in the energies.
FLOOR, LEAST_SLOPE = 1e-3, 1e-4


def parameters_per_column(bins: int, *, circular: bool) -> int:
    """Unconstrained numbers that one spline takes: widths, heights, slopes at the knots."""
    return 3 * bins if circular else 3 * bins - 1


@dataclass(frozen=True)
class Spline:
    """A monotonic map of [−bound, bound] onto itself, one for each element.

    Bins are the first axis: of some ten numbers each, they are slow as the last one.

    Args:
        widths, heights: `[bins, …]` of the bins; both add up to twice the bound.
        slopes: `[bins + 1, …]` at the knots.
        bound: half the interval, one for all or `[…]`.
        circular: the interval is a circle; else beyond it the map is the identity.
    """

    widths: Tensor
    heights: Tensor
    slopes: Tensor
    bound: Tensor | float
    circular: bool

    @classmethod
    def build(cls, raw: Tensor, bound: Tensor | float, *, circular: bool) -> Spline:
        """Make it of unconstrained numbers; zeros give the identity.

        Args:
            raw: `[…, parameters_per_column]`.
            bound: half the interval, one for all or broadcastable to `[…]`.
            circular: slope and density agree at both ends.
        """
        bins = (raw.shape[-1] + 1) // 3
        first = raw.movedim(-1, 0).contiguous()
        width, height, slope = first.split([bins, bins, len(first) - 2 * bins])
        inner = torch.nn.functional.softplus(slope + math.log(math.e - 1))
        inner = LEAST_SLOPE + (1 - LEAST_SLOPE) * inner
        one = torch.ones_like(inner[:1])
        slopes = torch.cat([inner, inner[:1]] if circular else [one, inner, one])
        return cls(_sizes(width, bound), _sizes(height, bound), slopes, bound, circular)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return y `[…]` and log dy/dx `[…]`."""
        x0, y0, width, height, d0, d1 = self._bin(self.widths, x)
        slope = height / width
        t = ((x - x0) / width).clamp(0, 1)
        bend, tt = d0 + d1 - 2 * slope, t * (1 - t)
        base = slope + bend * tt
        y = y0 + height * (slope * t * t + d0 * tt) / base
        rise = slope * slope * (d1 * t * t + 2 * slope * tt + d0 * (1 - t) ** 2)
        return self._tails(x, y, rise.log() - 2 * base.log())

    def inverse(self, y: Tensor) -> tuple[Tensor, Tensor]:
        """Return x `[…]` and log dx/dy `[…]`."""
        x0, y0, width, height, d0, d1 = self._bin(self.heights, y)
        slope = height / width
        u = ((y - y0) / height).clamp(0, 1)
        bend = d0 + d1 - 2 * slope
        a = slope - d0 + u * bend
        b = d0 - u * bend
        c = -slope * u
        # round-off can turn the root of a nearly straight bin negative
        t = (-2 * c / (b + (b * b - 4 * a * c).clamp_min(0).sqrt())).clamp(0, 1)
        tt = t * (1 - t)
        base = slope + bend * tt
        rise = slope * slope * (d1 * t * t + 2 * slope * tt + d0 * (1 - t) ** 2)
        return self._tails(y, x0 + width * t, 2 * base.log() - rise.log())

    def _tails(self, given: Tensor, value: Tensor, ladj: Tensor) -> tuple[Tensor, Tensor]:
        if self.circular:
            return value, ladj
        inside = given.abs() < self.bound
        return torch.where(inside, value, given), torch.where(inside, ladj, torch.zeros_like(ladj))

    def _bin(self, sizes: Tensor, at: Tensor) -> tuple[Tensor, ...]:
        """Lower corner, width, height and slopes at both ends of the bin that each element is in."""
        # one set of splines serves all rows: axes of length 1 stand for those that it lacks
        own = sizes.dim() - 1
        widths, heights, slopes = (
            part.view(len(part), *[1] * (at.dim() - own), *part.shape[1:])
            for part in (self.widths, self.heights, self.slopes)
        )
        with torch.no_grad():
            upper = (widths if sizes is self.widths else heights)[:-1].cumsum(0) - self.bound
            number = (upper <= at).sum(0, keepdim=True)
            bins = torch.arange(len(sizes), device=at.device).view(-1, *[1] * at.dim())
            below = (bins < number).to(sizes)
        x0, y0 = ((part * below).sum(0) - self.bound for part in (widths, heights))
        width, height = (part.expand(-1, *at.shape).gather(0, number)[0] for part in (widths, heights))
        d0, d1 = slopes.expand(-1, *at.shape).gather(0, torch.cat([number, number + 1]))
        return x0, y0, width, height, d0, d1


def _sizes(raw: Tensor, bound: Tensor | float) -> Tensor:
    return 2 * bound * (FLOOR / len(raw) + (1 - FLOOR) * raw.softmax(0))
