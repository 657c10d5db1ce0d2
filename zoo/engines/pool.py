"""Worker processes of a pool that simulate."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.context import SpawnContext, SpawnProcess
from typing import Any


class _Process(SpawnProcess):
    """A fresh process that does not run the user's script again.

    Python's own does, to find what was pickled there, so that a script without
    `if __name__ == "__main__"` would start itself over and over. All that goes to a worker is of this
    package.
    """

    @staticmethod
    def _Popen(process: Any) -> Any:
        main = sys.modules["__main__"].__dict__
        hidden: dict[str, Any] = {name: main.pop(name) for name in ("__file__", "__spec__") if name in main}
        main["__spec__"] = None
        try:
            return SpawnProcess._Popen(process)  # type: ignore[attr-defined]
        finally:
            main.update(hidden)


class _Context(SpawnContext):
    Process = _Process


def worker_pool(workers: int) -> ProcessPoolExecutor:
    """Return a pool of fresh, quiet processes of one thread each, which end with this one."""
    return ProcessPoolExecutor(workers, mp_context=_Context(), initializer=_start, initargs=(os.getpid(),))


def _start(parent: int) -> None:
    """Prepare a worker process: quiet, one thread, and it ends when its parent is gone."""
    os.environ["OMP_NUM_THREADS"] = "1"
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends it at once, without a traceback

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
