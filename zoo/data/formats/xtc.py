"""GROMACS compressed trajectories: positions in nm to a given precision, box, time in ps."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from zoo.data.entry import RawData
from zoo.data.formats.compiled import frames
from zoo.data.formats.files import Content
from zoo.data.formats.molecular import KnownUnits, assemble, needed_topology

Options = KnownUnits


def matches(content: Content) -> bool:
    """Magic number 1995, or 2023 of systems with more than 2³¹/9 atoms."""
    return content.head[:4] in (b"\x00\x00\x07\xcb", b"\x00\x00\x07\xe7")


def read(paths: list[Path], options: KnownUnits) -> RawData:
    """Read xtc files with the topology that the options name; see `zoo.data.formats.read`."""
    return assemble(paths, partial(frames, "xtc"), needed_topology(options, "xtc"), options, format="xtc")
