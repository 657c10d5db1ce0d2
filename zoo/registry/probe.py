"""What `zoo doctor` runs in a child process: try each entry of one distribution, and write it down.

Whatever the plugin prints, however it ends the process (`os._exit`, a segmentation fault), the file
of results holds each step that was begun, one JSON line each.
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from typing import Any, TextIO

from zoo.registry import loading
from zoo.registry.discovery import Entry


def run(entries: dict[str, dict[str, Any]], path: str) -> None:
    """Try each entry (metadata by key) and append to the file at `path`; ends the process."""
    with open(path, "a", encoding="utf-8") as out:
        for key, metadata in entries.items():
            try:
                _try(key, Entry(**metadata), out)
            except loading.Fault as fault:
                trace = "".join(traceback.format_exception(fault.__cause__ or fault))
                told = {"detail": fault.reason, "repair": fault.repair, "traceback": trace}
                _write(out, key, "done", status=fault.status, **told)
    # Not sys.exit: a plugin's own threads and exit handlers must not keep the doctor waiting.
    sys.stderr.flush()
    os._exit(0)


def _try(key: str, entry: Entry, out: TextIO) -> None:
    _write(out, key, "spec")
    started = time.monotonic()
    spec = loading.load_spec(entry)
    seconds = time.monotonic() - started
    _write(out, key, "target", seconds=seconds)
    loading.load_target(entry, spec)
    loading.load_config(entry, spec)
    loading.require(entry, spec)
    _write(out, key, "done", status="ok")


def _write(out: TextIO, key: str, stage: str, **more: Any) -> None:
    out.write(json.dumps({"key": key, "stage": stage, **more}) + "\n")
    out.flush()
