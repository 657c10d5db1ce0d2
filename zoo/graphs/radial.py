"""Functions of a distance: bases that spread it over channels, and smooth cutoffs."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from zoo.errors import ConfigError


class GaussianBasis(nn.Module):
    """Gaussians on an even grid, each as wide as the grid: `d [E]` → `[E, n]`.

    `exp(−(d − μ_k)² / (2Δ²))`, `μ_k = start + kΔ`, `μ_{n−1} = stop`; SchNet (Schütt et al. 2017).

    Raises:
        ConfigError: `n < 2` or `stop <= start`.
    """

    centers: Tensor

    def __init__(self, start: float = 0.0, stop: float = 5.0, n: int = 50) -> None:
        super().__init__()
        if n < 2 or stop <= start:
            raise ConfigError(f"cannot put {n} Gaussians from {start} to {stop}; need n >= 2.")
        self.start, self.stop, self.n = float(start), float(stop), int(n)
        centers = torch.linspace(start, stop, n)
        self.coefficient = -0.5 / float(centers[1] - centers[0]) ** 2
        self.register_buffer("centers", centers)

    def forward(self, d: Tensor) -> Tensor:
        """Return `[E, n]` for distances `[E]`."""
        return torch.exp(self.coefficient * (d[..., None] - self.centers).square())

    def extra_repr(self) -> str:  # noqa: D102
        return f"start={self.start}, stop={self.stop}, n={self.n}"


class BesselBasis(nn.Module):
    """Spherical Bessel functions of order 0 that vanish at the cutoff: `d [E]` → `[E, n]`.

    `√(2/c) · sin(kπd/c) / d`, `k = 1 … n`; DimeNet (Gasteiger et al. 2020, eq. 7). Its limit at
    `d = 0`, `√(2/c)·kπ/c`, and its derivatives are right too.

    Raises:
        ConfigError: `cutoff <= 0` or `n < 1`.
    """

    order: Tensor

    def __init__(self, cutoff: float, n: int = 8) -> None:
        super().__init__()
        if cutoff <= 0 or n < 1:
            raise ConfigError(f"need cutoff > 0 and n >= 1, got {cutoff} and {n}.")
        self.cutoff, self.n = float(cutoff), int(n)
        self.register_buffer("order", torch.arange(1, n + 1, dtype=torch.get_default_dtype()))

    def forward(self, d: Tensor) -> Tensor:
        """Return `[E, n]` for distances `[E]`."""
        wave = self.order * (math.pi / self.cutoff)
        return math.sqrt(2 / self.cutoff) * wave * _sinc(wave * d[..., None])

    def extra_repr(self) -> str:  # noqa: D102
        return f"cutoff={self.cutoff}, n={self.n}"


class CosineCutoff(nn.Module):
    """`(1 + cos(πd/c)) / 2` up to the cutoff and 0 beyond (Behler 2011): `[E]` → `[E]`.

    Value and slope are continuous. (torch-geometric's SchNet lets it rise again beyond.)

    Raises:
        ConfigError: `cutoff <= 0`.
    """

    def __init__(self, cutoff: float) -> None:
        super().__init__()
        if cutoff <= 0:
            raise ConfigError(f"the cutoff must be positive, got {cutoff}.")
        self.cutoff = float(cutoff)

    def forward(self, d: Tensor) -> Tensor:
        """Return a factor in [0, 1] for each distance."""
        # at the cutoff itself the cosine is −1: clamping there ends in a value and slope of 0
        return 0.5 * (torch.cos(d.clamp(max=self.cutoff) * (math.pi / self.cutoff)) + 1.0)

    def extra_repr(self) -> str:  # noqa: D102
        return f"cutoff={self.cutoff}"


class PolynomialCutoff(nn.Module):
    """A polynomial from 1 to 0 with two continuous derivatives at the cutoff: `[E]` → `[E]`.

    `1 − (p+1)(p+2)/2·x^p + p(p+2)·x^(p+1) − p(p+1)/2·x^(p+2)`, `x = d/c`, and 0 beyond; DimeNet
    (Gasteiger et al. 2020, eq. 8).

    Raises:
        ConfigError: `cutoff <= 0` or `p < 2`.
    """

    def __init__(self, cutoff: float, p: int = 6) -> None:
        super().__init__()
        if cutoff <= 0 or p < 2:
            raise ConfigError(f"need cutoff > 0 and p >= 2, got {cutoff} and {p}.")
        self.cutoff, self.p = float(cutoff), int(p)

    def forward(self, d: Tensor) -> Tensor:
        """Return a factor in [0, 1] for each distance."""
        p, x = self.p, (d / self.cutoff).clamp(max=1)
        inner = p * (p + 2) * x - (p + 1) * (p + 2) / 2 - p * (p + 1) / 2 * x.square()
        return 1 + x.pow(p) * inner

    def extra_repr(self) -> str:  # noqa: D102
        return f"cutoff={self.cutoff}, p={self.p}"


def _sinc(x: Tensor) -> Tensor:
    """`sin(x)/x`, with derivatives that exist at 0 (the second one of `torch.sinc` is NaN)."""
    small = x.abs() < 0.1
    y = torch.where(small, x, 0.0).square()
    series = 1 - y / 6 * (1 - y / 20 * (1 - y / 42))  # the next term is below 3e-14
    safe = torch.where(small, 1.0, x)
    return torch.where(small, series, safe.sin() / safe)
