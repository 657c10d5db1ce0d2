"""Runs side by side, each in a process of its own that ends with this one."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from typing import IO, Any

from zoo.data.work import Work
from zoo.datasets.alanine_dipeptide.simulate import Job
from zoo.datasets.alanine_dipeptide.worker import JOB
from zoo.errors import RunFailed
from zoo.progress import progress


def run_all(job: Job, work: Work, workers: int) -> None:
    """Simulate all runs, `workers` at a time, with a progress bar.

    Raises:
        RunFailed: a worker ended with an error; what was saved stays, and the others are stopped.
    """
    temporary = work.folder / f".{JOB}"
    temporary.write_text(json.dumps(job.to_json()))
    os.replace(temporary, work.folder / JOB)
    runs = range(len(job.frames))
    saved = {r: sum(n for name, n in job.pieces(r) if name in work) for r in runs}
    waiting = [r for r in runs if saved[r] < job.frames[r]]
    ps_per_frame = job.steps_per_frame * job.timestep
    alive: dict[int, tuple[subprocess.Popen, IO[bytes]]] = {}
    events: queue.Queue[tuple[str, int]] = queue.Queue()
    with progress("alanine-dipeptide", sum(job.frames), "frames") as bar:
        bar.resume(sum(saved.values()))
        try:
            while waiting or alive:
                while waiting and len(alive) < workers:
                    run = waiting.pop(0)
                    alive[run] = _start(work, run, events)
                event, run = events.get()
                if event == "frame":
                    bar.advance(1, f"{bar.rate * ps_per_frame * 86.4:.4g} ns/day")
                    continue
                process, errors = alive.pop(run)
                if process.wait() != 0:
                    raise RunFailed(_reason(run, process.returncode, errors))
                errors.close()
        finally:
            for process, errors in alive.values():
                process.kill()
                process.wait()
                errors.close()


def _start(work: Work, run: int, events: queue.Queue) -> tuple[subprocess.Popen, IO[bytes]]:
    errors = tempfile.TemporaryFile()
    path = os.pathsep.join(p for p in sys.path if p)
    process = subprocess.Popen(
        [sys.executable, "-m", "zoo.datasets.alanine_dipeptide.worker", str(work.folder), str(run)],
        stdin=subprocess.PIPE,  # never written to: it closes when this process ends
        stdout=subprocess.PIPE,
        stderr=errors,
        env=os.environ | {"PYTHONPATH": path},
    )
    threading.Thread(target=_listen, args=(process.stdout, run, events), daemon=True).start()
    return process, errors


def _listen(stream: Any, run: int, events: queue.Queue) -> None:
    for _ in stream:
        events.put(("frame", run))
    events.put(("end", run))


def _reason(run: int, status: int, errors: IO[bytes]) -> str:
    errors.seek(0)
    lines = errors.read().decode(errors="replace").strip().splitlines()
    errors.close()
    last = lines[-1] if lines else f"exit status {status}"
    return f"alanine-dipeptide: run {run} failed: {last}\nrepeat the command to continue it"
