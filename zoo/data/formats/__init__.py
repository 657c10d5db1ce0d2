"""Readers of public file formats: a name leads to a module, imported when it is needed.

Each module has `matches(content) -> bool`, by which a file is recognised; `Options`, a pydantic
model of what `zoo data import … --set key=value` takes; and `read(paths, options) -> RawData`.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from zoo.errors import DataError, UnknownName

if TYPE_CHECKING:
    from zoo.data.entry import RawData

#: Name of each format and its module, the most particular first: the order of recognition.
FORMATS: dict[str, str] = {
    "glassbench": "zoo.data.formats.glassbench",
    "botan": "zoo.data.formats.botan",
    "deepmind": "zoo.data.formats.deepmind",
    "mdshare": "zoo.data.formats.mdshare",
    "npz": "zoo.data.formats.npz",
    "npy": "zoo.data.formats.npy",
    "xtc": "zoo.data.formats.xtc",
    "trr": "zoo.data.formats.trr",
    "dcd": "zoo.data.formats.dcd",
    "hdf5": "zoo.data.formats.hdf5",
    "ase-traj": "zoo.data.formats.asetraj",
    "openmm-state": "zoo.data.formats.openmm_state",
    "pdb": "zoo.data.formats.pdb",
    "extxyz": "zoo.data.formats.extxyz",
    "lammps-dump": "zoo.data.formats.lammps_dump",
    "lammps-data": "zoo.data.formats.lammps_data",
}


def read(paths: Sequence[str | Path], format: str | None = None, **settings: Any) -> RawData:
    """Read files of a public format into arrays, one file after the other.

    Args:
        paths: files, or folders whose files are read in natural order.
        format: one of `FORMATS`; None: recognised by what the files hold.
        settings: the format's own options, such as `units="ase"` where it does not tell them.

    Raises:
        UnknownName: no such format, or no such option of this format.
        ConfigError: a value that does not fit.
        DataError: nothing to read, a damaged or dangerous file, or files that do not fit together.
    """
    from zoo.config import validated
    from zoo.data.formats.files import collect

    files = collect(paths)
    if format is None:
        format = recognise(files)
    module = reader(format)
    for key in settings:
        if key not in module.Options.model_fields:
            raise UnknownName(f"option of format {format}", key, module.Options.model_fields)
    return module.read(files, validated(module.Options, settings))


def recognise(files: Sequence[Path]) -> str:
    """Return the one format of all `files`. Raises `DataError` if there is none, or several."""
    from zoo.data.formats.files import inspect

    found: dict[str, Path] = {}
    for file in files:
        content = inspect(file)
        for name in FORMATS:
            if reader(name).matches(content):
                found.setdefault(name, file)
                break
        else:
            raise DataError(f"{file} has none of the known formats ({', '.join(FORMATS)}): {content.summary}")
    if len(found) > 1:
        told = ", ".join(f"{path.name} is {name}" for name, path in found.items())
        raise DataError(
            f"the files have several formats: {told}. Import one at a time; "
            "a file that only names the atoms goes to `--set topology=FILE`"
        )
    return next(iter(found))


def reader(format: str) -> ModuleType:
    """Return the module of a format. Raises `UnknownName`."""
    if format not in FORMATS:
        raise UnknownName("file format", format, FORMATS)
    return import_module(FORMATS[format])
