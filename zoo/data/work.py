"""The working folder of a dataset in the making: it survives a kill, and one process holds it."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from zoo.errors import DataError


class Work:
    """Pieces of work, each saved whole under a name: `name in work`, `save`, `load`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __contains__(self, name: str) -> bool:
        return (self.folder / f"{name}.npz").is_file()

    def save(self, name: str, **arrays: np.ndarray) -> None:
        """Save one piece; a kill leaves either all of it or nothing."""
        temporary = self.folder / f".{name}.npz"
        with temporary.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, self.folder / f"{name}.npz")

    def load(self, name: str, *only: str) -> dict[str, np.ndarray]:
        """Read one piece back: all of its arrays, or those named."""
        with np.load(self.folder / f"{name}.npz", allow_pickle=False) as piece:
            return {key: piece[key] for key in only or piece.files}


@contextmanager
def work_folder(out: Path, request: Mapping[str, Any]) -> Iterator[Work]:
    """Hold `OUT.partial` while a dataset is made; it goes when the body ends without error.

    Args:
        out: the dataset's future folder.
        request: everything that decides the result (options, seed, frames, versions) as plain
            JSON. A folder left by a kill is continued only for the same request.

    Raises:
        DataError: `out` exists, another process holds the folder, or it is of another request.
    """
    out = Path(out)
    if out.exists():
        raise DataError(f"{out} exists already; choose another --out or remove it first")
    folder = out.with_name(out.name + ".partial")
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise DataError(f"another process is making {out} at this moment") from error
        mine = json.loads(json.dumps(dict(request)))
        record = folder / "request.json"
        if record.is_file():
            theirs = json.loads(record.read_text())
            if theirs != mine:
                differ = sorted(k for k in mine.keys() | theirs.keys() if mine.get(k) != theirs.get(k))
                raise DataError(
                    f"{folder} holds unfinished work of another request ({', '.join(differ)} differ); "
                    "repeat that request to finish it, or remove the folder"
                )
        else:
            temporary = folder / ".request.json"
            temporary.write_text(json.dumps(mine))
            os.replace(temporary, record)
        try:
            yield Work(folder)
        except KeyboardInterrupt:
            print(f"{folder} keeps what is done; the same command goes on from there", file=sys.stderr)
            raise
        shutil.rmtree(folder)
