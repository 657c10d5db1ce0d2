"""Tell for each entry whether it works, whatever state the plugins and the built-ins are in.

Each distribution is tried in a child process of its own (`zoo.registry.probe`), all side by side,
and its whole process group is killed when its time is up.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from zoo.registry import loading
from zoo.registry.discovery import DISTRIBUTION, PLUGINS_VARIABLE, Entry
from zoo.registry.registry import Registry

#: Seconds for all of it: with start and printing, the command ends within 30 s.
TOTAL = 26.0
#: Seconds that a spec may take to import before its process is killed.
SPEC_LIMIT = 14.0
#: Seconds above which a spec's import is a fault: whoever asks for the entry waits that long.
SLOW = 8.0
#: faulthandler: a segmentation fault too leaves a traceback in the log.
_PYTHON = (sys.executable, "-X", "faulthandler", "-c")
#: Statuses that need no repair; "missing extra" is a choice of whoever installed it.
FINE = ("ok", "missing extra", "off")


@dataclass(frozen=True, kw_only=True)
class Check:
    """What the doctor says of one entry; of a distribution where `group` and `name` are empty."""

    distribution: str
    version: str
    group: str = ""
    name: str = ""
    #: ok, missing extra, missing dependency, broken, target missing, wrong type, incompatible API,
    #: conflict, slow, timeout, crashed, off (left out by `ZOO_PLUGINS`).
    status: str
    detail: str = ""
    repair: str = ""
    traceback: str = ""

    @property
    def fine(self) -> bool:
        """Whether nothing has to be repaired."""
        return self.status in FINE


def examine(registry: Registry, total: float = TOTAL) -> list[Check]:
    """Return what is wrong, or not, with each installed entry, within `total` seconds."""
    found = registry.found
    checks = [
        Check(
            distribution=name,
            version="",
            status="broken",
            detail=reason,
            repair=f"pip install --force-reinstall {name}, or pip uninstall {name}.",
        )
        for name, reason in found.unreadable
    ]
    if not any(e.builtin for e in found.entries):
        told = {
            "detail": "no built-in entry is installed",
            "repair": f"pip install --force-reinstall {DISTRIBUTION}.",
        }
        checks.append(Check(distribution=DISTRIBUTION, version="", status="broken", **told))
    deadline = time.monotonic() + total
    by_distribution: dict[str, list[Entry]] = {}
    for entry in found.entries:
        by_distribution.setdefault(entry.distribution, []).append(entry)
    with tempfile.TemporaryDirectory(prefix="zoo-doctor-") as folder:
        patients = [
            Patient(entries, Path(folder) / str(i), deadline)
            for i, entries in enumerate(by_distribution.values())
        ]
        try:
            while waiting := [p for p in patients if not p.finished()]:
                del waiting
                time.sleep(0.02)
        finally:  # Ctrl-C too leaves no child behind
            for patient in patients:
                patient.kill()
        for patient in patients:
            checks += [_judge(registry, e, line) for e, line in patient.results()]
    told = {"status": "off", "detail": f"{PLUGINS_VARIABLE} leaves it out"}
    checks += [_check(entry, **told) for entry in found.off]
    return checks


class Patient:
    """One distribution: a child process that tries its entries, started anew after each crash."""

    def __init__(self, entries: list[Entry], path: Path, deadline: float) -> None:
        self.entries = {str(i): e for i, e in enumerate(entries)}
        self.path, self.deadline = path, deadline
        self.lines: dict[str, dict[str, Any]] = {}
        self.process: subprocess.Popen[bytes] | None = None
        self._start()

    def _start(self) -> None:
        left = {k: asdict(e) for k, e in self.entries.items() if not self._done(k)}
        # The parent's own path, in full: the child must see the same installation.
        code = (
            f"import sys; sys.path[:] = {sys.path!r}; sys.argv = ['zoo', *sys.argv[1:]]; "
            "import json; from zoo.registry.probe import run; "
            "run(json.loads(sys.argv[1]), sys.argv[2])"
        )
        self.path.touch()
        self.began = time.monotonic()
        with open(self._log, "ab") as log:
            self.process = subprocess.Popen(
                [*_PYTHON, code, json.dumps(left), str(self.path)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a group of its own, killed as a whole
            )

    @property
    def _log(self) -> Path:
        return self.path.with_suffix(".log")

    def _done(self, key: str) -> bool:
        return self.lines.get(key, {}).get("stage") == "done"

    def finished(self) -> bool:
        """Look after the child; True when every entry has its result."""
        if self.process is None:
            return True
        gone = self.process.poll() is not None
        self._read()
        late = not gone and self._late()
        if all(self._done(k) for k in self.entries):
            self.kill()
            return True
        if not (gone or late):
            return False
        self.kill()
        self._settle("timeout" if late else "crashed")
        if time.monotonic() < self.deadline and not all(self._done(k) for k in self.entries):
            self._start()
            return False
        for key in self.entries:
            if not self._done(key):
                self._put(key, "timeout", "not reached: the entries before it used up the time")
        return True

    def _late(self) -> bool:
        """Whether the time is up, of the whole or of the spec that is being imported."""
        now = time.monotonic()
        if now > self.deadline:
            return True
        stages = [(line["stage"], line["seen"]) for line in self.lines.values()]
        return any(stage == "spec" and now - seen > SPEC_LIMIT for stage, seen in stages)

    def _settle(self, status: str) -> None:
        """Give the entry at which the child ended its result; without one, every entry."""
        begun = [k for k, line in self.lines.items() if line["stage"] != "done"]
        for key in begun or [k for k in self.entries if not self._done(k)]:
            line = self.lines.get(key, {"stage": "start", "seen": self.began})
            where = {"spec": "its spec", "target": "its target"}.get(line["stage"], "it")
            if status == "timeout":
                seconds = time.monotonic() - line["seen"]
                detail = f"{where} was still being imported after {seconds:.0f} s"
            else:
                detail = f"importing {where} ended the process ({self._how()})"
            self._put(key, status, detail, self._tail())

    def _how(self) -> str:
        code = self.process.returncode if self.process else 0
        if code < 0:
            with suppress(ValueError):
                return signal.Signals(-code).name
        return f"exit status {code}"

    def _tail(self) -> str:
        with suppress(OSError):
            with open(self._log, "rb") as log:
                log.seek(max(0, log.seek(0, os.SEEK_END) - 4000))
                return log.read().decode(errors="replace")
        return ""

    def _put(self, key: str, status: str, detail: str, trace: str = "") -> None:
        told = {"stage": "done", "status": status, "detail": detail, "traceback": trace}
        repair = loading.repair_of(self.entries[key])
        if status == "timeout":
            repair = f"zoo doctor --seconds 120 waits longer. Else: {repair}"
        self.lines[key] = {**self.lines.get(key, {}), **told, "repair": repair}

    def _read(self) -> None:
        for text in self.path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                line = json.loads(text)
            except ValueError:  # half a line: the child is writing it
                continue
            known = self.lines.get(line["key"], {})
            if known.get("stage") not in ("done", line["stage"]):
                self.lines[line["key"]] = {**known, **line, "seen": time.monotonic()}

    def kill(self) -> None:
        """End the child and all that it started."""
        if self.process is None:
            return
        with suppress(OSError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def results(self) -> Iterator[tuple[Entry, dict[str, Any]]]:
        """Each entry with its last line."""
        for key, entry in self.entries.items():
            yield entry, self.lines[key]


def _judge(registry: Registry, entry: Entry, line: dict[str, Any]) -> Check:
    """Turn the child's last word into a check, with what only the parent sees: clashes."""
    told = {k: line.get(k, "") for k in ("status", "detail", "repair", "traceback")}
    clash = registry.clash(entry)
    seconds = line.get("seconds", 0.0)
    if clash and told["status"] == "ok":
        repair = f"ask for {entry.qualified!r}, or pip uninstall {entry.distribution}."
        told |= {"status": "conflict", "detail": clash, "repair": repair}
    elif clash:
        told["detail"] += f"; also a conflict: {clash}"
    elif told["status"] == "ok" and seconds > SLOW:
        detail = f"its spec took {seconds:.0f} s to import, and whoever asks for it waits"
        told |= {"status": "slow", "detail": detail, "repair": loading.repair_of(entry)}
    return _check(entry, **told)


def _check(entry: Entry, **told: str) -> Check:
    where = {key: getattr(entry, key) for key in ("distribution", "version", "group", "name")}
    return Check(**where, **told)
