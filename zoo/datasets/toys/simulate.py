"""One run of a toy target: chains side by side, each with a ladder of temperatures."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from zoo import keys
from zoo.physics.samplers import HMC, Ladder, Langevin, ReplicaExchange, State, geometric_ladder, per_row
from zoo.physics.toys import DoubleWells, LennardJonesCluster, PairPotential

TARGETS: dict[str, type[PairPotential]] = {"dw4": DoubleWells, "lj13": LennardJonesCluster}
#: Distance of the sites from which chains start: near the minimum of a pair, so that nothing overlaps.
SPACING = {"dw4": 3.0, "lj13": 1.1}
#: Time steps of Langevin dynamics: a tenth of the fastest vibration's 1/ω or less.
TIMESTEP = {"dw4": 0.02, "lj13": 0.004}
#: First guess and iterations of the warm-up in which HMC finds its time steps.
FIRST_STEP, WARM_UP = 0.01, 150


class ToySimulator:
    """A `zoo.engines.runs.Simulator`.

    Args:
        job: `target` ("dw4" or "lj13"), `parameters` of its potential, `seed`, and the options
            `temperature`, `chains`, `sampler`, `steps`, `timestep`, `levels`, `hottest`,
            `exchanges`, `equilibration`.
    """

    def __init__(self, job: dict[str, Any]) -> None:
        self.job = job
        self.target = TARGETS[job["target"]](**job["parameters"])
        self.chains: int = job["chains"]
        coldest = job["temperature"]
        self.kT = geometric_ladder(coldest, coldest * job["hottest"], job["levels"])
        self.rows = per_row(self.kT, self.chains)
        self.masses = torch.ones(self.target.particles, dtype=torch.float64)

    def advance(
        self,
        run: int,
        piece: int,
        frames: int,
        state: dict[str, np.ndarray] | None,
        tell: Callable[[], None],
    ) -> dict[str, np.ndarray]:
        """Sample one piece: frame after frame of the first chain, the second, … and again the first."""
        generator = torch.Generator().manual_seed(
            int(np.random.default_rng([self.job["seed"], run, piece]).integers(2**63 - 1))
        )
        if state is None:
            sampler, now, ladder = self._equilibrated(generator)
        else:
            sampler = self._sampler(torch.from_numpy(state["last_timestep"]))
            now, ladder = State.from_arrays(state), Ladder.from_arrays(state)
        exchange = ReplicaExchange(sampler, self.kT, self.chains)
        kept: list[torch.Tensor] = []
        for done in range(0, frames, self.chains):
            now, ladder = exchange.advance(now, ladder, self.job["exchanges"], self._moves, generator)
            kept.append(now.positions[:: len(self.kT)][: frames - done])
            for _ in range(len(kept[-1])):
                tell()
        timestep = torch.as_tensor(sampler.timestep, dtype=torch.float64)
        return {
            **self._labelled(torch.cat(kept)),
            **now.to_arrays(),
            **ladder.to_arrays(),
            "last_timestep": timestep.numpy(),
        }

    @property
    def _moves(self) -> int:
        """Moves of the sampler between exchanges: all of `steps` are one iteration of HMC."""
        return 1 if self.job["sampler"] == "hmc" else self.job["steps"]

    def _sampler(self, timestep: torch.Tensor) -> HMC | Langevin:
        if self.job["sampler"] == "hmc":
            return HMC(
                self.target, self.masses, self.rows, timestep, steps=self.job["steps"], fixed_center=True
            )
        return Langevin(self.target, self.masses, self.rows, float(timestep), friction=1.0, fixed_center=True)

    def _equilibrated(self, generator: torch.Generator) -> tuple[HMC | Langevin, State, Ladder]:
        """Start on random sites of a lattice, find the time steps, and forget the start."""
        positions = self._sites(generator)
        first = HMC(
            self.target, self.masses, self.rows, FIRST_STEP, steps=self.job["steps"], fixed_center=True
        )
        adapted, state = first.warmed_up(first.start(positions, generator), WARM_UP, generator)
        timestep = torch.as_tensor(adapted.timestep)
        if self.job["sampler"] == "langevin":
            timestep = torch.tensor(self.job["timestep"] or TIMESTEP[self.job["target"]])
        sampler = self._sampler(timestep)
        exchange = ReplicaExchange(sampler, self.kT, self.chains)
        state, ladder = exchange.advance(
            state, exchange.begin(), self.job["equilibration"], self._moves, generator
        )
        return sampler, state, exchange.recount(ladder)

    def _sites(self, generator: torch.Generator) -> torch.Tensor:
        target, count = self.target, len(self.rows)
        side = 1
        while side**target.dimensions < 2 * target.particles:
            side += 1
        lattice = torch.tensor(list(itertools.product(range(side), repeat=target.dimensions)))
        order = torch.rand(count, len(lattice), generator=generator).argsort(1)[:, : target.particles]
        x = SPACING[self.job["target"]] * lattice[order].double()
        x = x + 0.02 * torch.randn(x.shape, generator=generator, dtype=torch.float64)
        return x - x.mean(1, keepdim=True)

    def _labelled(self, positions: torch.Tensor) -> dict[str, np.ndarray]:
        """Energies and forces in double precision at the positions as they are stored."""
        stored = (positions - positions.mean(1, keepdim=True)).float()
        energies, forces = self.target.energy_and_forces(stored.double())
        flat = 3 - self.target.dimensions  # z = 0 of a system in the plane
        return {
            keys.POSITIONS: torch.nn.functional.pad(stored, (0, flat)).numpy(),
            keys.FORCES: torch.nn.functional.pad(forces.float(), (0, flat)).numpy(),
            keys.ENERGIES: energies.numpy(),
        }
