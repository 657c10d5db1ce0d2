"""The Boltzmann distribution as a density of coordinates, with its evaluations counted."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from zoo.physics.coordinates import Coordinates

Bias = Callable[[Tensor], Tensor]


class BoltzmannTarget:
    """log p̃(q) = −U(x(q))/kT − B(q) + log |dx/dq|, unnormalised.

    Args:
        potential: positions `[batch, particles, dim]` → energies `[batch]`.
        coordinates: of q.
        kT: in the potential's unit of energy.
        bias: B(q) `[batch]` in units of kT: umbrella towards a region.
        count: shared by targets that differ in temperature alone; `count[0]` is the number of
            configurations whose energy was computed.
    """

    def __init__(
        self,
        potential: Callable[[Tensor], Tensor],
        coordinates: Coordinates,
        kT: float,
        bias: Bias | None = None,
        count: list[int] | None = None,
    ) -> None:
        self.potential, self.coordinates, self.kT, self.bias = potential, coordinates, kT, bias
        self.count = [0] if count is None else count
        self._compiled: Callable[[Tensor], tuple[Tensor, Tensor]] | None = None

    @property
    def evaluations(self) -> int:
        """Configurations whose energy was computed, with or without forces."""
        return self.count[0]

    def at(self, kT: float, bias: Bias | None = None) -> BoltzmannTarget:
        """The same at another temperature or with another bias; evaluations add up in one count."""
        other = BoltzmannTarget(self.potential, self.coordinates, kT, bias, self.count)
        other._compiled = self._compiled
        return other

    def energy_and_volume(self, q: Tensor) -> tuple[Tensor, Tensor]:
        """Return U `[batch]` and log |dx/dq| `[batch]`, differentiable."""
        self.count[0] += len(q)
        return self._parts(q)

    def log_density(self, q: Tensor) -> Tensor:
        """Return log p̃ `[batch]`, differentiable; −∞ outside of the domain."""
        energy, volume = self.energy_and_volume(q)
        return self.combine(q, energy, volume)

    def combine(self, q: Tensor, energy: Tensor, volume: Tensor) -> Tensor:
        """Return log p̃ from its parts; −∞ outside of the domain and where a part is not finite."""
        value = volume - energy / self.kT
        if self.bias is not None:
            value = value - self.bias(q)
        good = self.coordinates.inside(q) & torch.isfinite(value)
        return torch.where(good, value, torch.full_like(value, -torch.inf))

    def log_density_and_gradient(self, q: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return log p̃ `[batch]`, its gradient `[batch, d]` and U `[batch]`, all detached.

        The gradient is zero where log p̃ is −∞.
        """
        self.count[0] += len(q)
        with torch.enable_grad():
            point = q.detach().requires_grad_()
            energy, volume = (self._compiled or self._parts)(point)
            value = self.combine(point, energy, volume)
            (gradient,) = torch.autograd.grad(value.where(torch.isfinite(value), 0.0).sum(), point)
        return value.detach(), gradient.nan_to_num(0.0, 0.0, 0.0), energy.detach()

    def compile(self, example: Tensor) -> bool:
        """Compile energy and coordinates for batches of one shape; half a minute, and needs a C++ compiler.

        Returns:
            Whether it worked; the plain code stays in use otherwise.
        """
        count = self.count[0]
        try:
            self._compiled = torch.compile(self._parts, dynamic=False)
            self.log_density_and_gradient(example)
        except Exception:  # torch raises what it likes: no compiler, no Triton, unsupported Python
            self._compiled = None
        self.count[0] = count
        return self._compiled is not None

    def _parts(self, q: Tensor) -> tuple[Tensor, Tensor]:
        positions, volume = self.coordinates.to_cartesian(q)
        return self.potential(positions).to(q.dtype), volume
