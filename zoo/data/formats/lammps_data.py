"""A LAMMPS data file alone: a dataset of one frame.

As the topology of a dump it is given by `--set topology=FILE`; see `zoo.data.formats.lammps_dump`.
"""

from __future__ import annotations

import re
from pathlib import Path

from zoo.data.entry import RawData
from zoo.data.formats.files import Content
from zoo.data.formats.lammps_frames import Snapshot
from zoo.data.formats.lammps_particles import LammpsOptions
from zoo.data.formats.lammps_topology import read_data_file
from zoo.data.formats.lammps_trajectory import assemble
from zoo.data.store import sha256
from zoo.errors import DataError


class Options(LammpsOptions):
    """`zoo data import NAME FILE --set key=value`."""


def matches(content: Content) -> bool:
    """Text whose header counts atoms and types of atoms."""
    return all(
        any(re.fullmatch(rf"\s*\d+\s+{words}\s*(#.*)?", line) for line in content.lines)
        for words in ("atoms", "atom types")
    )


def read(paths: list[Path], options: Options) -> RawData:
    """Read data files of one system, one frame each; see `zoo.data.formats.read`.

    Raises:
        DataError: a damaged file, or files and options that do not fit together.
    """
    if options.topology is not None:
        raise DataError("a data file is its own topology: leave out `topology`, or import a dump with it")
    files = [read_data_file(path, options.atom_style) for path in paths]
    shots = [
        (i, Snapshot(file.path, i, None, file.units, file.box, file.columns)) for i, file in enumerate(files)
    ]
    raw = assemble(shots[:: options.stride], files[0], options)
    records = [{"file": path.name, "sha256": sha256(path)} for path in paths]
    raw.provenance = {"format": "lammps-data", "files": records, **raw.provenance}
    return raw
