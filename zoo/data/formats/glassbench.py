"""GlassBench's Kob-Andersen files, three-dimensional (propensities) and two-dimensional (clones).

G. Jung et al., arXiv:2311.14752; Zenodo 10118191, CC-BY-4.0. Types count from 1. The 3D files hold
`md_prop` (propensity) and `bb_prop` (share of bonds kept), `[10, particles]`, and no box; the 2D
files hold a box and the end positions of 20 clones, wrapped at some temperatures.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from zoo import keys
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

#: Published methods whose predictions, and structural indicators which, the 3D test files hold.
METHODS = ("BOTAN", "CAGE", "GlassMLP", "SE3", "SBO", "SBO_CG", "DEN", "EPOT", "PSI6")


def matches(content: Content) -> bool:
    """An npz of start positions with propensities, or with a box."""
    return content.members >= {"types", "initial_positions"} and bool(content.members & {"md_prop", "box"})


def read(paths: list[Path], options: GlassOptions) -> RawData:
    """Read GlassBench files; see `zoo.data.formats.read`."""
    return assemble(paths, "glassbench", lambda path: load(path, options.pairs))


def load(path: Path, with_pairs: bool = True) -> Snapshot:
    """Read one file, with the changes of pairs, where it tells them, or without. Raises `DataError`."""
    arrays = load_npz(path)
    need(path, arrays, "types", "initial_positions")
    start = finite(path, "initial_positions", arrays["initial_positions"])
    temperature = _temperature(path, arrays)
    notes: list[str] = []
    pairs = None
    if "box" in arrays:
        box = np.broadcast_to(finite(path, "box", arrays["box"]), start.shape[1:]).copy()
    elif start.ndim == 2 and start.shape[1] == 2:
        raise DataError(f"{path} has no box, which two-dimensional files need")
    else:
        box = box_from_density(path, start)
        notes.append("the files tell no box: cubic, from density 1.2 σ⁻³")
    extras = {}
    for name, key in (("inherent", keys.INHERENT), ("cage", "positions_cage")):
        array = arrays.get(f"initial_positions_{name}")
        if array is not None and array.size:  # empty where GlassBench has none
            extras[key] = finite(path, f"initial_positions_{name}", array)
            if extras[key].shape != start.shape:
                raise DataError(f"{path}: initial_positions_{name} of shape {extras[key].shape}")
    types = integers(path, "types", arrays["types"])
    extras |= _published(path, arrays, types)
    if "md_prop" in arrays:
        targets = _propensities(path, finite(path, "md_prop", arrays["md_prop"]), temperature)
        if "bb_prop" in arrays:
            extras["bond_breaking"] = finite(path, "bb_prop", arrays["bb_prop"]).T.astype(np.float32)
    else:
        need(path, arrays, "positions")
        code = from_name(path, r"tc(\d+)")
        if code is None:
            raise DataError(f"{path}: the time is told by the file's name only, as in …_tc05.npz")
        ends = finite(path, "positions", arrays["positions"])
        moves, more = moves_of(path, start, ends, box)
        clones, mean = lengths_of(path, moves)
        notes += more
        changes = None
        if with_pairs:
            pairs = near_pairs(start, box)
            changes = changes_of(start, moves, box, pairs)
        targets = [Target(label(int(code), None), int(code), None, mean, clones, changes)]
    if types.size and types.min() < 1:
        raise DataError(f"{path}: type {types.min()}, but GlassBench counts types from 1")
    return Snapshot(path, types - 1, box, start, temperature, targets, extras, notes, pairs)


def _published(path: Path, arrays: dict[str, np.ndarray], types: np.ndarray) -> dict[str, np.ndarray]:
    """Predictions that test files hold, `published_NAME [particles, times]`; one column of an indicator.

    NaN for particles of other types where there are predictions of the first type alone.
    """
    out = {}
    first = types == types.min(initial=np.iinfo(np.int64).max)
    for name in METHODS:
        values = arrays.get(name)
        if values is None or not values.size:
            continue
        values = np.atleast_2d(finite(path, name, values))
        mine = first if values.shape[-1] == first.sum() else np.ones_like(first)
        if values.ndim != 2 or values.shape[1] != mine.sum():
            raise DataError(f"{path}: {name} of shape {values.shape}, not [times, {len(types)}]")
        whole = np.full((len(types), len(values)), np.nan, np.float32)
        whole[mine] = values.T
        out[f"{keys.PUBLISHED}{name}"] = whole
    return out


def _propensities(path: Path, values: np.ndarray, temperature: float | None) -> list[Target]:
    """Rows of `md_prop`, ascending in time."""
    if values.ndim != 2:
        raise DataError(f"{path}: md_prop of shape {values.shape}, not [times, particles]")
    times = [time_of(temperature, row + 1) for row in range(len(values))]
    return [
        Target(label(row + 1, times[row]), row, times[row], values[row].astype(np.float32))
        for row in range(len(values))
    ]


def _temperature(path: Path, arrays: dict[str, np.ndarray]) -> float | None:
    try:
        if "temperature" in arrays:
            return float(arrays["temperature"].item())
    except ValueError as error:
        raise DataError(f"{path}: temperature {arrays['temperature']!r} is no number") from error
    told = from_name(path, r"T(\d+\.\d+)")
    return float(told) if told else None
