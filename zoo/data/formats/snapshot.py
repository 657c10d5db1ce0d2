"""One configuration out of one file, and how many of them become a dataset's arrays.

Every glass reader makes these, so that all formats end the same: types from 0, sorted; positions
wrapped into the cell; displacements of clones unwrapped; times ascending; clones kept apart.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field

from zoo import keys
from zoo.config import Strict
from zoo.data.entry import RawData
from zoo.data.formats.files import finite
from zoo.data.formats.pair_changes import stacked
from zoo.data.formats.published import published_splits, split_of
from zoo.data.store import sha256
from zoo.data.system import System
from zoo.errors import DataError

#: Number density of the Kob-Andersen data that do not tell their box, σ⁻³.
DENSITY = 1.2


class GlassOptions(Strict):
    """Options of the glass formats: they tell everything themselves."""

    units: Literal["lj"] = Field("lj", description="Lennard-Jones units, as these files are in")
    pairs: bool = Field(
        True, description="keep how the distances of neighbours change, where the files hold end positions"
    )


@dataclass
class Target:
    """One per-particle target at one time. `values` `[particles]`, `clones` `[clones, particles]`.

    `changes` `[pairs]` of the distances of `Snapshot.pairs`, the clones' mean.
    """

    label: str
    order: float
    time: float | None
    values: np.ndarray
    clones: np.ndarray | None = None
    changes: np.ndarray | None = None


@dataclass
class Snapshot:
    """What one file says. Lengths in σ; `box [dimensions]`; `positions [particles, dimensions]`."""

    path: Path
    types: np.ndarray
    box: np.ndarray
    positions: np.ndarray
    temperature: float | None = None
    targets: list[Target] = field(default_factory=list)
    #: Further arrays, first axis = particles; `positions_…` are wrapped into the cell as well.
    extras: dict[str, np.ndarray] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    #: Neighbours whose distances are followed, `[pairs, 2]`, i < j.
    pairs: np.ndarray | None = None

    def __post_init__(self) -> None:
        n, d = _shape(self.path, self.positions)
        if self.types.shape != (n,):
            raise DataError(f"{self.path}: {self.types.shape} types for {n} particles")
        if self.box.shape != (d,) or not (np.isfinite(self.box) & (self.box > 0)).all():
            raise DataError(f"{self.path}: a box of {self.box.tolist()} in {d} dimensions")
        for name, array in self.extras.items():
            if len(array) != n:
                raise DataError(f"{self.path}: {name} of {len(array)} particles of {n}")
        for target in self.targets:
            if target.values.shape != (n,):
                raise DataError(f"{self.path}: {target.label} of {target.values.shape} of {n} particles")
        self._sort()
        self.positions = _into_cell(self.positions, self.box)
        for name in [name for name in self.extras if name.startswith("positions_")]:
            self.extras[name] = _into_cell(self.extras[name], self.box)

    def _sort(self) -> None:
        """Sort particles by type, keeping their order within a type."""
        if (np.diff(self.types) >= 0).all():
            return
        order = np.argsort(self.types, kind="stable")
        if self.pairs is not None:
            self.pairs = np.sort(np.argsort(order)[self.pairs].astype(self.pairs.dtype), axis=1)
        self.types, self.positions = self.types[order], self.positions[order]
        self.extras = {name: array[order] for name, array in self.extras.items()}
        for target in self.targets:
            target.values = target.values[order]
            if target.clones is not None:
                target.clones = target.clones[:, order]
        self.notes.append("particles sorted by type (stable)")


def _shape(path: Path, positions: np.ndarray) -> tuple[int, int]:
    if positions.ndim != 2 or positions.shape[1] not in (2, 3) or not len(positions):
        raise DataError(f"{path}: positions of shape {positions.shape}, not [particles, 2 or 3]")
    return positions.shape[0], positions.shape[1]


def _into_cell(positions: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Wrap into [0, box) and pad to three dimensions, float32 that never rounds up to the edge."""
    wrapped = np.mod(positions, box).astype(np.float32)
    wrapped = np.where(wrapped >= box.astype(np.float32), np.float32(0), wrapped)
    return np.pad(wrapped, ((0, 0), (0, 3 - wrapped.shape[1])))


def moves_of(
    path: Path, start: np.ndarray, ends: np.ndarray, box: np.ndarray
) -> tuple[np.ndarray, list[str]]:
    """Return each clone's displacements `[clones, particles, dimensions]`, and notes.

    Files hold unwrapped end positions, or wrapped ones: if a particle seems to have moved more than
    half a box while all ends lie within one box, they are wrapped, and the nearest image is taken.

    Args:
        start: `[particles, dimensions]`; ends: `[clones, particles, dimensions]`.
    """
    if ends.ndim != 3 or ends.shape[1:] != start.shape:
        raise DataError(
            f"{path}: end positions of shape {ends.shape}, start positions of {start.shape}: "
            "the numbers of particles differ"
        )
    if not len(ends):
        raise DataError(f"{path}: no clones")
    if box.shape != start.shape[1:]:
        raise DataError(f"{path}: a box of {box.tolist()} in {start.shape[1]} dimensions")
    moves, notes = ends - start, []
    span = ends.max((0, 1)) - ends.min((0, 1))
    if (np.abs(moves) > box / 2).any() and (span <= box * (1 + 1e-6)).all():
        moves -= box * np.round(moves / box)
        notes.append("end positions are wrapped: nearest images taken")
    return moves, notes


def lengths_of(path: Path, moves: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return |Δr| of `moves_of` as `[clones, particles]` float16, and its mean as float32."""
    with np.errstate(over="ignore"):
        lengths = np.linalg.norm(moves, axis=-1)
    if not (lengths < np.finfo(np.float16).max).all():
        raise DataError(f"{path}: a particle moves by {lengths.max():.3g} σ, more than any does")
    return lengths.astype(np.float16), lengths.mean(0).astype(np.float32)


def box_from_density(path: Path, positions: np.ndarray) -> np.ndarray:
    """Return the cubic box that N particles fill at density 1.2: these formats do not tell it.

    Raises:
        DataError: not three-dimensional, or the positions do not fill that box.
    """
    n, d = _shape(path, positions)
    edge = (n / DENSITY) ** (1 / 3)
    span = positions.max(0) - positions.min(0)
    # The largest gap at the edges of a box of 4096 is about 0.05 σ; a tenth of the box is generous.
    if d != 3 or (span > edge * (1 + 1e-6)).any() or (span < 0.9 * edge).any():
        raise DataError(
            f"{path} has no box, and its positions do not fill the one of {n} particles at density "
            f"{DENSITY} σ⁻³ ({edge:.3f} σ); give files with a box"
        )
    return np.full(3, edge)


def from_name(path: Path, pattern: str) -> str | None:
    """Return the last match of a pattern's group in a file's name, else in its folders' names."""
    for part in reversed(path.parts[-4:]):
        if found := re.findall(pattern, part):
            return found[-1]
    return None


def assemble(paths: list[Path], format: str, load: Callable[[Path], Snapshot]) -> RawData:
    """Read files one by one and join them: one frame for each configuration.

    Files of the same configuration at different times give one frame with several targets. Folders
    `train` and `test` become the splits.

    Raises:
        DataError: files that differ in particles, dimensions, temperature, times or clones.
    """
    shots: dict[bytes, Snapshot] = {}
    first: Snapshot | None = None
    sources = []
    for path in paths:
        shot = load(path)
        name = f"{path.parent.name}/{path.name}" if split_of(path) else path.name
        sources.append({"file": name, "sha256": sha256(path)})
        first = first or shot
        _check_alike(first, shot)
        key = shot.positions.tobytes() + shot.types.tobytes()
        if key in shots:
            if split_of(path) != split_of(shots[key].path):
                raise DataError(f"{path} and {shots[key].path} are one configuration in two published splits")
            _join(shots[key], shot)
        else:
            shots[key] = shot
    assert first is not None
    frames = list(shots.values())
    order, splits, notes = published_splits([shot.path for shot in frames])
    frames = [frames[i] for i in order]
    for shot in frames:
        shot.targets.sort(key=lambda target: target.order)
    labels = [target.label for target in frames[0].targets]
    for shot in frames:
        theirs = [target.label for target in shot.targets]
        if theirs != labels:
            raise DataError(
                f"{shot.path.name} has {', '.join(theirs) or 'no target'}, {first.path.name} has "
                f"{', '.join(labels) or 'none'}: import only files whose configurations "
                "all have the same times"
            )
    arrays, units = _arrays(frames)
    times = [target.time for target in frames[0].targets]
    return RawData(
        system=_system(first),
        arrays=arrays,
        array_units=units,
        units="lj",
        temperature=first.temperature,
        target_names=labels,
        target_times=[t for t in times if t is not None] if None not in times else [],
        provenance={
            "format": format,
            "files": sources,
            "notes": notes + sorted({note for shot in frames for note in shot.notes}),
        },
        splits=splits,
    )


def _check_alike(a: Snapshot, b: Snapshot) -> None:
    if a.types.shape != b.types.shape:
        raise DataError(
            f"{b.path.name} has {len(b.types)} particles, {a.path.name} has {len(a.types)}; import them apart"
        )
    if (a.types != b.types).any():
        raise DataError(f"{b.path.name} has other numbers of each type than {a.path.name}")
    if a.box.shape != b.box.shape:
        raise DataError(f"{b.path.name} has {len(b.box)} dimensions, {a.path.name} {len(a.box)}")
    if a.temperature != b.temperature:
        raise DataError(
            f"{b.path.name} is of temperature {b.temperature}, {a.path.name} of {a.temperature}; "
            "import each temperature apart"
        )


def _join(into: Snapshot, other: Snapshot) -> None:
    """Add the targets of a second file of the same configuration."""
    have = {target.label for target in into.targets}
    for target in other.targets:
        if target.label in have:
            raise DataError(
                f"{other.path.name} and {into.path.name} are the same configuration at the same time"
            )
        into.targets.append(target)
    if into.pairs is None or other.pairs is None or not np.array_equal(into.pairs, other.pairs):
        # start positions that agree in single precision only may differ by a pair at the edge of the range
        into.pairs = None
    for name, array in other.extras.items():
        into.extras.setdefault(name, array)
    into.notes += other.notes


def _arrays(frames: list[Snapshot]) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    cells = np.stack([np.diag(np.pad(s.box, (0, 3 - len(s.box)), constant_values=1.0)) for s in frames])
    arrays = {keys.POSITIONS: np.stack([s.positions for s in frames]), keys.CELLS: cells}
    for name in sorted({name for s in frames for name in s.extras}):
        if all(name in s.extras for s in frames):
            arrays[name] = np.stack([s.extras[name] for s in frames])
        elif name.startswith(keys.PUBLISHED):  # test files alone have them
            like = next(s.extras[name] for s in frames if name in s.extras)
            nothing = np.full_like(like, np.nan)
            arrays[name] = np.stack([s.extras.get(name, nothing) for s in frames])
        else:
            frames[0].notes.append(f"{name} is in some of the files only: left out")
    if frames[0].targets:
        values = [np.stack([t.values for t in s.targets], axis=-1) for s in frames]
        arrays[keys.TARGETS] = np.stack(values).astype(np.float32)
        counts = {None if t.clones is None else len(t.clones) for s in frames for t in s.targets}
        if len(counts) > 1:
            raise DataError(f"the files differ in their number of clones: {sorted(map(str, counts))}")
        if None not in counts:
            arrays[keys.CLONES] = np.stack(
                [np.stack([t.clones for t in s.targets]) for s in frames]  # type: ignore[misc]
            )
    pairs = [s.pairs for s in frames if s.pairs is not None]
    changes = [[t.changes for t in s.targets if t.changes is not None] for s in frames]
    complete = len(pairs) == len(frames) and all(
        len(told) == len(s.targets) for told, s in zip(changes, frames, strict=True)
    )
    if complete and any(map(len, pairs)) and frames[0].targets:
        arrays |= stacked(pairs, changes)
    return arrays, dict.fromkeys(arrays, "σ") | {"bond_breaking": "", keys.PAIRS: ""}


def _system(shot: Snapshot) -> System:
    kinds = np.unique(shot.types).tolist()
    if kinds[0] < 0 or kinds[-1] > 25:
        raise DataError(f"{shot.path}: types {kinds}, expected species numbers")
    return System(
        types=shot.types,
        masses=np.ones(len(shot.types)),
        type_names={kind: "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[kind] for kind in kinds},
        pbc=(True, True, len(shot.box) == 3),
        parameters={"dimensions": 2} if len(shot.box) == 2 else {},
    )


def integers(path: Path, name: str, array: np.ndarray) -> np.ndarray:
    """Return an array of whole numbers as int64. Raises `DataError` on anything else."""
    values = finite(path, name, array)
    if (values != np.round(values)).any():
        raise DataError(f"{path}: {name} are not whole numbers")
    return values.astype(np.int64)
