"""GROMACS full-precision trajectories: positions, velocities and forces in nm, ps, kJ/mol."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from zoo.data.entry import RawData
from zoo.data.formats.compiled import frames
from zoo.data.formats.files import Content
from zoo.data.formats.molecular import KnownUnits, assemble, needed_topology

Options = KnownUnits


def matches(content: Content) -> bool:
    """Magic number 1993."""
    return content.head[:4] == b"\x00\x00\x07\xc9"


def read(paths: list[Path], options: KnownUnits) -> RawData:
    """Read trr files with the topology that the options name; see `zoo.data.formats.read`."""
    return assemble(paths, partial(frames, "trr"), needed_topology(options, "trr"), options, format="trr")
