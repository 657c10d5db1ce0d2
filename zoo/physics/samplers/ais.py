"""Annealed importance sampling: from a density that can be drawn from to one that cannot."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, NamedTuple

import torch
from torch import Tensor

#: Coordinates `[batch, dim]` → log density `[batch]`, without its constant; −∞ outside of the domain.
#: An object with a method `log_density_and_gradient(x)` (whose results begin with these two) is asked
#: for both at once; otherwise gradients come from autograd.
LogDensity = Any


@dataclass(frozen=True)
class Annealed:
    """Weighted samples of the final density; all but `acceptance` in the order of the draws.

    Args:
        positions: `[batch, dim]`.
        log_weights: `[batch]`; the mean weight estimates Z_final / Z_start without bias, and
            weighted averages are those of the final density. −∞ where a chain never counted.
        log_start, log_target: `[batch]` both log densities at `positions`.
        acceptance: `[levels]` mean probability of acceptance at each level.
    """

    positions: Tensor
    log_weights: Tensor
    log_start: Tensor
    log_target: Tensor
    acceptance: Tensor


@dataclass(frozen=True)
class AIS:
    """Annealed importance sampling with Hamiltonian transitions, all chains in one batch.

    R. M. Neal, Stat. Comput. 11, 125 (2001). Chains begin at draws of q and pass through the densities
    q^(1 − αβ) p^(αβ) with β from 0 to 1, at each level moved by HMC that leaves its density as it is.
    With α = 1 the final density is the target p. With α = 2 it is p²/q, under which importance
    weights p/q have the least variance: the samples that FAB trains on (L. I. Midgley et al., ICLR
    2023, arXiv:2208.01893).

    Weights are exact whatever the step sizes, as long as these do not depend on the chains that they
    move: `adapted` takes the acceptance of an earlier run. p is sampled only where q is not zero.

    Args:
        start, target: log q and log p; of `LogDensity`. q must be normalised for log Z to be that of p.
        levels: `[levels]` β at which chains move, ascending in (0, 1]; 0 and 1 need not be named.
        timestep: of leapfrog for unit masses, one for all levels or `[levels]`.
        steps: leapfrog steps of one trajectory.
        iterations: trajectories at each level.
        alpha: of the final density p^α q^(1 − α).
        scale: `[dim]` width of each coordinate, the unit of its steps; one by default.
        wrap: brings coordinates `[batch, dim]` back into their domain, where some are periodic.
        jitter: time steps are drawn uniformly within this share, as in `HMC`.

    Raises:
        ValueError: levels that do not ascend within (0, 1].
    """

    start: LogDensity
    target: LogDensity
    levels: Tensor
    timestep: float | Tensor = 0.1
    steps: int = 4
    iterations: int = 1
    alpha: float = 1.0
    scale: Tensor | None = None
    wrap: Callable[[Tensor], Tensor] | None = None
    jitter: float = 0.2

    def __post_init__(self) -> None:
        beta = [0.0, *self.levels.tolist()]
        if not (all(a < b for a, b in pairwise(beta)) and beta[-1] <= 1):
            raise ValueError(f"levels must ascend within (0, 1], they are {self.levels.tolist()}")

    @property
    def evaluations(self) -> int:
        """Evaluations of the target, with its gradient, for each chain."""
        return 1 + len(self.levels) * self.iterations * self.steps

    def run(self, positions: Tensor, generator: torch.Generator) -> Annealed:
        """Anneal independent draws of q `[batch, dim]`; all results are detached."""
        point = self._at(positions.detach())
        log_weights = torch.zeros_like(point.start)
        acceptance = point.start.new_zeros(len(self.levels))
        before = 0.0
        for level, beta in enumerate(self.levels.tolist()):
            log_weights = log_weights + (beta - before) * self._log_ratio(point)
            for _ in range(self.iterations):
                point, probability = self._move(point, level, generator)
                acceptance[level] += probability.mean() / self.iterations
            before = beta
        if before < 1:
            log_weights = log_weights + (1 - before) * self._log_ratio(point)
        return Annealed(point.x, log_weights, point.start, point.target, acceptance)

    def adapted(self, acceptance: Tensor, target: float = 0.65, gain: float = 0.3) -> AIS:
        """Return a sampler whose steps are longer where more than `target` was accepted, shorter elsewhere.

        Args:
            acceptance: `[levels]` of an earlier run.
            target: wanted; 0.65 is the best for many dimensions (A. Beskos et al., Bernoulli 19, 1501
                (2013)).
            gain: change of log Δt for a difference of one.
        """
        old = torch.as_tensor(self.timestep, dtype=acceptance.dtype, device=acceptance.device)
        return replace(self, timestep=old * torch.exp(gain * (acceptance - target)))

    def _at(self, x: Tensor) -> _Point:
        return _Point(x, *_both(self.start, x), *_both(self.target, x))

    def _log_ratio(self, point: _Point) -> Tensor:
        """α log(p/q), the derivative of the log density by β; −∞ where one of the two is zero."""
        ratio = self.alpha * (point.target - point.start)
        return torch.where(point.counts, ratio, -torch.inf)

    def _move(self, point: _Point, level: int, generator: torch.Generator) -> tuple[_Point, Tensor]:
        """Do one trajectory at a level; return where it led and the probability of acceptance `[batch]`."""
        share = self.alpha * float(self.levels[level])
        x = point.x
        uniform = torch.rand((2, len(x)), generator=generator, dtype=x.dtype, device=x.device)
        h = torch.as_tensor(self.timestep, dtype=x.dtype, device=x.device).expand(len(self.levels))[level]
        h = h * (1 + self.jitter * (2 * uniform[0][:, None] - 1))
        if self.scale is not None:
            h = h * self.scale.to(x)
        v = old = torch.randn(x.shape, generator=generator, dtype=x.dtype, device=x.device)
        new = point
        for _ in range(self.steps):
            v = v + 0.5 * h * new.slope(share)
            x = x + h * v
            new = self._at(self.wrap(x) if self.wrap else x)
            x = new.x
            v = v + 0.5 * h * new.slope(share)
        gain = new.height(share) - point.height(share) - 0.5 * (v * v - old * old).sum(1)
        # From nowhere to nowhere is NaN: not accepted, and neither is what ran into an overlap.
        probability = torch.exp(gain.clamp(max=0)).nan_to_num(nan=0.0)
        accept = uniform[1] < probability
        kept = (
            torch.where(accept.reshape(-1, *[1] * (a.ndim - 1)), a, b)
            for a, b in zip(new, point, strict=True)
        )
        return _Point(*kept), probability


class _Point(NamedTuple):
    """Coordinates with both log densities `[batch]` and their gradients `[batch, dim]`."""

    x: Tensor
    start: Tensor
    start_slope: Tensor
    target: Tensor
    target_slope: Tensor

    @property
    def counts(self) -> Tensor:
        """`[batch]` whether both densities are there."""
        return torch.isfinite(self.start) & torch.isfinite(self.target)

    def height(self, share: float) -> Tensor:
        """Log of q^(1 − share) p^share."""
        return torch.where(self.counts, (1 - share) * self.start + share * self.target, -torch.inf)

    def slope(self, share: float) -> Tensor:
        """Gradient of `height`."""
        return (1 - share) * self.start_slope + share * self.target_slope


def _both(density: LogDensity, x: Tensor) -> tuple[Tensor, Tensor]:
    """Log density, −∞ where it is not a number, and gradient, zero where it is none."""
    both = getattr(density, "log_density_and_gradient", None)
    if both is not None:
        value, gradient = both(x)[:2]
    else:
        with torch.enable_grad():
            point = x.detach().requires_grad_()
            value = density(point)
            (gradient,) = torch.autograd.grad(value.sum(), point)
    value = value.detach()
    return torch.where(torch.isfinite(value), value, -math.inf), gradient.nan_to_num(0.0, 0.0, 0.0)
