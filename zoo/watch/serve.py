"""`watch`: serve the page of a run until told to stop."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from zoo.errors import ConfigError
from zoo.run import CONFIG
from zoo.watch.server import Server


def watch(run: Path, port: int, ready: Callable[[str], None]) -> None:
    """Serve the page of `run` on this machine until the process is interrupted; nothing is written.

    Args:
        run: directory, of a run that trains, has trained, or has not begun.
        port: 0 for any that is free.
        ready: called with the address once the page can be opened.

    Raises:
        ConfigError: the port cannot be had, or `run` is a folder of something else.
    """
    if run.is_file() or _of_something_else(run):
        raise ConfigError(f"{run} is no run: it has no {CONFIG}. `zoo train … --out RUN` makes one")
    with Server(run, port) as server:
        ready(server.address)
        server.serve_forever(poll_interval=0.2)


def _of_something_else(folder: Path) -> bool:
    """Whether a folder holds files and no run, nor the beginning of one."""
    begun = (folder / CONFIG).is_file() or (folder / "checkpoints").is_dir()
    return folder.is_dir() and not begun and any(folder.iterdir())
