"""Independent runs side by side, each in pieces that survive a kill.

A run is a chain of pieces. Each piece starts from the state saved with the one before and draws
random numbers from (seed, run, piece) alone: a run that was killed and continued is therefore the
very same run, bit for bit, as one that was not.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import IO, Any, Protocol

import numpy as np

from zoo import keys
from zoo.data.work import Work
from zoo.errors import RunFailed
from zoo.progress import progress

#: What `Runs` tells its worker processes, in the working folder.
JOB = "job.json"
#: Beginning of the names of arrays that a piece hands to the next one; the dataset has none of them.
STATE = "last_"

Arrays = dict[str, np.ndarray]


class Simulator(Protocol):
    """What simulates: built once in each process, as `Simulator(job)`."""

    def advance(
        self, run: int, piece: int, frames: int, state: Arrays | None, tell: Callable[[], None]
    ) -> Arrays:
        """Simulate one piece.

        Args:
            run, piece: their numbers, from 0.
            frames: how many to keep.
            state: the piece before's arrays named `last_…`; None for the first piece.
            tell: to be called after each frame.

        Returns:
            Arrays whose first axis is frames, and the state for the next piece, named `last_…`.
        """
        ...


@dataclass(frozen=True)
class Runs:
    """Independent runs of one simulator.

    Args:
        label: of the progress bar and of errors: the entry's name.
        target: "module:Class", a `Simulator`.
        job: what the simulator is built from, as plain JSON; it decides the result, with `frames`.
        frames: number of frames of each run.
        piece: frames of one piece: what is at stake when a process is killed.
    """

    label: str
    target: str
    job: dict[str, Any]
    frames: tuple[int, ...]
    piece: int

    def pieces(self, run: int) -> list[tuple[str, int]]:
        """Name of each piece of a run, and how many frames it holds."""
        full, rest = divmod(self.frames[run], self.piece)
        sizes = [self.piece] * full + ([rest] if rest else [])
        return [(f"run-{run:04d}-{i:06d}", n) for i, n in enumerate(sizes)]

    def request(self) -> dict[str, Any]:
        """Everything that decides the result, for `zoo.data.work.work_folder`."""
        return {"target": self.target, "job": self.job, "frames": list(self.frames), "piece": self.piece}

    def simulate(self, run: int, work: Work, tell: Callable[[], None]) -> None:
        """Simulate what is missing of a run, in this process; `tell` is called after each frame."""
        module, _, name = self.target.partition(":")
        simulator: Simulator = getattr(import_module(module), name)(self.job)
        state: Arrays | None = None
        for number, (name, frames) in enumerate(self.pieces(run)):
            if name in work:
                saved = work.load(name)
            else:
                saved = simulator.advance(run, number, frames, state, tell)
                work.save(name, **saved)
            state = {key: array for key, array in saved.items() if key.startswith(STATE)}

    def execute(
        self, work: Work, workers: int | None = None, pace: Callable[[float], str] = lambda _: ""
    ) -> None:
        """Simulate all runs, `workers` processes at a time, with a progress bar.

        Args:
            work: folder that keeps the pieces.
            workers: None: one for each core. Does not change the result.
            pace: words for a rate in frames per second, such as nanoseconds a day.

        Raises:
            RunFailed: a worker ended with an error; what was saved stays, and the others are stopped.
        """
        self._write(work)
        saved = [sum(n for name, n in self.pieces(r) if name in work) for r in range(len(self.frames))]
        waiting = [run for run, done in enumerate(saved) if done < self.frames[run]]
        alive: dict[int, tuple[subprocess.Popen, IO[bytes]]] = {}
        events: queue.Queue[tuple[str, int]] = queue.Queue()
        with progress(self.label, sum(self.frames), "frames") as bar:
            bar.resume(sum(saved))
            try:
                while waiting or alive:
                    while waiting and len(alive) < (workers or cores()):
                        run = waiting.pop(0)
                        alive[run] = _start(work, run, events)
                    event, run = events.get()
                    if event == "frame":
                        bar.advance(1, pace(bar.rate))
                        continue
                    process, errors = alive.pop(run)
                    if process.wait() != 0:
                        raise RunFailed(self._reason(run, process.returncode, errors))
                    errors.close()
            finally:
                for process, errors in alive.values():
                    process.kill()
                    process.wait()
                    errors.close()

    def chunks(self, work: Work) -> Iterator[Arrays]:
        """Give the arrays of each piece in order, with the number of the `run`, without states."""
        for run in range(len(self.frames)):
            for name, frames in self.pieces(run):
                piece = {k: v for k, v in work.load(name).items() if not k.startswith(STATE)}
                yield {**piece, keys.RUN: np.full(frames, run, np.int32)}

    def gather(self, work: Work) -> Arrays:
        """Return the arrays of all pieces, one behind the other, in memory."""
        parts = list(self.chunks(work))
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def _write(self, work: Work) -> None:
        temporary = work.folder / f".{JOB}"
        temporary.write_text(json.dumps({"label": self.label, **self.request()}))
        os.replace(temporary, work.folder / JOB)

    @classmethod
    def read(cls, work: Work) -> Runs:
        """Return the runs that another process wrote into the working folder."""
        record = json.loads((work.folder / JOB).read_text())
        return cls(**{**record, "frames": tuple(record["frames"])})

    def _reason(self, run: int, status: int, errors: IO[bytes]) -> str:
        errors.seek(0)
        lines = errors.read().decode(errors="replace").strip().splitlines()
        errors.close()
        last = lines[-1] if lines else f"exit status {status}"
        return f"{self.label}: run {run} failed: {last}\nrepeat the command to continue it"


def share(frames: int, runs: int) -> tuple[int, ...]:
    """Divide frames among runs as evenly as it goes, the first ones taking one more."""
    base, rest = divmod(frames, runs)
    return tuple(base + (run < rest) for run in range(runs))


def cores() -> int:
    """Number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # Linux
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _start(work: Work, run: int, events: queue.Queue) -> tuple[subprocess.Popen, IO[bytes]]:
    errors = tempfile.TemporaryFile()
    path = os.pathsep.join(p for p in sys.path if p)
    process = subprocess.Popen(
        [sys.executable, "-m", "zoo.engines.worker", str(work.folder), str(run)],
        stdin=subprocess.PIPE,  # never written to: it closes when this process ends
        stdout=subprocess.PIPE,
        stderr=errors,
        env=os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
    )
    threading.Thread(target=_listen, args=(process.stdout, run, events), daemon=True).start()
    return process, errors


def _listen(stream: Any, run: int, events: queue.Queue) -> None:
    for _ in stream:
        events.put(("frame", run))
    events.put(("end", run))
