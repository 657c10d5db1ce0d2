"""A plain npz of anybody's particles; the units are stated, never guessed.

Arrays by name, `F` frames (the frame axis may be left out), `N` particles:
`positions [F, N, 3]`; `types` or `z [N]` (atomic numbers in units "ase", species from 0 in "lj");
`box` (one number, `[3]` or `[F, 3]`) or `cell` (`[3, 3]` or `[F, 3, 3]`, rows are lattice vectors),
or `pbc = False` for open space; and where they exist `forces`, `velocities [F, N, 3]`, `energies
[F]`, `targets [F, N, T]` with `target_times [T]`, `clone_displacements [F, T, clones, N]`,
`positions_inherent [F, N, 3]`, `masses [N]`, `run`, `time [F]`, `temperature`. A topology file may take
the place of `types`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np

from zoo import keys
from zoo.data.entry import RawData
from zoo.data.formats.extraction import Chunk
from zoo.data.formats.files import Content, finite, load_npz, need
from zoo.data.formats.molecular import assemble, needed_topology
from zoo.data.formats.snapshot import integers
from zoo.data.formats.stated import StatedUnits
from zoo.data.formats.topology import Topology
from zoo.data.store import sha256
from zoo.data.system import System
from zoo.errors import ConfigError, DataError
from zoo.units import SYSTEMS, UnitSystem

#: Arrays with frames first: number of axes with them, and the power of each unit.
_AXES = {
    keys.POSITIONS: 3,
    keys.INHERENT: 3,
    keys.FORCES: 3,
    keys.VELOCITIES: 3,
    keys.ENERGIES: 1,
    keys.TARGETS: 3,
    keys.CLONES: 4,
    keys.RUN: 1,
    keys.TIME: 1,
}
#: What is read of an npz whose atoms a topology names.
_WITH_TOPOLOGY = (
    keys.POSITIONS, keys.VELOCITIES, keys.FORCES, keys.ENERGIES, keys.CELLS, keys.RUN, keys.TIME,
)  # fmt: skip
#: Position of the particle axis, counted from the frames.
_PARTICLES = {3: 1, 4: 3}


class Options(StatedUnits):
    """Options of the npz reader."""


def matches(content: Content) -> bool:
    """An npz with positions under their name."""
    return keys.POSITIONS in content.members


def read(paths: list[Path], options: Options) -> RawData:
    """Read npz files and put their frames behind each other; see `zoo.data.formats.read`.

    With a topology, the files' positions, velocities, forces, energies, cell, run and time are read.
    """
    units = SYSTEMS[options.system()]
    if options.topology is not None:
        if units.name != "ase":
            raise ConfigError("a topology names atoms, whose units are not `lj`: leave one of both out")
        topology = needed_topology(options, "npz")
        frames = partial(_frames, topology=topology, options=options)
        return assemble(paths, frames, topology, options, format="npz")
    for name in ("select", "timestep", "periodic"):
        if getattr(options, name) is not None:
            raise ConfigError(f"`{name}` goes with `--set topology=FILE`; without one an npz tells it itself")
    parts = [_load(path, options) for path in paths]
    first = parts[0]
    for path, part in zip(paths, parts, strict=True):
        if len(part.system.types) != len(first.system.types):
            raise DataError(
                f"{path} has {len(part.system.types)} particles, "
                f"{paths[0]} has {len(first.system.types)}; import them apart"
            )
        if part.system.to_json() != first.system.to_json():
            raise DataError(f"{path} has other types, masses or periodicity than {paths[0]}")
        if part.arrays.keys() != first.arrays.keys():
            differ = part.arrays.keys() ^ first.arrays.keys()
            raise DataError(f"{path} and {paths[0]} differ in {', '.join(sorted(differ))}")
        if (part.temperature, part.target_times) != (first.temperature, first.target_times):
            raise DataError(f"{path} has another temperature or other times than {paths[0]}")
        for name, array in part.arrays.items():
            if array.shape[1:] != first.arrays[name].shape[1:]:
                raise DataError(f"{path}: {name} has another shape than in {paths[0]}")
    if options.runs == "files":
        for number, part in enumerate(parts):
            frames_of = len(part.arrays[keys.POSITIONS])
            part.arrays[keys.RUN] = np.full(frames_of, number, np.int32)
            part.array_units[keys.RUN] = ""
    if options.runs == "time":
        _number_by_time(paths, parts)
    first.arrays = {
        name: np.concatenate([p.arrays[name][:: options.stride] for p in parts]) for name in first.arrays
    }
    first.provenance = {
        "format": "npz",
        "files": [{"file": path.name, "sha256": sha256(path)} for path in paths],
        "options": options.model_dump(mode="json", exclude_defaults=True),
    }
    return first


def _number_by_time(paths: list[Path], parts: list[RawData]) -> None:
    """Put `run` into all parts: the next one begins where time does not go on."""
    if keys.TIME not in parts[0].arrays:
        raise ConfigError(f"{paths[0]} holds no `time`: runs=time needs it")
    times = np.concatenate([part.arrays[keys.TIME] for part in parts])
    runs = np.cumsum(np.diff(times, prepend=times[:1] - 1) <= 0).astype(np.int32)
    ends = np.cumsum([len(part.arrays[keys.TIME]) for part in parts])[:-1]
    for part, run in zip(parts, np.split(runs, ends), strict=True):
        part.arrays[keys.RUN] = run
        part.array_units[keys.RUN] = ""


def _frames(path: Path, topology: Topology, options: Options) -> Iterator[Chunk]:
    """Yield a file's arrays, one chunk for each run."""
    part = _load(path, options, topology.system.types)
    arrays = {name: part.arrays[name] for name in _WITH_TOPOLOGY if name in part.arrays}
    if not part.system.periodic:
        arrays.pop(keys.CELLS, None)
    run = arrays.get(keys.RUN, np.zeros(len(arrays[keys.POSITIONS])))
    edges = np.flatnonzero(np.diff(run)) + 1
    for start, stop in pairwise([0, *edges.tolist(), len(run)]):
        yield {name: array[start:stop] for name, array in arrays.items()}


def _load(path: Path, options: Options, types: np.ndarray | None = None) -> RawData:
    """Read one file; `types` are those of a topology. Raises `DataError`."""
    units = SYSTEMS[options.system()]
    found = load_npz(path)
    need(path, found, keys.POSITIONS)
    told = found.get("types", found.get("z"))
    if told is not None:
        given = integers(path, "types", told)
        if types is not None and (given.shape != types.shape or (given != types).any()):
            raise DataError(f"{path}: its types are not the atomic numbers of the topology, in its order")
        types = given
    if types is None:
        raise DataError(
            f"{path} lacks types (or z); it has {', '.join(sorted(found))}. Atoms are named by these, "
            "or by `--set topology=FILE`"
        )
    single = found[keys.POSITIONS].ndim == 2
    arrays = {}
    for name, axes in _AXES.items():
        if name in found:
            array = options.convert(name, finite(path, name, found[name]))
            arrays[name] = array[None] if single and array.ndim == axes - 1 else array
    shape = arrays[keys.POSITIONS].shape
    if len(shape) != 3 or shape[2] != 3 or shape[1] == 0 or types.shape != shape[1:2]:
        raise DataError(
            f"{path}: positions of shape {found[keys.POSITIONS].shape} and {types.shape} types do "
            "not fit together"
        )
    for name, array in arrays.items():
        axes = _AXES[name]
        bad = array.ndim != axes or len(array) != shape[0]
        if bad or (axes > 1 and array.shape[_PARTICLES[axes]] != shape[1]):
            raise DataError(
                f"{path}: {name} of shape {array.shape} for {shape[0]} frames of {shape[1]} particles"
            )
    for name in {"box", "cell"} & found.keys():
        found[name] = options.convert(name, finite(path, name, found[name]))
    pbc = _cell(path, found, arrays, units)
    temperature = found.get("temperature")
    if temperature is not None and np.size(temperature) != 1:
        raise DataError(f"{path}: one temperature expected, got {np.size(temperature)}")
    kelvin = None if temperature is None else finite(path, "temperature", temperature).item()
    if kelvin is not None and options.temperature not in (None, kelvin):
        raise ConfigError(f"{path} tells a temperature of {kelvin:g}: leave out `temperature`")
    arrays = {name: _narrow(name, array) for name, array in arrays.items()}
    times = finite(path, "target_times", found.get("target_times", np.zeros(0))).ravel().tolist()
    return RawData(
        system=_system(path, types, found, units, pbc),
        arrays=arrays,
        array_units=_units(units, arrays),
        units=units.name,
        temperature=options.temperature if kelvin is None else kelvin,
        target_names=[f"t={time:g}" for time in times],
        target_times=times,
    )


def _cell(
    path: Path, found: dict[str, np.ndarray], arrays: dict[str, np.ndarray], units: UnitSystem
) -> tuple[bool, bool, bool]:
    """Add the cell; return the periodic directions."""
    frames = len(arrays[keys.POSITIONS])
    given = np.asarray(found.get("pbc", True))
    if given.shape not in ((), (3,)) or given.dtype.kind not in "biu":
        raise DataError(f"{path}: pbc takes one or three of True and False")
    flags = np.broadcast_to(given.astype(bool), (3,))
    pbc = (bool(flags[0]), bool(flags[1]), bool(flags[2]))
    if "cell" in found:
        cell = finite(path, "cell", found["cell"])
    elif "box" in found:
        box = finite(path, "box", found["box"])
        if box.shape not in ((), (3,), (frames, 3)) or (box < 0).any():
            raise DataError(f"{path}: box takes one or three positive lengths, or three for each frame")
        box = np.broadcast_to(box, (3,)) if box.ndim == 0 else box
        cell = box[..., None] * np.eye(3)
    elif units.name == "lj" and any(pbc):
        raise DataError(f"{path} has no box (or cell); for particles in open space store pbc=False")
    else:
        return (False, False, False)
    if cell.shape not in ((3, 3), (frames, 3, 3)):
        raise DataError(f"{path}: box or cell of shape {cell.shape} for {frames} frames")
    if any(pbc) and (np.abs(np.linalg.det(cell)) < 1e-12).any():
        raise DataError(f"{path}: the box has no volume")
    arrays[keys.CELLS] = np.broadcast_to(cell, (frames, 3, 3)).copy()
    return pbc


def _narrow(name: str, array: np.ndarray) -> np.ndarray:
    kinds = {keys.CLONES: np.float16, keys.RUN: np.int32}
    wide = (keys.ENERGIES, keys.TIME, keys.CELLS)
    if name == keys.RUN and (array != np.round(array)).any():
        raise DataError("run takes whole numbers, one for each frame")
    with np.errstate(over="ignore"):  # what becomes infinite is refused when it is written
        return array.astype(kinds.get(name, np.float64 if name in wide else np.float32))


def _units(units: UnitSystem, arrays: dict[str, np.ndarray]) -> dict[str, str]:
    special = {
        keys.FORCES: units.force,
        keys.VELOCITIES: f"{units.length}/{units.time}",
        keys.ENERGIES: units.energy,
        keys.RUN: "",
        keys.TIME: units.time,
    }
    return {name: special.get(name, units.length) for name in arrays}


def _system(
    path: Path,
    types: np.ndarray,
    found: dict[str, np.ndarray],
    units: UnitSystem,
    pbc: tuple[bool, bool, bool],
) -> System:
    kinds = np.unique(types).tolist()
    if units.name == "ase":
        from ase.data import atomic_masses, chemical_symbols

        if kinds[0] < 1 or kinds[-1] >= len(chemical_symbols):
            raise DataError(f"{path}: types {kinds} are no atomic numbers, which units=ase needs")
        names = {kind: chemical_symbols[kind] for kind in kinds}
        masses = atomic_masses[types]
    else:
        if kinds[0] < 0 or kinds[-1] > 25:
            raise DataError(f"{path}: types {kinds}, expected species numbers from 0")
        names = {kind: "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[kind] for kind in kinds}
        masses = np.ones(len(types))
    if "masses" in found:
        masses = finite(path, "masses", found["masses"])
        if (masses <= 0).any():
            raise DataError(f"{path}: masses must be positive")
    return System(types=types, masses=masses, type_names=names, pbc=pbc)
