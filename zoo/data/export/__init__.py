"""Datasets on the way out: extended xyz, pdb, xtc, dcd, npz. Frames pass one chunk at a time."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from zoo.data.dataset import Frames
from zoo.errors import DataError, UnknownName

#: Module of each ending; it has `write(frames, path) -> list of files`, see `export`.
FORMATS: dict[str, str] = {
    "extxyz": "zoo.data.export.extxyz",
    "xyz": "zoo.data.export.extxyz",
    "pdb": "zoo.data.export.pdb",
    "xtc": "zoo.data.export.trajectory",
    "dcd": "zoo.data.export.trajectory",
    "npz": "zoo.data.export.npz",
}


def export(frames: Frames, out: Path, *, overwrite: bool = False) -> list[Path]:
    """Write frames to a file, in the format that its ending names; whole or not at all.

    xtc and dcd carry no atoms: a pdb of the first frame is written beside them.

    Args:
        frames: what to write.
        out: file to make.
        overwrite: replace files that are there.

    Returns:
        The files made.

    Raises:
        UnknownName: no such ending.
        DataError: a file is there already, or the format cannot hold the system.
    """
    out = Path(out)
    ending = out.suffix.removeprefix(".").lower()
    if ending not in FORMATS:
        raise UnknownName("format to write", ending or out.name, FORMATS)
    if not len(frames):
        raise DataError("there are no frames to write")
    write: Callable[[Frames, Path], list[str]] = import_module(FORMATS[ending]).write
    if not overwrite:
        _refuse_existing(out)  # before a long trajectory is written, and again after it
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as folder:
        made = write(frames, Path(folder) / out.name)
        taken = [name for name in made if (out.parent / name).exists()]
        if taken and not overwrite:
            raise DataError(
                f"{out.parent / taken[0]} exists already; choose another --out or remove it first"
            )
        for name in made:
            os.replace(Path(folder) / name, out.parent / name)
    return [out.parent / name for name in made]


def _refuse_existing(*paths: Path) -> None:
    for path in paths:
        if path.exists():
            raise DataError(f"{path} exists already; choose another --out or remove it first")
