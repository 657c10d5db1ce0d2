"""Replica exchange between temperatures, many independent ensembles in one batch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Protocol

import numpy as np
import torch

from zoo.physics.samplers.state import State


class Sampler(Protocol):
    """What moves the replicas between two exchanges: `Langevin`, `HMC`."""

    def advance(self, state: State, steps: int, generator: torch.Generator) -> State:
        """Return the state after so many steps."""
        ...


@dataclass
class Ladder:
    """Who is where, and what the exchanges did so far; `[ensembles, levels]` unless stated.

    A walker is a configuration on its way through the temperatures.

    Args:
        walkers: number of the walker at each level.
        heading: of each *walker*: 0 until it comes to the lowest level, +1 from there to the
            highest, −1 from there to the lowest.
        round_trips: of each *walker*: from the lowest level to the highest and back.
        attempts, accepted: `[levels − 1]` exchanges between a level and the next.
        rounds: exchanges done, `[]`.
    """

    walkers: torch.Tensor
    heading: torch.Tensor
    round_trips: torch.Tensor
    attempts: torch.Tensor
    accepted: torch.Tensor
    rounds: torch.Tensor

    @property
    def acceptance(self) -> torch.Tensor:
        """Share of accepted exchanges `[levels − 1]`, lowest pair first."""
        return self.accepted / self.attempts.clamp(min=1)

    def to_arrays(self, prefix: str = "last_ladder_") -> dict[str, np.ndarray]:
        """Return all of it as numpy arrays, to continue from later."""
        return {prefix + f.name: getattr(self, f.name).cpu().numpy() for f in fields(self)}

    @classmethod
    def from_arrays(
        cls,
        arrays: Mapping[str, np.ndarray],
        prefix: str = "last_ladder_",
        device: torch.device | str = "cpu",
    ) -> Ladder:
        """Inverse of `to_arrays`."""
        return cls(**{f.name: torch.tensor(arrays[prefix + f.name], device=device) for f in fields(cls)})


@dataclass(frozen=True)
class ReplicaExchange:
    """Swaps of neighbouring temperatures (Swendsen, Wang, Phys. Rev. Lett. 57, 2607 (1986)).

    Row `e · levels + l` of the batch always has the temperature of level `l`; configurations move.
    Even and odd pairs take turns, which carries walkers along faster than drawing pairs (Okabe et
    al., Chem. Phys. Lett. 335, 435 (2001)) and keeps the canonical ensemble of each level stationary.
    Velocities are scaled with √T (Sugita, Okamoto, Chem. Phys. Lett. 314, 141 (1999)).

    Args:
        sampler: moves the replicas between exchanges; built with `kT` = `per_row(kT, ensembles)`.
        kT: `[levels]`, ascending, energy.
        ensembles: independent ladders side by side.
    """

    sampler: Sampler
    kT: torch.Tensor
    ensembles: int = 1

    def begin(self, device: torch.device | str = "cpu") -> Ladder:
        """Return the ladder before the first exchange."""
        levels = len(self.kT)
        shape = (self.ensembles, levels)
        heading = torch.zeros(shape, dtype=torch.int64, device=device)
        heading[:, 0] = 1
        return Ladder(
            walkers=torch.arange(levels, device=device).expand(shape).clone(),
            heading=heading,
            round_trips=torch.zeros(shape, dtype=torch.int64, device=device),
            attempts=torch.zeros(levels - 1, dtype=torch.int64, device=device),
            accepted=torch.zeros(levels - 1, dtype=torch.int64, device=device),
            rounds=torch.zeros((), dtype=torch.int64, device=device),
        )

    def recount(self, ladder: Ladder) -> Ladder:
        """Return the ladder with all counts at zero, as after equilibration."""
        fresh = self.begin(ladder.walkers.device)
        return replace(fresh, walkers=ladder.walkers, heading=ladder.heading, rounds=ladder.rounds)

    def advance(
        self, state: State, ladder: Ladder, rounds: int, steps: int, generator: torch.Generator
    ) -> tuple[State, Ladder]:
        """Do `rounds` times `steps` steps of the sampler, each time followed by one exchange."""
        for _ in range(rounds):
            state = self.sampler.advance(state, steps, generator)
            state, ladder = self.exchange(state, ladder, generator)
        return state, ladder

    def exchange(self, state: State, ladder: Ladder, generator: torch.Generator) -> tuple[State, Ladder]:
        """Offer an exchange to every other pair of neighbouring levels: one sweep."""
        levels, device = len(self.kT), state.energies.device
        kT = self.kT.to(state.energies)
        energies = state.energies.reshape(self.ensembles, levels)
        lower = torch.arange(levels - 1, device=device)[int(ladder.rounds) % 2 :: 2]
        upper = lower + 1
        uniform = torch.rand(
            (self.ensembles, len(lower)), generator=generator, dtype=energies.dtype, device=device
        )
        # min(1, exp((1/kT_l − 1/kT_u)(U_l − U_u)))
        gain = (1 / kT[lower] - 1 / kT[upper]) * (energies[:, lower] - energies[:, upper])
        accept = uniform < torch.exp(gain.clamp(max=0))
        source = torch.arange(levels, device=device).repeat(self.ensembles, 1)
        source[:, lower] += accept.long()
        source[:, upper] -= accept.long()
        rows = (source + levels * torch.arange(self.ensembles, device=device)[:, None]).flatten()
        scale = (kT / kT[source]).sqrt().reshape(-1, 1, 1)
        state = State(
            state.positions[rows],
            state.velocities[rows] * scale,
            state.forces[rows],
            state.energies[rows],
        )
        return state, self._counted(ladder, source, lower, accept)

    def _counted(
        self, ladder: Ladder, source: torch.Tensor, lower: torch.Tensor, accept: torch.Tensor
    ) -> Ladder:
        walkers = ladder.walkers.gather(1, source)
        heading, trips = ladder.heading.clone(), ladder.round_trips.clone()
        bottom, top = walkers[:, :1], walkers[:, -1:]
        trips.scatter_add_(1, bottom, (heading.gather(1, bottom) < 0).long())
        heading.scatter_(1, bottom, 1)
        heading.scatter_(1, top, -(heading.gather(1, top) != 0).long())
        attempts, accepted = ladder.attempts.clone(), ladder.accepted.clone()
        attempts[lower] += self.ensembles
        accepted[lower] += accept.sum(0)
        return Ladder(walkers, heading, trips, attempts, accepted, ladder.rounds + 1)


def geometric_ladder(lowest: float, highest: float, levels: int) -> torch.Tensor:
    """Return temperatures (or kT) `[levels]` with a constant ratio, float64.

    With a heat capacity that does not depend on temperature every pair is accepted equally often.
    """
    return torch.logspace(math.log10(lowest), math.log10(highest), levels, dtype=torch.float64)


def per_row(kT: torch.Tensor, ensembles: int) -> torch.Tensor:
    """Return the temperature of each row of the batch `[ensembles · levels]`."""
    return kT.repeat(ensembles)
