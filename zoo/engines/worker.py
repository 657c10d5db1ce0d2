"""A process that simulates one run: `python -m zoo.engines.worker FOLDER RUN`.

Its standard input is a pipe that the parent holds open. However the parent ends, the pipe closes,
and the worker ends with it. A line on standard output tells of each frame.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

from zoo.data.work import Work
from zoo.engines.runs import Runs


def main(folder: Path, run: int) -> None:
    """Simulate one run of the job in a working folder."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what an engine prints is no frame
    work = Work(folder)
    Runs.read(work).simulate(run, work, tell=lambda: print(run, file=out, flush=True))


def _end_with_parent() -> None:
    os.read(0, 1)  # not sys.stdin: its lock, still held at the end, would abort a good exit
    os._exit(1)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
