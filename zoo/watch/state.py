"""Where a run stands, read from its directory; nothing there is written, and anything may be missing."""

from __future__ import annotations

import json
import os
import socket
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from zoo.analysis.flags import Flag
from zoo.data.catalog import open_dataset
from zoo.errors import ZooError
from zoo.report.inside import PICTURES
from zoo.run import CONFIG, METRICS, RESULTS, STATUS, Run, run_flags
from zoo.verbs.inside.record import FOLDER
from zoo.verbs.looking.callback import EPOCHS, epoch_folder

#: Rows by whose median duration the time left is told.
LATELY = 5
#: Seconds without a word, and epochs, after which a run is said to be silent.
SILENT, MANY = 120.0, 10


class Reader:
    """Reads one run directory again and again.

    What cannot be read just now, as it is being written or copied, is as it was when it was read last.

    Args:
        path: of the run, which need not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._config: dict[str, str] = {}
        self._config_version = ""
        self._rows: list[dict[str, float]] = []
        self._status: dict[str, Any] = {}
        self._flags: list[Flag] = []

    def state(self) -> dict[str, Any]:
        """Return all that the page shows but the pictures, of which it has the versions."""
        out: dict[str, Any] = {"run": self.path.resolve().name, "folder": str(self.path)}
        if not (self.path / CONFIG).is_file():
            text = "there is no run yet" if self.path.exists() else "the folder is not there yet"
            return {
                **out, "state": "waiting", "headline": f"Waiting for {self.path}", "detail": text,
                "about": "", "flags": [], "problems": {}, "curves": "", "looks": [],
            }  # fmt: skip
        run = Run(self.path)
        status = self._read_status()
        rows, flags = self.rows(), self._read_flags(run)
        state = self._state(run, status)
        if state == "gone":
            text = "the process that trained it is gone without a word: it was killed. --resume continues it"
            flags, state = [*flags, Flag("died", text)], "died"
        epochs = int(status.get("epochs") or self.epochs)
        done = int(rows[-1]["epoch"]) + 1 if rows else 0
        return {
            **out, "state": state, "about": self.about,
            "headline": _headline(state, done, epochs),
            "detail": _detail(state, status, rows, done, epochs, self._age()),
            "flags": [asdict(flag) for flag in flags],
            "problems": status.get("problems") or {},
            "curves": version(self.path / METRICS) if rows else "",
            "looks": self.looks(),
        }  # fmt: skip

    def rows(self) -> list[dict[str, float]]:
        """Return the rows of `metrics.csv`."""
        try:
            self._rows = Run(self.path).curve()
        except (ZooError, OSError):
            pass
        return self._rows

    @property
    def units(self) -> str | None:
        """Name of the dataset's unit system; None where the dataset is not to be had."""
        return self._facts().get("units")

    @property
    def about(self) -> str:
        """Model, dataset and task."""
        return self._facts().get("about", "")

    @property
    def epochs(self) -> int:
        """Epochs that are asked for."""
        return int(self._facts().get("epochs", 0))

    def looks(self) -> list[dict[str, Any]]:
        """Return numbers of epochs that were looked at, in order, each with the versions of its looks."""
        found = []
        for folder in sorted((self.path / FOLDER / EPOCHS).glob("[0-9]*")):
            if not folder.name.isdecimal() or epoch_folder(self.path, int(folder.name)) != folder:
                continue
            kinds = {kind: version(folder / f"{kind}.json") for kind in PICTURES}
            kinds = {kind: mark for kind, mark in kinds.items() if mark}
            if kinds:
                found.append({"epochs": int(folder.name), "kinds": kinds})
        return found

    def _facts(self) -> dict[str, str]:
        """What the run's settings say, read again where they are another run's."""
        mark = version(self.path / CONFIG)
        if mark == self._config_version:
            return self._config
        try:
            config = Run(self.path).config
        except (ZooError, OSError):
            return self._config
        names = (config.model["name"], config.dataset["name"], config.task["name"])
        found = {"about": "{} on {}, task {}".format(*names), "epochs": str(config.train.epochs)}
        try:
            found["units"] = open_dataset(config.dataset["name"]).manifest.units
        except (ZooError, OSError):  # no longer there: curves have no units then
            pass
        self._config, self._config_version = found, mark
        return found

    def _read_status(self) -> dict[str, Any]:
        try:
            record = json.loads((self.path / STATUS).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError):
            return self._status
        if isinstance(record, dict):
            self._status = record
        return self._status

    def _read_flags(self, run: Run) -> list[Flag]:
        try:
            self._flags = run_flags(run)
        except (ZooError, OSError):
            pass
        return self._flags

    def _age(self) -> float:
        """Seconds since the run was last heard of."""
        times = []
        for name in (STATUS, METRICS):
            try:
                times.append((self.path / name).stat().st_mtime)
            except OSError:
                continue
        return time.time() - max(times) if times else 0.0

    def _state(self, run: Run, status: dict[str, Any]) -> str:
        if not status:
            return "finished" if (run.path / RESULTS).is_file() else "starting"
        state = str(status.get("state", "training"))
        if state != "died" and status.get("host") == socket.gethostname() and not _alive(status.get("pid")):
            return "gone"
        return state


def version(path: Path) -> str:
    """Return a text that changes when the file does; empty where there is none."""
    try:
        found = path.stat()
    except OSError:
        return ""
    return f"{found.st_mtime_ns:x}-{found.st_size:x}"


def _alive(pid: Any) -> bool:
    if not isinstance(pid, int):
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        pass
    return True


def _headline(state: str, done: int, epochs: int) -> str:
    of = f"{done} of {epochs} epochs" if epochs else f"{done} epochs"
    words = {
        "starting": "Starting",
        "training": f"Training: {of} done",
        "looking": f"Looking inside after {of}",
        "growing": f"Growing after {of}",
        "evaluating": f"Evaluating after {of}",
        "finished": f"Finished after {of}" if done else "Finished",
        "died": f"Died after {of}",
    }
    return words.get(state, state)


def _detail(
    state: str, status: dict[str, Any], rows: list[dict[str, float]], done: int, epochs: int, age: float
) -> str:
    parts = []
    took = [row["seconds"] for row in rows if "seconds" in row]
    each = float(np.median(np.diff([0.0, *took])[-LATELY:])) if took else 0.0
    if state == "training" and status.get("steps"):
        parts.append(f"step {status.get('step', 0)} of {status['steps']} of epoch {done + 1}")
    if each > 0:
        parts.append(f"{_duration(each)} an epoch")
    if each > 0 and state in ("training", "looking") and epochs > done:
        share = status.get("step", 0) / max(int(status.get("steps") or 1), 1) if state == "training" else 0.0
        parts.append(f"about {_duration((epochs - done - share) * each)} left")
    if took and state in ("finished", "died"):
        parts.append(f"{_duration(took[-1])} of training")
    if state not in ("finished", "died") and age > max(SILENT, MANY * each):
        parts.append(f"nothing heard of it for {_duration(age)}")
    return " · ".join(parts)


def _duration(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.2g} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
