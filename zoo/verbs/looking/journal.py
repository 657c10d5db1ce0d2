"""Where a run stands and what is wrong with it, in two files that `zoo watch` and `zoo report` read."""

from __future__ import annotations

import os
import socket
import sys
import time
from contextlib import suppress
from typing import Any

from zoo.analysis.flags import Flag
from zoo.analysis.health import ended
from zoo.files import write_json
from zoo.run import STATUS, Run

#: Seconds between two writings of a number of steps.
PULSE = 1.0


class Journal:
    """Keeps `status.json` and `flags.json` of a run while the body of `with` trains it.

    The status is gone when all is done; of a run that dies it stays and says so, as a flag does.

    Args:
        run: whose directory it is.
        epochs: that are asked for.
        active: of several processes the one that writes.
    """

    def __init__(self, run: Run, epochs: int, *, active: bool = True) -> None:
        self.run, self.active = run, active
        self.status: dict[str, Any] = {
            "format": 1, "state": "starting", "epochs": epochs, "done": 0, "step": 0, "steps": 0,
            "pid": os.getpid(), "host": socket.gethostname(), "problems": {},
        }  # fmt: skip
        self._flags: dict[str, list[Flag]] = {}
        self._told: set[tuple[str, str]] = set()
        self._written = 0.0

    def __enter__(self) -> Journal:
        if self.active:
            self.run.write_flags([])
            self._write()
        return self

    def __exit__(self, kind: Any, error: BaseException | None, _: Any) -> None:
        if not self.active:
            return
        with suppress(OSError):  # a full disk is what may have ended it
            if error is None:
                (self.run.path / STATUS).unlink(missing_ok=True)
                return
            self.flag("end", [ended(error, self.status["done"], self.status["epochs"])], told=True)
            self.at("died")

    def at(self, state: str, **numbers: int) -> None:
        """Say what is being done, and at which numbers (`done`, `step`, `steps`)."""
        self.status |= {"state": state, **numbers}
        self._write()

    def step(self, step: int) -> None:
        """Count a step of the epoch."""
        self.status["step"] = step
        if time.monotonic() - self._written >= PULSE:
            self._write()

    def flag(self, source: str, flags: list[Flag], *, told: bool = False) -> None:
        """Replace the flags from one source, and print those of a kind that is new there.

        Args:
            source: which check found them.
            flags: all that are true now.
            told: somebody else prints them.
        """
        before = self.flags
        self._flags[source] = flags
        for flag in flags:
            if self.active and not told and (source, flag.kind) not in self._told:
                print(f"! {flag.kind}: {flag.text}", file=sys.stderr, flush=True)
            self._told.add((source, flag.kind))
        if self.active and self.flags != before:
            self.run.write_flags(self.flags)

    @property
    def flags(self) -> list[Flag]:
        """All flags, each text once."""
        return list({flag.text: flag for flags in self._flags.values() for flag in flags}.values())

    def problem(self, kind: str, text: str | None) -> None:
        """Say that a look could not be taken and why, None: that it could; printed where it is new."""
        problems = self.status["problems"]
        if text is None:
            problems.pop(kind, None)
        elif problems.get(kind) != text:
            problems[kind] = text
            if self.active:
                print(f"no look at {kind}: {text}", file=sys.stderr, flush=True)

    def _write(self) -> None:
        self._written = time.monotonic()
        if self.active:
            write_json(self.run.path / STATUS, self.status)
