"""CHARMM, NAMD and OpenMM trajectories: positions in Å and a box; no times."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from zoo.data.entry import RawData
from zoo.data.formats.compiled import frames
from zoo.data.formats.files import Content
from zoo.data.formats.molecular import KnownUnits, assemble, needed_topology

Options = KnownUnits


def matches(content: Content) -> bool:
    """The word CORD behind the length of the first record, of 4 or 8 bytes."""
    return b"CORD" in (content.head[4:8], content.head[8:12])


def read(paths: list[Path], options: KnownUnits) -> RawData:
    """Read dcd files with the topology that the options name; see `zoo.data.formats.read`."""
    return assemble(paths, partial(frames, "dcd"), needed_topology(options, "dcd"), options, format="dcd")
