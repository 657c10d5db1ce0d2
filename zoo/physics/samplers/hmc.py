"""Hamiltonian Monte Carlo: exact for any step size, unlike dynamics."""

from __future__ import annotations

from dataclasses import dataclass, replace

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
)


@dataclass(frozen=True)
class HMC:
    """Fresh velocities, some leapfrog steps, then Metropolis on the change of total energy.

    Duane, Kennedy, Pendleton, Roweth, Phys. Lett. B 195, 216 (1987). The distribution sampled is
    exactly that of `kT` as long as nothing adapts to the samples: adapt in the warm-up alone.

    Args:
        potential: positions `[batch, particles, dim]` → energies `[batch]`.
        masses: `[particles]`, energy · time² / length²; see `inertia`.
        kT: energy; one for all replicas or `[batch]`.
        timestep: of leapfrog; one for all replicas or `[batch]`.
        steps: leapfrog steps of one iteration.
        jitter: the time step of each iteration and replica is drawn uniformly within this share of
            `timestep`, so that no period of the motion can resonate with the trajectory's length.
        fixed_center: total momentum stays zero and the centre of mass where it is; for potentials
            that no translation changes.
    """

    potential: Potential
    masses: torch.Tensor
    kT: PerReplica
    timestep: PerReplica
    steps: int = 10
    jitter: float = 0.2
    fixed_center: bool = False

    def start(self, positions: torch.Tensor, generator: torch.Generator) -> State:
        """Return a state at `positions` with fresh velocities. Raises `RunFailed` at infinite energy."""
        return begin(
            self.potential, positions, self.masses, self.kT, generator, fixed_center=self.fixed_center
        )

    def move(self, state: State, generator: torch.Generator) -> tuple[State, torch.Tensor]:
        """Do one iteration; return the state and the probability `[batch]` of having accepted.

        A rejected replica keeps its positions and reverses its velocities, so that positions and
        velocities together are a sample of the canonical ensemble.
        """
        x = state.positions
        m = particle_column(self.masses, x)
        uniform = torch.rand((2, len(x)), generator=generator, dtype=x.dtype, device=x.device)
        h = replica_column(self.timestep, x) * (1 + self.jitter * (2 * uniform[0].reshape(-1, 1, 1) - 1))
        v = old = maxwell(x, self.masses, self.kT, generator, fixed_center=self.fixed_center)
        energies, forces = state.energies, state.forces
        for _ in range(self.steps):
            v = v + 0.5 * h / m * forces
            x = x + h * v
            energies, forces = energy_and_forces(self.potential, x)
            v = v + 0.5 * h / m * forces
        kinetic = 0.5 * (m * (v * v - old * old)).sum((1, 2))
        change = (energies - state.energies + kinetic) / replica_column(self.kT, x).flatten()
        # Trajectories that ran into an overlap end at infinity or NaN: never accepted.
        probability = torch.exp(-change.clamp(min=0)).nan_to_num(nan=0.0)
        accept = uniform[1] < probability
        rows = accept.reshape(-1, 1, 1)
        new = State(
            torch.where(rows, x, state.positions),
            torch.where(rows, v, -old),
            torch.where(rows, forces, state.forces),
            torch.where(accept, energies, state.energies),
        )
        return new, probability

    def advance(self, state: State, iterations: int, generator: torch.Generator) -> State:
        """Return the state after so many iterations."""
        for _ in range(iterations):
            state, _ = self.move(state, generator)
        return state

    def warmed_up(
        self, state: State, iterations: int, generator: torch.Generator, target: float = 0.8
    ) -> tuple[HMC, State]:
        """Return a sampler whose time steps are accepted at the rate `target`, and the state reached.

        Stochastic approximation (Robbins, Monro, Ann. Math. Stat. 22, 400 (1951)) on log Δt, one
        for each temperature. What is visited meanwhile is no sample: the time step depends on it.
        """
        batch = len(state.energies)
        kT = replica_column(self.kT, state.positions).flatten().expand(batch)
        levels, level = torch.unique(kT, return_inverse=True)
        count = torch.bincount(level, minlength=len(levels))
        log_step = replica_column(self.timestep, state.positions).flatten().expand(batch).log()
        sampler = self
        for i in range(iterations):
            sampler = replace(self, timestep=log_step.exp())
            state, probability = sampler.move(state, generator)
            mean = torch.zeros_like(levels).index_add_(0, level, probability) / count
            log_step = log_step + (mean - target)[level] / (i + 1) ** 0.6
        return replace(self, timestep=log_step.exp()), state
