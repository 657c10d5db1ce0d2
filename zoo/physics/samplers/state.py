"""What a sampler carries from step to step, and how energies, forces and velocities come about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields

import numpy as np
import torch

from zoo.errors import RunFailed
from zoo.units import ANGSTROM_PER_NM, EV_PER_KJ_MOL, UnitSystem

#: Positions `[batch, particles, dim]` → energies `[batch]`. One that also has a method
#: `energy_and_forces(positions)` is asked for both at once; otherwise forces come from autograd.
Potential = Callable[[torch.Tensor], torch.Tensor]
#: One number for all replicas, or `[batch]`.
PerReplica = float | torch.Tensor


@dataclass(frozen=True)
class State:
    """A batch of replicas at one moment.

    Args:
        positions: `[batch, particles, dim]`.
        velocities: `[batch, particles, dim]`, of the same moment.
        forces: `[batch, particles, dim]`, −∂U/∂x at `positions`.
        energies: `[batch]`, U at `positions`.
    """

    positions: torch.Tensor
    velocities: torch.Tensor
    forces: torch.Tensor
    energies: torch.Tensor

    def to_arrays(self, prefix: str = "last_") -> dict[str, np.ndarray]:
        """Return all of it as numpy arrays, to continue from later."""
        return {prefix + f.name: getattr(self, f.name).cpu().numpy() for f in fields(self)}

    @classmethod
    def from_arrays(
        cls, arrays: Mapping[str, np.ndarray], prefix: str = "last_", device: torch.device | str = "cpu"
    ) -> State:
        """Inverse of `to_arrays`."""
        return cls(**{f.name: torch.tensor(arrays[prefix + f.name], device=device) for f in fields(cls)})


def energy_and_forces(potential: Potential, positions: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return energies `[batch]` and forces −∂U/∂x `[batch, particles, dim]`, both detached."""
    both = getattr(potential, "energy_and_forces", None)
    if both is not None:
        energies, forces = both(positions)
        return energies.detach(), forces.detach()
    with torch.enable_grad():
        x = positions.detach().requires_grad_()
        energies = potential(x)
        (gradient,) = torch.autograd.grad(energies.sum(), x)
    return energies.detach(), -gradient


def inertia(masses: np.ndarray | torch.Tensor, units: UnitSystem) -> torch.Tensor:
    """Convert masses `[particles]` of a unit system to energy · time² / length², float64.

    In `ase` units 1 amu (Å/ps)² is 0.01 kJ/mol = 1.036e-4 eV; in `lj` units nothing changes.
    """
    # 1 amu (nm/ps)² is 1 kJ/mol by the definitions of both
    factor = EV_PER_KJ_MOL / ANGSTROM_PER_NM**2 if units.name == "ase" else 1.0
    return torch.as_tensor(masses, dtype=torch.float64) * factor


def maxwell(
    like: torch.Tensor,
    masses: torch.Tensor,
    kT: PerReplica,
    generator: torch.Generator,
    *,
    fixed_center: bool = False,
) -> torch.Tensor:
    """Draw velocities of the Maxwell–Boltzmann distribution.

    Args:
        like: `[batch, particles, dim]`, for shape, dtype and device.
        masses: `[particles]`.
        kT: in energy, one for all or `[batch]`.
        generator: on the device of `like`.
        fixed_center: of the distribution given that the total momentum is zero.
    """
    noise = torch.randn(like.shape, generator=generator, dtype=like.dtype, device=like.device)
    m = particle_column(masses, like)
    velocities = noise * (replica_column(kT, like) / m).sqrt()
    if fixed_center:
        # A projection orthogonal in the metric of the masses leaves the other directions untouched.
        velocities = velocities - (m * velocities).sum(1, keepdim=True) / m.sum()
    return velocities


def replica_column(value: PerReplica, like: torch.Tensor) -> torch.Tensor:
    """Return a number per replica as `[batch or 1, 1, 1]`."""
    return torch.as_tensor(value, dtype=like.dtype, device=like.device).reshape(-1, 1, 1)


def particle_column(value: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """Return a number per particle as `[particles, 1]`."""
    return torch.as_tensor(value, dtype=like.dtype, device=like.device).reshape(-1, 1)


def begin(
    potential: Potential,
    positions: torch.Tensor,
    masses: torch.Tensor,
    kT: PerReplica,
    generator: torch.Generator,
    *,
    fixed_center: bool,
) -> State:
    """Return a state at `positions` with fresh velocities.

    Raises:
        RunFailed: an energy is infinite or NaN.
    """
    positions = positions.detach().clone()
    velocities = maxwell(positions, masses, kT, generator, fixed_center=fixed_center)
    energies, forces = energy_and_forces(potential, positions)
    state = State(positions, velocities, forces, energies)
    require_finite(state, "the starting positions overlap or are damaged")
    return state


def require_finite(state: State, advice: str) -> None:
    """Raise `RunFailed` if any replica's energy is infinite or NaN."""
    bad = torch.nonzero(~torch.isfinite(state.energies)).flatten()
    if len(bad):
        raise RunFailed(
            f"the energy of {len(bad)} of {len(state.energies)} replicas is not finite "
            f"(first: replica {int(bad[0])}); {advice}"
        )
