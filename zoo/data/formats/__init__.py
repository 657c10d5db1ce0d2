"""Readers of public file formats: a name leads to a module, imported when it is needed.

Each module has `matches(content) -> bool`, by which a file is recognised, and
`read(paths, units) -> RawData`.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from zoo.errors import DataError, UnknownName

if TYPE_CHECKING:
    from zoo.data.entry import RawData

#: Name of each format and its module, the most particular first: the order of recognition.
FORMATS: dict[str, str] = {
    "glassbench": "zoo.data.formats.glassbench",
    "botan": "zoo.data.formats.botan",
    "deepmind": "zoo.data.formats.deepmind",
    "npz": "zoo.data.formats.npz",
}


def read(paths: Sequence[str | Path], format: str | None = None, *, units: str | None = None) -> RawData:
    """Read files of a public format into arrays, one file after the other.

    Args:
        paths: files, or folders whose files are read in natural order.
        format: one of `FORMATS`; None: recognised by what the first file holds.
        units: "ase" or "lj", where the format does not say (`npz`).

    Raises:
        UnknownName: no such format.
        DataError: nothing to read, a damaged or dangerous file, or files that do not fit together.
    """
    from zoo.data.formats.files import collect, inspect

    files = collect(paths)
    if format is None:
        content = inspect(files[0])
        for name in FORMATS:
            if reader(name).matches(content):
                format = name
                break
        else:
            raise DataError(
                f"{files[0]} has none of the known formats ({', '.join(FORMATS)}): {content.summary}"
            )
    return reader(format).read(files, units)


def reader(format: str) -> ModuleType:
    """Return the module of a format. Raises `UnknownName`."""
    if format not in FORMATS:
        raise UnknownName("file format", format, FORMATS)
    return import_module(FORMATS[format])
