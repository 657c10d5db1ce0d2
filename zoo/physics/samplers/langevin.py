"""Langevin dynamics by the BAOAB splitting."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from zoo.physics.samplers.state import (
    PerReplica,
    Potential,
    State,
    begin,
    energy_and_forces,
    maxwell,
    particle_column,
    replica_column,
    require_finite,
)


@dataclass(frozen=True)
class Langevin:
    """m dv = F dt − γ m v dt + √(2 γ m kT) dW, a batch of replicas at a time.

    BAOAB (Leimkuhler, Matthews, Appl. Math. Res. Express 2013, 34): one force per step, and for
    harmonic forces the distribution of positions has no error of the time step. Velocities have
    one: ⟨m v²⟩ = kT (1 − (ω Δt/2)²) for a harmonic oscillator of frequency ω.

    Args:
        potential: positions `[batch, particles, dim]` → energies `[batch]`.
        masses: `[particles]`, energy · time² / length²; see `inertia`.
        kT: energy; one for all replicas or `[batch]`.
        timestep: time.
        friction: γ, 1/time; one for all replicas or `[batch]`.
        fixed_center: total momentum stays zero and the centre of mass where it is; for potentials
            that no translation changes. Without noise on the centre, 1 / particles fewer degrees
            of freedom are thermal.
    """

    potential: Potential
    masses: torch.Tensor
    kT: PerReplica
    timestep: float
    friction: PerReplica
    fixed_center: bool = False

    def start(self, positions: torch.Tensor, generator: torch.Generator) -> State:
        """Return a state at `positions` with fresh velocities. Raises `RunFailed` at infinite energy."""
        return begin(
            self.potential, positions, self.masses, self.kT, generator, fixed_center=self.fixed_center
        )

    def advance(self, state: State, steps: int, generator: torch.Generator) -> State:
        """Return the state after so many time steps.

        Raises:
            RunFailed: the dynamics broke down, as by a time step that is too long.
        """
        state = self.unchecked(state, steps, generator)
        require_finite(state, "try a shorter time step")
        return state

    def unchecked(self, state: State, steps: int, generator: torch.Generator) -> State:
        """Return the state after so many time steps, of replicas that may have broken down (NaN) as well."""
        x, v, forces, energies = state.positions, state.velocities, state.forces, state.energies
        h = self.timestep
        kick = 0.5 * h / particle_column(self.masses, x)
        keep = torch.exp(-replica_column(self.friction, x) * h)
        noise = (1 - keep * keep).sqrt()
        for _ in range(steps):
            v = v + kick * forces
            x = x + 0.5 * h * v
            fresh = maxwell(v, self.masses, self.kT, generator, fixed_center=self.fixed_center)
            v = keep * v + noise * fresh
            x = x + 0.5 * h * v
            energies, forces = energy_and_forces(self.potential, x)
            v = v + kick * forces
        return State(x, v, forces, energies)
