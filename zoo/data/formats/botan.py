"""BOTAN's public data set: one npz for each configuration and time, 32 clones.

H. Shiba et al., J. Chem. Phys. 158, 084503 (2023). The file has no box: density 1.2 gives it. Its
temperature and the number of its time stand in its name, `isoconfig_N4096T0.44_1_tc07.npz`.
"""

from __future__ import annotations

from pathlib import Path

from zoo.data.entry import RawData
from zoo.data.formats.files import Content, finite, load_npz, need
from zoo.data.formats.pair_changes import changes_of, near_pairs
from zoo.data.formats.snapshot import (
    GlassOptions,
    Snapshot,
    Target,
    assemble,
    box_from_density,
    from_name,
    integers,
    lengths_of,
    moves_of,
)
from zoo.data.formats.times import label, time_of
from zoo.errors import DataError

Options = GlassOptions


def matches(content: Content) -> bool:
    """An npz of types, start and end positions, without a box."""
    return content.members >= {"types", "initial_positions", "positions"} and not (
        content.members & {"box", "md_prop"}
    )


def read(paths: list[Path], options: GlassOptions) -> RawData:
    """Read BOTAN files; see `zoo.data.formats.read`."""
    return assemble(paths, "botan", lambda path: load(path, options.pairs))


def load(path: Path, with_pairs: bool = True) -> Snapshot:
    """Read one file, with the changes of pairs or without. Raises `DataError`."""
    arrays = load_npz(path)
    need(path, arrays, "types", "initial_positions", "positions")
    start = finite(path, "initial_positions", arrays["initial_positions"])
    box = box_from_density(path, start)
    ends = finite(path, "positions", arrays["positions"])
    moves, notes = moves_of(path, start, ends, box)
    clones, mean = lengths_of(path, moves)
    pairs, changes = None, None
    if with_pairs:
        pairs = near_pairs(start, box)
        changes = changes_of(start, moves, box, pairs)
    temperature = from_name(path, r"T(\d+\.\d+)")
    code = from_name(path, r"tc(\d+)")
    if code is None:
        raise DataError(f"{path}: the time is told by the file's name only, as in …_tc07.npz")
    number = int(code)
    time = time_of(float(temperature) if temperature else None, number)
    return Snapshot(
        path=path,
        types=integers(path, "types", arrays["types"]),
        box=box,
        positions=start,
        temperature=float(temperature) if temperature else None,
        targets=[Target(label(number, time), number, time, mean, clones, changes)],
        notes=[*notes, "the files tell no box: cubic, from density 1.2 σ⁻³"],
        pairs=pairs,
    )
