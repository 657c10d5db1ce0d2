"""The schedule of a simulation: which pieces of work there are, and what each waits for."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from zoo.data.work import Work
from zoo.datasets.kob_andersen import tasks
from zoo.datasets.kob_andersen.mixtures import Mixture
from zoo.datasets.kob_andersen.options import KobAndersenOptions
from zoo.engines.mixture import wrap
from zoo.progress import Bar

#: A run is saved at least this often, in particle-steps (about one minute of one core).
PIECE = 8e7

#: Order of clones and minimisations: after all that others wait for.
LAST = 10**6

#: In place of a clone's number, which counts from 1, for the random numbers of cages and p_hop.
CAGE_KEY, HOP_KEY = 10**6, 10**6 + 1

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Piece:
    """A stretch of a run: its name, steps, and the number of the configuration it ends with."""

    name: str
    steps: int
    frame: int | None


class Schedule:
    """All pieces of a dataset, what each waits for, and which are ready.

    Pieces of one run follow each other; from each configuration of it an inherent structure, the
    cage positions, p_hop and the clones branch off. Runs go first, since all else waits for them.

    Args:
        options: with nothing left out, see `KobAndersenOptions.resolved`.
        mixture: what is simulated.
        seed: of all random numbers.
        work: folder of the pieces.
        stored: configurations `[frames, particles, 3]` of an earlier dataset: only their cages and
            p_hop are computed.
    """

    def __init__(
        self,
        options: KobAndersenOptions,
        mixture: Mixture,
        seed: int,
        work: Work,
        stored: np.ndarray | None = None,
    ) -> None:
        assert options.times and options.spacing is not None and options.equilibration is not None
        assert options.density and options.temperature and options.timestep
        self.options, self.work, self.stored, self.timestep = options, work, stored, options.timestep
        self.box = mixture.box(options.particles, options.density)
        self.at = tasks.Conditions(
            particles=options.particles,
            box=self.box,
            temperature=options.temperature,
            timestep=options.timestep,
            thermostat=options.thermostat,
            clone_ensemble=options.clone_ensemble,
            cage_time=options.cage_time,
            cage_radius=options.cage_radius,
            hop_window=options.hop_window,
            hop_spacing=options.hop_spacing,
            quiet_time=options.quiet_time,
            seed=seed,
            variant=mixture.variant,
        )
        self.steps = [round(t / options.timestep) for t in options.times]
        self.equilibration = self._cut(options.equilibration)
        self.spacing = self._cut(options.spacing)
        self.ready: list[tuple[int, str, Callable[[], Arrays], float]] = []
        self.frames = options.frames_of_run()

    def _cut(self, time: float) -> list[int]:
        """Cut a stretch of a run into pieces of at most `PIECE` particle-steps."""
        steps = round(time / self.timestep)
        pieces = max(1, int(np.ceil(steps * self.options.particles / PIECE)))
        return [steps * (k + 1) // pieces - steps * k // pieces for k in range(pieces)]

    def chain(self, run: int) -> list[Piece]:
        """Return the pieces of one run in order."""
        melt = round((tasks.MELT_TIME + tasks.COOL_TIME) / self.timestep)
        out = [Piece(f"run{run}-melt", melt, None)]
        for frame in range(self.frames[run]):
            parts = self.equilibration if frame == 0 else self.spacing
            for k, steps in enumerate(parts):
                last = k == len(parts) - 1
                out.append(Piece(f"run{run}-{frame}-{k}", steps, frame if last else None))
        return out

    def costs(self) -> Iterator[tuple[str, float]]:
        """Yield the name and the particle-steps of every piece."""
        particles = float(self.options.particles)
        for run, frames in enumerate(self.frames):
            for piece in self.chain(run) if self.stored is None else []:
                yield piece.name, piece.steps * particles
            for frame in range(frames):
                for name, _, steps in self.branches(run, frame):
                    yield name, steps * particles

    def branches(self, run: int, frame: int) -> Iterator[tuple[str, Callable[..., Arrays], int]]:
        """Yield name, work (of a configuration) and steps of each piece that starts from one.

        The random numbers of a piece come from the seed and from (run, 1 + frame, number) alone.
        """
        options, at = self.options, self.at
        place = f"{run}-{frame}"
        if options.cage_time:
            key = (run, 1 + frame, CAGE_KEY)
            steps = round(options.cage_time / self.timestep) + tasks.MINIMUM_STEPS
            yield f"cage{place}", partial(tasks.cage, at, key=key), steps
        if options.hop_window:
            key = (run, 1 + frame, HOP_KEY)
            frames = 2 * round((at.hop_window / 2 + at.quiet_time) / at.hop_spacing)
            each = round(at.hop_spacing / self.timestep) + tasks.MINIMUM_STEPS
            yield f"hop{place}", partial(tasks.hops, at, key=key), frames * each
        if self.stored is not None:
            return
        yield f"inherent{place}", partial(tasks.inherent, at), tasks.MINIMUM_STEPS
        for number in range(options.clones):
            key = (run, 1 + frame, 1 + number)
            work = partial(tasks.clone, at, steps=self.steps, key=key)
            yield f"clone{place}-{number}", work, self.steps[-1]

    def _add(self, order: int, name: str, work: Callable[[], Arrays], steps: int) -> None:
        if name not in self.work:
            cost = float(steps * self.options.particles)
            heapq.heappush(self.ready, (order, name, work, cost))

    def start(self, bar: Bar) -> None:
        """Find what is ready, and count what an earlier process did."""
        bar.resume(sum(cost for name, cost in self.costs() if name in self.work))
        for run in range(len(self.frames)):
            if self.stored is None:
                self._follow(run, 0)
            else:
                for frame in range(self.frames[run]):
                    self._branch(run, frame)

    def _follow(self, run: int, first: int) -> None:
        """Go along a run from piece `first`, past all that is done, to the one that is ready now.

        What branches off the configurations on the way becomes ready as well.
        """
        chain = self.chain(run)
        for number in range(first, len(chain) + 1):
            frame = chain[number - 1].frame if number > 0 else None
            if frame is not None:
                self._branch(run, frame)
            if number < len(chain) and chain[number].name not in self.work:
                self._start(run, chain, number)
                return

    def _start(self, run: int, chain: list[Piece], number: int) -> None:
        piece = chain[number]
        job: Callable[[], Arrays] = partial(tasks.melt, self.at, run)
        if number > 0:
            state = self.work.load(chain[number - 1].name)
            state = {key: state[key] for key in ("positions", "velocities")}
            job = partial(tasks.segment, self.at, state, piece.steps)
        self._add(number, piece.name, job, piece.steps)

    def _branch(self, run: int, frame: int) -> None:
        positions = self.positions(run, frame)
        for name, work, steps in self.branches(run, frame):
            self._add(LAST, name, partial(work, positions=positions), steps)

    def positions(self, run: int, frame: int) -> np.ndarray:
        """Return a configuration as it is stored: wrapped, float32. All that follows starts there."""
        if self.stored is not None:
            return self.stored[sum(self.frames[:run]) + frame]
        last = f"run{run}-{frame}-{len(self.equilibration if frame == 0 else self.spacing) - 1}"
        state = self.work.load(last)["positions"]
        return wrap(state.astype(np.float32), self.box)

    def done(self, name: str) -> None:
        """Add what waited for a piece."""
        if name.startswith("run"):
            run = int(name[3:].split("-")[0])
            names = [piece.name for piece in self.chain(run)]
            self._follow(run, names.index(name) + 1)
