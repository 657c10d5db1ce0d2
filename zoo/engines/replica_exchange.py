"""Replica exchange in torch: many ensembles, each a ladder of temperatures, in one batch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch

from zoo import keys
from zoo.physics import from_openmm
from zoo.physics.samplers import (
    Ladder,
    Langevin,
    Pivots,
    ReplicaExchange,
    State,
    geometric_ladder,
    inertia,
    per_row,
)
from zoo.physics.torsions import torsions
from zoo.units import ASE, BOLTZMANN_EV

#: Bins of each angle of a plane, 10° each.
BINS = 36


@dataclass(frozen=True)
class ExchangeJob:
    """What all batches of ensembles share; plain values, so that it travels as JSON.

    Args:
        system_xml: the OpenMM System.
        masses: `[atoms]` in amu.
        starts: `[starts][atoms][3]` in Å, taken in turn by the ensembles.
        lowest, highest, levels: the ladder, K.
        timestep, friction: ps, 1/ps.
        steps: time steps between two exchanges.
        rounds: exchanges between two frames.
        equilibration: exchanges at the start that are thrown away.
        ensembles: of each batch.
        device, compile: see `ExchangeOptions`.
        seed: of everything random.
        torsions: `[torsions][4]` atoms of those that are watched at each exchange.
        planes: `[planes][2]` numbers of two watched torsions, such as φ and ψ, that are counted in bins.
        pivots: turns about bonds that are tried before each exchange; see `zoo.physics.samplers.Pivots`.
        axes: `[bonds][2]` atoms of the bonds that turn.
        turning: `[bonds][…]` atoms that turn with the second one.
        half_turns: `[bonds]` whether a bond turns by half a turn alone.
        polish: trajectories by which each stored frame is made exact; see `zoo.engines.polish`.
    """

    system_xml: str
    masses: list[float]
    starts: list[list[list[float]]]
    lowest: float
    highest: float
    levels: int
    timestep: float
    friction: float
    steps: int
    rounds: int
    equilibration: int
    ensembles: list[int]
    device: str
    compile: bool
    seed: int
    torsions: list[list[int]]
    planes: list[list[int]]
    pivots: int = 0
    axes: list[list[int]] = field(default_factory=list)
    turning: list[list[int]] = field(default_factory=list)
    half_turns: list[bool] = field(default_factory=list)
    polish: int = 0

    @property
    def temperatures(self) -> np.ndarray:
        """Temperatures `[levels]` in K."""
        return geometric_ladder(self.lowest, self.highest, self.levels).numpy()


class ExchangeRun(ABC):
    """One batch of ensembles; see `zoo.engines.runs.Simulator`. Subclasses tell basins.

    The dynamics is in single precision; energies and forces that are stored are computed in double
    precision at the float32 positions that are stored.
    """

    @abstractmethod
    def codes(self, angles: np.ndarray) -> np.ndarray:
        """Return basins as numbers, `[…]` or `[…, n]`, of watched torsions `[…, torsions]` in rad."""

    def __init__(self, job: dict[str, Any]) -> None:
        torch.set_num_threads(1)
        self.job = ExchangeJob(**job)
        self.first = 0  # number of the batch's first ensemble
        self.label = from_openmm(self.job.system_xml).to(self.job.device)
        self.potential = from_openmm(self.job.system_xml).float().to(self.job.device)

    def advance(
        self,
        run: int,
        piece: int,
        frames: int,
        state: dict[str, np.ndarray] | None,
        tell: Callable[[], None],
    ) -> dict[str, np.ndarray]:
        """Simulate one piece: `frames` of each ensemble.

        Returns arrays of the lowest temperature `[frames, ensembles, …]`; at each exchange
        `level_energies` (eV) and `level_basins` (see `codes`) `[exchanges, ensembles, levels, …]`
        of all temperatures; counts `planes` `[2, planes, BINS, BINS]` of the lowest one, by even and odd
        ensemble, and `pivots_accepted` `[levels]`; and the state.
        """
        job, ensembles = self.job, self.job.ensembles[run]
        self.first = sum(job.ensembles[:run])
        words = np.random.SeedSequence([job.seed, run, piece]).generate_state(2)
        generator = torch.Generator(device=job.device).manual_seed(int(words[0]) << 31 ^ int(words[1]))
        kT = BOLTZMANN_EV * torch.as_tensor(job.temperatures)
        mass = inertia(np.array(job.masses), ASE)
        rows = per_row(kT, ensembles).to(job.device)
        moves = Langevin(self.potential, mass, rows, timestep=job.timestep, friction=job.friction)
        exchange = ReplicaExchange(moves, kT, ensembles)
        at, ladder = self._start(exchange, ensembles, generator, state)
        turns = self._pivots(rows)
        kept: dict[str, list[np.ndarray]] = {}
        counts = np.zeros((2, len(job.planes), BINS, BINS), np.int64)
        turned = np.zeros(job.levels, np.int64)
        for _ in range(frames):
            for _ in range(job.rounds):
                at = moves.advance(at, job.steps, generator)
                for _ in range(job.pivots):
                    at, accepted = turns.move(at, generator)
                    turned += accepted.reshape(-1, job.levels).sum(0).cpu().numpy()
                self._record(at, kept, counts)
                at, ladder = exchange.exchange(at, ladder, generator)
            at = _centered(at)
            self._keep(at, kept)
            tell()
        number = piece_start(state) + np.arange(1, frames + 1)
        steps = job.steps * (job.equilibration + job.rounds * number)
        return {
            **{name: np.stack(values) for name, values in kept.items()},
            keys.TIME: steps * job.timestep,
            "planes": counts,
            "pivots_accepted": turned,
            **at.to_arrays(),
            **ladder.to_arrays(),
            "last_frame": number[-1],
        }

    def _start(
        self,
        exchange: ReplicaExchange,
        ensembles: int,
        generator: torch.Generator,
        state: dict[str, np.ndarray] | None,
    ) -> tuple[State, Ladder]:
        job = self.job
        if state is not None:
            at, ladder = (
                State.from_arrays(state, device=job.device),
                Ladder.from_arrays(state, device=job.device),
            )
            self._compile(at)
            return at, ladder
        starts = torch.tensor(job.starts, dtype=torch.float32, device=job.device)
        ensemble = self.first + torch.arange(ensembles, device=job.device).repeat_interleave(job.levels)
        at = exchange.sampler.start(starts[ensemble % len(starts)], generator)  # type: ignore[attr-defined]
        self._compile(at)
        ladder = exchange.begin(job.device)
        for _ in range(job.equilibration):
            at, ladder = exchange.advance(at, ladder, 1, job.steps, generator)
        return _centered(at), exchange.begin(job.device)

    def _compile(self, at: State) -> None:
        if self.job.compile and not self.potential.compile_energy(at.positions):
            raise RuntimeError("torch cannot compile here (is there a C++ compiler?): --set compile=false")

    def _pivots(self, kT: torch.Tensor) -> Pivots:
        job, device = self.job, self.job.device
        turning = torch.zeros((len(job.axes), len(job.masses)), dtype=torch.bool, device=device)
        for row, atoms in zip(turning, job.turning, strict=True):
            row[atoms] = True
        axes = torch.tensor(job.axes, dtype=torch.int64, device=device).reshape(-1, 2)
        half = torch.tensor(job.half_turns, dtype=torch.bool, device=device)
        return Pivots(self.potential, kT, axes, turning, half)

    def _record(self, at: State, kept: dict[str, list[np.ndarray]], counts: np.ndarray) -> None:
        job = self.job
        shape = (-1, job.levels)
        angle = torsions(at.positions, np.array(job.torsions)).double().cpu().numpy()
        angle = angle.reshape(*shape, len(job.torsions))
        kept.setdefault("level_energies", []).append(at.energies.reshape(shape).float().cpu().numpy())
        kept.setdefault("level_basins", []).append(self.codes(angle))
        cell = np.floor((angle[:, 0] / (2 * np.pi) + 0.5) * BINS).astype(int) % BINS
        parity = (self.first + np.arange(len(cell))) % 2
        for plane, (first, second) in enumerate(job.planes):
            np.add.at(counts[:, plane], (parity, cell[:, first], cell[:, second]), 1)

    def _keep(self, at: State, kept: dict[str, list[np.ndarray]]) -> None:
        lowest = at.positions[:: self.job.levels]
        energies, forces = self.label.energy_and_forces(lowest.double())
        for name, values in (
            (keys.POSITIONS, lowest),
            (keys.FORCES, forces.float()),
            (keys.ENERGIES, energies),
        ):
            kept.setdefault(name, []).append(values.cpu().numpy())


def piece_start(state: dict[str, np.ndarray] | None) -> int:
    """Frames of each ensemble before this piece."""
    return 0 if state is None else int(state["last_frame"])


def _centered(state: State) -> State:
    """Move each replica to the origin: far away, single precision has no digits left for bonds."""
    return replace(state, positions=state.positions - state.positions.mean(1, keepdim=True))
