"""A schedule carried out over worker processes, resumable, and its pieces put together."""

from __future__ import annotations

import heapq
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any

import numpy as np

from zoo.datasets.kob_andersen.schedule import Arrays, Schedule
from zoo.engines.pool import worker_pool
from zoo.engines.runs import cores
from zoo.errors import RunFailed, ZooError
from zoo.progress import progress


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
    pool = worker_pool(workers)
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
