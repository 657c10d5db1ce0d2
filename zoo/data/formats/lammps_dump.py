"""LAMMPS dumps in text or gzip (`dump atom`, `dump custom`): one file, or several of one or more runs.

Several files of one run stand in the order of their first steps. Where a restart wrote some steps
again, the later file's snapshots replace the earlier's from its first step on; both must agree there.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
from pydantic import Field

from zoo.data.entry import RawData
from zoo.data.formats.files import Content
from zoo.data.formats.lammps_frames import Snapshot, snapshots
from zoo.data.formats.lammps_particles import LammpsOptions
from zoo.data.formats.lammps_topology import read_data_file
from zoo.data.formats.lammps_trajectory import POSITIONS, Flags, assemble
from zoo.data.store import sha256
from zoo.errors import DataError

#: Two snapshots of one step are the same if no position differs by more than this share of the box.
SAME = 1e-4


class Options(LammpsOptions):
    """`zoo data import NAME FILE… --set key=value`."""

    energies: str | None = Field(None, description="column of per-atom potential energies, as c_pe")
    charges: bool = Field(True, description="false: do not keep column q")
    sorted: bool = Field(False, description="true: rows without ids stand in the order of ids")
    partial: bool = Field(False, description="true: leave out a last snapshot that a killed run cut")


def matches(content: Content) -> bool:
    """Text that begins with the items of a dump."""
    return content.lines[:1] in (["ITEM: TIMESTEP"], ["ITEM: UNITS"], ["ITEM: TIME"])


def read(paths: list[Path], options: Options) -> RawData:
    """Read dumps; see `zoo.data.formats.read`.

    Raises:
        DataError: damaged files, or files, topology and options that do not fit together.
    """
    topology = None if options.topology is None else read_data_file(options.topology, options.atom_style)
    files = _in_order(paths, options)
    shots = islice(_joined(files, options), 0, None, options.stride)
    raw = assemble(shots, topology, options, Flags(options.sorted, options.energies, options.charges))
    named = [*files, (topology.path, None)] if topology else files
    records = [{"file": path.name, "sha256": sha256(path), "first_step": step} for path, step in named]
    raw.provenance = {"format": "lammps-dump", "files": records, **raw.provenance}
    return raw


def _read(path: Path, options: Options) -> Iterator[Snapshot]:
    return snapshots(path, (options.energies,) if options.energies else (), partial=options.partial)


def _in_order(paths: list[Path], options: Options) -> list[tuple[Path, int]]:
    """Return files with their first steps, in the order in which they are read."""
    files = []
    for path in paths:
        first = next(_read(path, options), None)
        if first is None:
            raise DataError(f"{path} holds no whole snapshot")
        files.append((path, first.step))
    if options.runs != "one":
        return files
    files.sort(key=lambda file: file[1])
    for (one, step), (other, same) in pairwise(files):
        if step == same:
            raise DataError(
                f"{one} and {other} both begin at step {step}; if each file is a run of its own, "
                "say `--set runs=files`"
            )
    return files


def _joined(files: list[tuple[Path, int]], options: Options) -> Iterator[tuple[int, Snapshot]]:
    """Yield (run, snapshot) through all files, each step of a run once."""
    if options.runs == "time":
        yield from _by_step(files, options)
        return
    one_run = options.runs == "one"
    for number, (path, _) in enumerate(files):
        end = files[number + 1][1] if one_run and number + 1 < len(files) else None
        for shot in _steps(path, options):
            if end is not None and shot.step >= end:
                _agree(shot, next(_read(files[number + 1][0], options)))
                break
            yield number, shot


def _by_step(files: list[tuple[Path, int]], options: Options) -> Iterator[tuple[int, Snapshot]]:
    """Yield (run, snapshot); the next run begins where the step does not go on to another configuration."""
    run, last = 0, None
    for path, _ in files:
        for shot in _read(path, options):
            if last is not None and shot.step <= last.step:
                if shot.step == last.step and _same(last, shot):
                    continue
                run += 1
            yield run, shot
            last = shot


def _steps(path: Path, options: Options) -> Iterator[Snapshot]:
    """Yield the snapshots of one file; a step that a restart wrote twice comes once."""
    last: Snapshot | None = None
    for shot in _read(path, options):
        if last is not None and shot.step < last.step:
            raise DataError(
                f"{path}: step {shot.step} comes after {last.step}: cut the file there, give both; "
                "or say `--set runs=time` if another run begins there"
            )
        if last is not None and shot.step == last.step:
            _agree(last, shot)
            continue
        yield shot
        last = shot


def _agree(one: Snapshot, other: Snapshot) -> None:
    """Raise unless two snapshots are one step of one run."""
    if one.step == other.step and _same(one, other):
        return
    where = f"{one.path}, step {one.step}, and {other.path}, step {other.step}"
    if one.step != other.step:
        raise DataError(
            f"{where}: the files overlap but share no step, so they are not one run; "
            "say `--set runs=files` if each file is a run of its own"
        )
    raise DataError(f"{where}: one step, two configurations; say `--set runs=files` if these are two runs")


def _same(one: Snapshot, other: Snapshot) -> bool:
    kind, scaled = next(((k, s) for k, s, _ in POSITIONS if one.has(k) and other.has(k)), ("", False))
    if not kind:
        return False
    places = []
    for shot in (one, other):
        found = shot.triple(kind)
        if "id" in shot.columns:
            found = found[np.argsort(shot.columns["id"], kind="stable")]
        places.append(found if scaled else shot.box.fractional(found))
    if places[0].shape != places[1].shape:
        return False
    differ = places[0] - places[1]
    if one.box.pbc is not None:
        differ -= np.where(one.box.pbc, np.round(differ), 0.0)
    return bool((np.abs(differ) < SAME).all())
