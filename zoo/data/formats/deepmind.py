"""DeepMind's glass data: pickles (protocol 3) of one configuration with up to 30 clones, 10 times.

V. Bapst et al., Nat. Phys. 16, 448 (2020). The times are those at which the self-intermediate
scattering function reaches `is_values`; the last one, 1/e, is out of order in the files. Velocities
are not kept: the clones' displacements are.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from zoo.data.entry import RawData
from zoo.data.formats.files import Content, finite
from zoo.data.formats.pair_changes import changes_of, near_pairs
from zoo.data.formats.safe_pickle import load_pickle
from zoo.data.formats.snapshot import (
    GlassOptions,
    Snapshot,
    Target,
    assemble,
    integers,
    lengths_of,
    moves_of,
)
from zoo.errors import DataError

Options = GlassOptions


def matches(content: Content) -> bool:
    """A pickle. What is in it is seen when it is read."""
    return content.kind == "pickle"


def read(paths: list[Path], options: GlassOptions) -> RawData:
    """Read DeepMind's files; see `zoo.data.formats.read`."""
    return assemble(paths, "deepmind", lambda path: load(path, options.pairs))


def load(path: Path, with_pairs: bool = True) -> Snapshot:
    """Read one file, with the changes of pairs, where it tells them, or without. Raises `DataError`."""
    record = load_pickle(path)
    if not isinstance(record, dict):
        raise DataError(f"{path} holds no dict, so it is not of DeepMind's format")
    missing = [name for name in ("positions", "types", "box") if name not in record]
    if missing:
        raise DataError(f"{path} lacks {', '.join(missing)}; it has {', '.join(sorted(record))}")
    start = _numbers(path, "positions", record["positions"])
    box = _numbers(path, "box", record["box"])
    metadata = record.get("metadata")
    temperature = metadata.get("temperature") if isinstance(metadata, dict) else None
    if not isinstance(temperature, int | float):
        temperature = None
    told = isinstance(record.get("trajectory_target_positions"), list)
    pairs = near_pairs(start, box) if with_pairs and told else None
    targets, notes = _targets(path, record, start, box, pairs)
    return Snapshot(
        path=path,
        types=integers(path, "types", np.asarray(record["types"])),
        box=box,
        positions=start,
        temperature=temperature,
        targets=targets,
        notes=notes,
        pairs=pairs,
    )


def _targets(
    path: Path, record: dict[str, Any], start: np.ndarray, box: np.ndarray, pairs: np.ndarray | None
) -> tuple[list[Target], list[str]]:
    times = _times(path, record)
    ends, given = record.get("trajectory_target_positions"), record.get("targets")
    out, notes = [], []
    for number, time in enumerate(times):
        clones, changes = None, None
        if isinstance(ends, list) and ends:
            if len(ends) != len(times):
                raise DataError(f"{path}: {len(ends)} sets of target positions for {len(times)} times")
            positions = _numbers(path, "trajectory_target_positions", ends[number])
            moves, more = moves_of(path, start, positions, box)
            clones, mean = lengths_of(path, moves)
            changes = None if pairs is None else changes_of(start, moves, box, pairs)
            notes += more
        elif isinstance(given, list) and len(given) == len(times):
            mean = _numbers(path, "targets", given[number]).astype(np.float32)
        else:
            raise DataError(f"{path}: neither target positions nor targets for {len(times)} times")
        out.append(Target(f"propensity t={time:g}", time, time, mean, clones, changes))
    return out, notes


def _times(path: Path, record: dict[str, Any]) -> list[float]:
    """Times of the targets, in the file's order."""
    times = _numbers(path, "time", record.get("time", []))
    index = integers(path, "time_indices", np.asarray(record.get("time_indices", [])))
    if not index.size or index.ndim != 1 or times.ndim != 1 or index.min() < 0 or index.max() >= len(times):
        raise DataError(f"{path}: time_indices do not point into its {times.size} times")
    return [float(t) for t in times[index]]


def _numbers(path: Path, name: str, values: Any) -> np.ndarray:
    try:
        array = np.array(values, np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"{path}: {name} is no array of numbers, or its parts differ in their number of particles"
        ) from error
    return finite(path, name, array)
