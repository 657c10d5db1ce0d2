"""A process that simulates one run: `python -m zoo.datasets.alanine_dipeptide.worker FOLDER RUN`.

Its standard input is a pipe that the parent holds open. However the parent ends, the pipe closes,
and the worker ends with it. A line on standard output tells of each frame.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path

from zoo.data.work import Work
from zoo.datasets.alanine_dipeptide.simulate import Job, simulate

JOB = "job.json"


def main(folder: Path, run: int) -> None:
    """Simulate one run of the job in a working folder."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    job = Job(**json.loads((folder / JOB).read_text()))
    simulate(job, run, Work(folder), tell=lambda: print(run, flush=True))


def _end_with_parent() -> None:
    os.read(0, 1)  # not sys.stdin: its lock, still held at the end, would abort a good exit
    os._exit(1)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
