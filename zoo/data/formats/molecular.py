"""From chunks of frames and a topology to `RawData`: what all readers of molecules end in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field

from zoo import keys
from zoo.data.entry import RawData
from zoo.data.formats.extraction import Chunk, Extraction
from zoo.data.formats.topology import Topology, read_topology
from zoo.data.formats.trajectory import TrajectoryOptions
from zoo.data.store import sha256
from zoo.errors import ConfigError, DataError
from zoo.units import ASE, UnitSystem

#: Bytes of positions in a chunk: less than elsewhere, for molecules made whole are float64, several times.
CHUNK_BYTES = 16 << 20
#: Two frames of one time are the same if no coordinate differs by more (Å): xtc keeps 0.01.
SAME = 0.011


class MolecularOptions(TrajectoryOptions):
    """Options of the readers of molecules."""

    topology: Path | None = Field(
        None, description="file that names atoms and bonds: pdb, cif, gro, prmtop, psf, mol2, h5"
    )
    select: str | None = Field(
        None, description="atoms to keep, in mdtraj's language: `protein`, `not water`, `name CA`"
    )
    timestep: float | None = Field(
        None, gt=0, description="ps from one frame of the files to the next, where they tell no time"
    )


class KnownUnits(MolecularOptions):
    """Options of formats that fix their units: these are converted, `units` says what they become."""

    units: Literal["ase"] = Field("ase", description="Å, eV, ps, K: what the files' own units become")


def needed_topology(options: MolecularOptions, format: str) -> Topology:
    """Read the topology that a format cannot do without. Raises `ConfigError` if none is named."""
    if options.topology is None:
        raise ConfigError(
            f"{format} files do not name their atoms: say `--set topology=FILE` (pdb, gro, prmtop, …)"
        )
    return read_topology(options.topology)


def assemble(
    paths: list[Path],
    frames: Callable[[Path], Iterable[Chunk]],
    topology: Topology,
    options: MolecularOptions,
    *,
    format: str,
    pbc: tuple[bool, bool, bool] = (True, True, True),
    notes: Iterable[str] = (),
    units: UnitSystem = ASE,
) -> RawData:
    """Join the frames of all files, cut to the selection, with whole molecules.

    Args:
        paths: the files, in order.
        frames: yields the chunks of a file: arrays of `zoo.keys` in Å, eV, ps, of all atoms.
        topology: of all atoms in the files.
        options: what the user said.
        format: its name.
        pbc: directions along which a cell, where there is one, is periodic.
        units: of the chunks: Å, eV, ps, or reduced.
        notes: for the provenance; those of the extraction are added while the frames are read.

    Raises:
        ConfigError: a selection that picks nothing, or an option that is missing.
        DataError: files that do not fit the topology or one another.
    """
    told = list(notes)
    chunks = _in_runs(paths, frames, topology, options, told, units)
    first = next(chunks)
    extraction = Extraction(topology, options, first, told, pbc, elements=units.name == "ase")
    arrays = extraction.apply(first)
    return RawData(
        system=extraction.system,
        arrays=arrays,
        array_units={name: _unit(name, units) for name in arrays},
        units=units.name,
        temperature=options.temperature,
        provenance={
            "format": format,
            "files": [{"file": path.name, "sha256": sha256(path)} for path in paths],
            "topology": topology.path.name,
            "options": options.model_dump(mode="json", exclude_defaults=True),
            "notes": told,
        },
        more=(extraction.apply(chunk) for chunk in chunks),
    )


def _unit(name: str, units: UnitSystem) -> str:
    """Unit of an array."""
    special = {
        keys.VELOCITIES: f"{units.length}/{units.time}",
        keys.FORCES: units.force,
        keys.ENERGIES: units.energy,
        keys.RUN: "",
        keys.TIME: units.time,
    }
    return special.get(name, units.length)


def _in_runs(
    paths: list[Path],
    frames: Callable[[Path], Iterable[Chunk]],
    topology: Topology,
    options: MolecularOptions,
    notes: list[str],
    units: UnitSystem,
) -> Iterator[Chunk]:
    """Yield the chunks of all files with `run` and `time`, every `stride`-th frame of each run."""
    clock = _Clock(options, notes, units.time)
    run, count = None, 0
    last: Chunk | None = None
    for number, path in enumerate(paths):
        empty = True
        for chunk in frames(path):
            size, particles = chunk[keys.POSITIONS].shape[:2]
            if not size:
                continue
            if particles != len(topology):
                raise DataError(
                    f"{path} has {particles} particles, the topology {topology.path.name} {len(topology)}"
                )
            if empty and last is not None and options.runs != "files" and _repeats(last, chunk):
                notes.append(f"{path.name} begins with the frame that the file before it ends with: left out")
                chunk = {name: array[1:] for name, array in chunk.items()}
            empty = False
            if options.runs == "time" and keys.RUN not in chunk:
                _number_by_time(path, chunk, last, run or 0)
            for piece in _one_run_each(chunk):
                size = len(piece[keys.POSITIONS])
                now = int(piece[keys.RUN][0]) if keys.RUN in piece else number * (options.runs == "files")
                if now != run:
                    run, count = now, 0
                    clock.restart()
                last = {n: piece[n][-1:].copy() for n in (keys.POSITIONS, keys.TIME) if n in piece}
                piece[keys.RUN] = np.full(size, run, np.int32)
                _check_finite(path, piece, count)
                clock.tell(path, piece, count)
                every = slice(-count % options.stride, None, options.stride)
                count += size
                piece = {name: array[every] for name, array in piece.items()}
                if len(piece[keys.RUN]):
                    yield piece
        if empty:
            raise DataError(f"{path} holds no frames")


def _repeats(last: Chunk, chunk: Chunk) -> bool:
    """Whether a file's first frame is the last one before it: of a continued run, both files hold it.

    Files without times, as dcd, must agree to the last bit.
    """
    one, other = last[keys.POSITIONS][0], chunk[keys.POSITIONS][0]
    if keys.TIME not in last or keys.TIME not in chunk:
        return np.array_equal(one, other)
    return bool(last[keys.TIME][0] == chunk[keys.TIME][0]) and np.allclose(one, other, rtol=0, atol=SAME)


def _number_by_time(path: Path, chunk: Chunk, last: Chunk | None, run: int) -> None:
    """Put `run` into a chunk: the next one begins where time does not go on."""
    if keys.TIME not in chunk:
        raise ConfigError(f"{path} tells no times: runs=time needs them; files of their own take runs=files")
    before = chunk[keys.TIME][:1] - 1 if last is None else last[keys.TIME]
    ends = np.diff(np.concatenate([before, chunk[keys.TIME]])) <= 0
    chunk[keys.RUN] = run + np.cumsum(ends)


def _one_run_each(chunk: Chunk) -> Iterator[Chunk]:
    """Cut a chunk where its `run` changes, if it tells any."""
    size = len(chunk[keys.POSITIONS])
    changes = np.diff(chunk[keys.RUN]) if keys.RUN in chunk else np.zeros(0)
    for start, end in pairwise([0, *(np.flatnonzero(changes) + 1), size]):
        if end > start:
            yield {name: array[start:end] for name, array in chunk.items()}


class _Clock:
    """Times of the frames: the files' own, or counted by `timestep`."""

    def __init__(self, options: MolecularOptions, notes: list[str], unit: str) -> None:
        self.step, self.notes, self.unit = options.timestep, notes, unit
        self.trusted: bool | None = True if options.runs == "time" else None
        self.restart()

    def restart(self) -> None:
        """Begin another run."""
        self.last = -np.inf

    def tell(self, path: Path, chunk: Chunk, count: int) -> None:
        """Put the times into a chunk. Raises `DataError` where they do not go on within a run."""
        time = chunk.pop(keys.TIME, None)
        if self.trusted is None:
            self.trusted = time is not None and (
                len(time) == 1 or time[0] < time[-1] or time[0] > time[1:].min()
            )
            if time is not None and not self.trusted:
                self.notes.append("the files give all frames the same time: left out")
        if time is not None and self.trusted:
            if self.step is not None:
                raise ConfigError(f"{path} tells the times of its frames: leave out `timestep`")
            times = np.concatenate([[self.last], time])
            back = np.flatnonzero(np.diff(times) <= 0)
            if back.size:
                one, other = times[back[0]], times[back[0] + 1]
                what = "goes back from" if other < one else "stays, from"
                raise DataError(
                    f"{path}: time {what} {one:g} to {other:g} {self.unit} within one run. "
                    "Independent runs, each in a file of its own, take `--set runs=files`; "
                    "several in one file (an exported dataset) runs=time; of a run that was continued, cut "
                    "what overlaps"
                )
            self.last = times[-1]
            chunk[keys.TIME] = time
        elif self.step is not None:
            chunk[keys.TIME] = self.step * (count + np.arange(len(chunk[keys.POSITIONS])))


def _check_finite(path: Path, chunk: Chunk, count: int) -> None:
    for name, array in chunk.items():
        finite = np.isfinite(array.reshape(len(array), -1)).all(1)
        if not finite.all():
            raise DataError(f"{path}: {name} holds NaN or infinity in frame {count + int(np.argmin(finite))}")
    cells = chunk.get(keys.CELLS)
    if cells is not None and len(cells) and (np.linalg.det(cells) < 1e-3).any():
        raise DataError(f"{path}: a box without volume in frame {count + int(np.linalg.det(cells).argmin())}")
