"""The schedule of a simulation: runs, configurations, clones, over worker processes, resumable."""

from __future__ import annotations

import heapq
import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from zoo.data.work import Work
from zoo.datasets.kob_andersen import tasks
from zoo.datasets.kob_andersen.engine import wrap
from zoo.datasets.kob_andersen.mixtures import Mixture
from zoo.datasets.kob_andersen.options import KobAndersenOptions
from zoo.engines.runs import cores
from zoo.errors import RunFailed, ZooError
from zoo.progress import Bar, progress

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


def simulate(schedule: Schedule, label: str) -> dict[str, Any]:
    """Do all pieces that are not done yet and gather them; `label` is of the progress bar.

    Returns:
        Arrays, first axis = frames: `positions_cage [frames, particles, 3]`, `p_hop` and
        `p_hop_largest [frames, particles]`, where they are asked for. Unless the configurations
        were stored before also `positions`, `positions_inherent`, `particle_energies`,
        `particle_energies_inherent [frames, particles]`, `clone_displacements
        [frames, times, clones, particles]`, `run`, `time [frames]`, and `runs`: for each run the
        mean potential energy per particle and temperature of each stretch between configurations.

    Raises:
        RunFailed: a worker process failed.
    """
    options, work = schedule.options, schedule.work
    workers = options.workers or cores()
    spawn = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(
        workers, mp_context=spawn, initializer=tasks.start_worker, initargs=(os.getpid(),)
    )
    total = sum(cost for _, cost in schedule.costs())
    with progress(label, total, "particle-steps") as bar:
        schedule.start(bar)
        running: dict[Future[Arrays], tuple[str, float]] = {}
        try:
            while schedule.ready or running:
                while schedule.ready and len(running) < workers:
                    _, name, job, cost = heapq.heappop(schedule.ready)
                    running[pool.submit(job)] = (name, cost)
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    name, cost = running.pop(future)
                    work.save(name, **_result(future, name))
                    schedule.done(name)
                    bar.advance(cost, name)
        except BrokenProcessPool as error:
            raise RunFailed(
                "a simulation process died (out of memory?); the same command goes on from here"
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)
    return gather(schedule)


def _result(future: Future[Arrays], name: str) -> Arrays:
    try:
        return future.result()
    except (BrokenProcessPool, ZooError):
        raise
    except Exception as error:  # LAMMPS raises bare exceptions: lost atoms, a timestep too large
        raise RunFailed(f"the simulation failed in {name}: {error}") from error


def gather(schedule: Schedule) -> dict[str, Any]:
    """Put the pieces together, frame by frame, run by run."""
    work = schedule.work
    out: dict[str, list[Any]] = {}
    for run, frames in enumerate(schedule.frames):
        for frame in range(frames):
            found: dict[str, Any] = {}
            clones = []
            for name, _, _ in schedule.branches(run, frame):
                piece = work.load(name)
                if name.startswith("clone"):
                    clones.append(piece["displacements"])
                else:
                    found |= piece
            if schedule.stored is None:
                found["clone_displacements"] = np.stack(clones, axis=1)
                found["positions"] = schedule.positions(run, frame)
                found["run"] = run
                steps = sum(schedule.equilibration) + frame * sum(schedule.spacing)
                found["time"] = steps * schedule.timestep
            for name, array in found.items():
                out.setdefault(name, []).append(array)
    arrays: dict[str, Any] = {name: np.stack(values) for name, values in out.items()}
    if schedule.stored is None:
        arrays["runs"] = [_history(schedule, run) for run in range(len(schedule.frames))]
    return arrays


def _history(schedule: Schedule, run: int) -> list[dict[str, float]]:
    """Mean energy and temperature of each stretch; of the equilibration its second half."""
    history = []
    notes: list[np.ndarray] = []
    for piece in schedule.chain(run)[1:]:
        notes.append(schedule.work.load(piece.name)["notes"])
        if piece.frame is not None:
            series = np.concatenate(notes)
            series = series[len(series) // 2 :] if piece.frame == 0 else series
            if len(series):
                energy, temperature = series.mean(0).round(6).tolist()
                history.append({"energy": energy, "temperature": temperature})
            notes = []
    return history
