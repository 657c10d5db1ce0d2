"""From LAMMPS snapshots to the arrays of a dataset: sorted by id, in its units, molecules whole.

Positions are stored in one of four ways, noted in the provenance as `coordinates`:

- `open space`: nothing is periodic, or `periodic=false`;
- `wrapped` into the cell: the default for particles without molecules;
- `unwrapped`: across the boundaries, as columns `xu`, `xsu` or image flags tell; the default for molecules;
- `whole`: wrapped in the file, each molecule put together along its bonds.

The origin of the box is moved to 0 along periodic directions.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import numpy as np

from zoo import keys
from zoo.data.entry import RawData
from zoo.data.formats.lammps_box import Periodic
from zoo.data.formats.lammps_frames import TRIPLES, Snapshot
from zoo.data.formats.lammps_particles import LammpsOptions, Particles, make_system, particles
from zoo.data.formats.lammps_topology import DataFile
from zoo.data.formats.lammps_units import Style, style
from zoo.data.formats.molecules import Molecules
from zoo.data.formats.trajectory import chunks
from zoo.errors import ConfigError, DataError

#: Kinds of position columns, the most telling first: (columns, scaled, unwrapped).
POSITIONS = (("{}u", False, True), ("{}su", True, True), ("{}", False, False), ("{}s", True, False))
IMAGES = ("ix", "iy", "iz")


@dataclass(frozen=True)
class Flags:
    """Options of a dump alone.

    Args:
        sorted_: rows without ids stand in one order.
        energy: column of per-atom energies, to be summed.
        charges: whether to keep the column q.
    """

    sorted_: bool = False
    energy: str | None = None
    charges: bool = True


def assemble(
    shots: Iterable[tuple[int, Snapshot]],
    topology: DataFile | None,
    options: LammpsOptions,
    flags: Flags = Flags(),
) -> RawData:
    """Turn snapshots into a dataset's arrays, chunk by chunk.

    Args:
        shots: (number of the independent run, snapshot).
        topology: data file that tells masses, molecules and bonds, if any.
        options: of the reader.
        flags: of a dump.

    Raises:
        DataError: the snapshots, the data file and the options do not fit together.
    """
    stream = iter(shots)
    try:
        run, first = next(stream)
    except StopIteration as error:
        raise DataError("the files hold no snapshot") from error
    reader = Reader(first, topology, options, flags)
    pieces = (reader.finish(c) for c in chunks(reader.frame(*s) for s in chain([(run, first)], stream)))
    arrays = next(pieces)
    unit = reader.style.system
    special = {
        keys.FORCES: unit.force, keys.VELOCITIES: f"{unit.length}/{unit.time}", keys.ENERGIES: unit.energy,
        keys.RUN: "", keys.TIME: unit.time,
    }  # fmt: skip
    return RawData(
        system=reader.system,
        arrays=arrays,
        array_units={name: special.get(name, unit.length) for name in arrays},
        units=unit.name,
        temperature=options.temperature,
        provenance=reader.provenance(),
        more=pieces,
    )


class Reader:
    """What the first snapshot decides for all."""

    def __init__(
        self, first: Snapshot, topology: DataFile | None, options: LammpsOptions, flags: Flags
    ) -> None:
        self.options, self.flags, self.names = options, flags, set(first.columns)
        told = first.units or (topology.units if topology else None)
        self.timed = first.time is not None
        self.style: Style = style(first.path, told, options.units)
        self.pbc = boundary(first, options)
        self.kind = self._kind(first)
        first, _ = self._sorted(first)
        if not flags.charges:
            first.columns.pop("q", None)
        self.all: Particles = particles(first, topology)
        self.images = all(name in first.columns for name in IMAGES)
        self.molecules = Molecules(len(self.all.ids), self.all.bonds) if len(self.all.bonds) else None
        self.mode = self._mode(first)
        self._plane(first)
        pbc = self.pbc if self.mode != "open space" else (False, False, False)
        if options.dimensions == 2:
            pbc = (pbc[0], pbc[1], False)
        self.periodic = pbc
        chains = self._chains()
        self.system = make_system(self.all, self.style, options, pbc, chains)
        self.index: np.ndarray | None = None
        if options.select is not None:
            if flags.energy:
                raise ConfigError(
                    "energies of all particles do not go with a selection: leave out one of them"
                )
            names = np.array([self.system.type_names[kind] for kind in self.system.types.tolist()])
            self.index = self.all.picked(options.select, names)
            if chains.size:
                chains = np.unique(chains[self.index], return_inverse=True)[1]
            self.system = make_system(self.all.cut(self.index), self.style, options, pbc, chains)

    def provenance(self) -> dict[str, Any]:
        """What was decided, as plain JSON."""
        told = self.options.model_dump(mode="json", exclude_defaults=True)
        note: dict[str, Any] = {"lammps_units": self.style.name, "coordinates": self.mode, "options": told}
        if self.index is not None:
            note["forces"] = "of all particles on the selected ones"
        return note

    def _kind(self, shot: Snapshot) -> tuple[str, bool, bool]:
        flat = self.options.dimensions == 2
        for kind, scaled, unwrapped in POSITIONS:
            names = TRIPLES[kind][: 2 if flat else 3]
            if all(name in shot.columns for name in names):
                return kind, scaled, unwrapped
        raise DataError(
            f"{shot.path} has no positions (x y z, xu …, xs … or xsu …), only {', '.join(shot.columns)}"
        )

    def _sorted(self, shot: Snapshot) -> tuple[Snapshot, np.ndarray]:
        """Return the snapshot sorted by id, and the order."""
        columns = dict(shot.columns)
        atoms = len(next(iter(columns.values())))
        if "id" not in columns:
            if not self.flags.sorted_:
                raise DataError(
                    f"{shot.path} has no column id, so its atoms may change places between snapshots; say "
                    "`--set sorted=true` if it was written with `dump_modify sort id` (ids count from 1)"
                )
            columns["id"] = np.arange(1, atoms + 1)
        order = np.argsort(columns["id"], kind="stable")
        columns = {name: values[order] for name, values in columns.items()}
        if (np.diff(columns["id"]) == 0).any() or columns["id"][0] < 1:
            raise DataError(f"{shot.path}, step {shot.step}: ids must be positive and occur once each")
        return replace(shot, columns=columns), order

    def _mode(self, shot: Snapshot) -> str:
        tells = self.kind[2] or self.images
        if self.options.unwrapped and not tells:
            raise DataError(
                f"{shot.path} has neither xu, xsu nor image flags: unwrapped positions are not told"
            )
        if not any(self.pbc):
            return "open space"
        molecules = self.all.molecules
        joined = (
            molecules is not None and (np.unique(molecules[molecules > 0], return_counts=True)[1] > 1).any()
        )
        if self.options.unwrapped is False:
            mode = "wrapped"
        elif tells:
            wanted = self.options.unwrapped or self.molecules or joined or self.options.periodic is False
            mode = "unwrapped" if wanted else "wrapped"
        elif self.molecules:
            mode = "whole"
        elif joined:
            raise DataError(
                f"{shot.path} has molecules (mol) in wrapped positions, neither image flags nor bonds to put "
                "them together: give bonds (`--set topology=FILE`), or `--set unwrapped=false` to keep it so"
            )
        else:
            mode = "wrapped"
        if self.options.periodic is not False:
            return mode
        if mode == "wrapped":
            raise DataError(
                "wrapped positions cannot be stored in open space: give the bonds, or image flags"
            )
        return "open space"

    def _plane(self, shot: Snapshot) -> None:
        """A plane must be declared: periodic images across it would be neighbours."""
        if self.options.dimensions is None and self.pbc[2] and len(self.all.ids) > 1:
            if np.ptp(self._place(shot)[:, 2]) == 0:
                raise DataError(
                    f"{shot.path}: all z are the same; say `--set dimensions=2` for a simulation in a plane, "
                    "else dimensions=3"
                )

    def _chains(self) -> np.ndarray:
        told = self.all.molecules
        if told is not None and (told > 0).any():
            alone = -1 - np.arange(len(told))
            _, first, number = np.unique(
                np.where(told > 0, told, alone), return_index=True, return_inverse=True
            )
            return np.argsort(np.argsort(first))[number]
        return np.zeros(0, np.int64) if self.molecules is None else self.molecules.number

    def _place(self, shot: Snapshot) -> np.ndarray:
        """Positions `[particles, 3]`, float64, file's unit: unwrapped if the file tells, origin at 0."""
        kind, scaled, unwrapped = self.kind
        flat = self.options.dimensions == 2
        columns = [shot.columns[name] for name in TRIPLES[kind][: 2 if flat else 3]]
        middle = (shot.box.origin + shot.box.cell.sum(0) / 2)[2]
        if flat:
            z = shot.columns.get(TRIPLES[kind][2])
            if z is not None and np.ptp(z) > 0:
                raise DataError(
                    f"{shot.path}, step {shot.step}: dimensions=2, but z is not the same everywhere"
                )
            columns.append(np.full(len(columns[0]), 0.5 if scaled else middle))
        positions = np.stack(columns, axis=1)
        periodic = np.asarray(self.pbc)
        fractional = positions if scaled else shot.box.fractional(positions)
        inside = (fractional > -0.5) & (fractional < 1.5)
        if not unwrapped and not inside[:, periodic].all():
            atom = shot.columns["id"][np.argmin(inside[:, periodic].all(axis=1))]
            raise DataError(
                f"{shot.path}, step {shot.step}: atom {atom} is far outside of the periodic box; "
                f"{' '.join(TRIPLES[kind])} are wrapped positions in LAMMPS"
            )
        if scaled:
            positions = shot.box.cartesian(positions)
        if self.images and not unwrapped:
            positions = positions + shot.box.images(np.stack([shot.columns[n] for n in IMAGES], axis=1))
        start = np.where(periodic, shot.box.origin @ shot.box.inverse, 0.0) @ shot.box.cell
        return positions - start

    def frame(self, run: int, shot: Snapshot) -> dict[str, Any]:
        """Return one frame in the dataset's units, all particles, positions in float64."""
        where, options, unit = f"{shot.path}, step {shot.step}", self.options, self.style
        if set(shot.columns) != self.names:
            raise DataError(f"{where}: the columns are not those of the first snapshot")
        if shot.units not in (None, unit.name):
            raise DataError(f"{where}: units {shot.units}, but the first snapshot's are {unit.name}")
        if boundary(shot, options) != self.pbc:
            raise DataError(f"{where}: the boundaries are not those of the first snapshot")
        shot, _ = self._sorted(shot)
        self._same(where, shot)
        arrays: dict[str, Any] = {
            keys.POSITIONS: self._place(shot) * unit.length,
            keys.CELLS: shot.box.cell * unit.length,
        }
        for name, kind, factor in ((keys.VELOCITIES, "v{}", unit.velocity), (keys.FORCES, "f{}", unit.force)):
            if shot.has(kind):
                arrays[name] = shot.triple(kind) * factor
        if self.flags.energy:
            arrays[keys.ENERGIES] = np.float64(shot.columns[self.flags.energy].sum() * unit.energy)
        time = self._time(where, shot)
        if time is not None:
            arrays[keys.TIME] = np.float64(time * unit.time)
        if options.runs != "one":
            arrays[keys.RUN] = np.int32(run)
        return arrays

    def _time(self, where: str, shot: Snapshot) -> float | None:
        """Time in the file's unit: counted by `timestep` for all snapshots, or told by all, or by none."""
        step = self.options.timestep
        if step is not None:
            counted = shot.step * step
            if shot.time is not None and abs(shot.time - counted) > 1e-6 * max(abs(shot.time), step):
                raise DataError(
                    f"{where}: the file tells time {shot.time:g}, but step × timestep is {counted:g}; "
                    "leave out `timestep`, or give the right one"
                )
            return counted
        if (shot.time is not None) != self.timed:
            raise DataError(
                f"{where}: {'no time' if self.timed else 'a time'} is told, unlike in the first snapshot; "
                "say `--set timestep=…` (of one step) to count all times, or write all with "
                "`dump_modify time yes`"
            )
        return shot.time

    def _same(self, where: str, shot: Snapshot) -> None:
        """Raise unless the particles are those of the first snapshot."""
        ids = shot.columns["id"]
        if len(ids) != len(self.all.ids):
            raise DataError(f"{where}: {len(ids)} atoms, {len(self.all.ids)} in the first snapshot")
        if not np.array_equal(ids, self.all.ids):
            raise DataError(f"{where}: the ids are not those of the first snapshot")
        constant = {
            "type": self.all.types, "mol": self.all.molecules, "element": self.all.elements,
            "q": self.all.charges if self.flags.charges else None, "mass": self.all.masses,
        }  # fmt: skip
        for name, values in constant.items():
            found = shot.columns.get(name)
            if found is not None and values is not None and not np.array_equal(found, values):
                hint = "; `--set charges=false` leaves them out" if name == "q" else ""
                raise DataError(f"{where}: {name} is not the same as in the first snapshot{hint}")

    def finish(self, chunk: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Make molecules whole, wrap, select, and store in the dataset's precision."""
        positions, cell = chunk[keys.POSITIONS], chunk[keys.CELLS]
        if self.mode == "wrapped":
            inside = positions @ np.linalg.inv(cell)
            positions = np.where(self.periodic, inside - np.floor(inside), inside) @ cell
        elif self.molecules and any(self.pbc):
            positions = self.molecules.whole(positions, cell, self.pbc)
        if self.options.dimensions == 2:
            positions[..., 2] = 0.0
        chunk[keys.POSITIONS] = positions
        if not any(self.periodic):
            del chunk[keys.CELLS]
        out = {}
        for name, array in chunk.items():
            if name in (keys.POSITIONS, keys.VELOCITIES, keys.FORCES):
                with np.errstate(over="ignore"):
                    array = (array if self.index is None else array[:, self.index]).astype(np.float32)
            if not np.isfinite(array).all():
                raise DataError(f"{name} holds numbers beyond single precision")
            out[name] = array
        return out


def boundary(shot: Snapshot, options: LammpsOptions) -> Periodic:
    """Return the periodic directions: the file's, or those declared. Raises `DataError`, `ConfigError`."""
    declared = None
    if options.boundary is not None:
        words = options.boundary.split()
        if len(words) != 3 or any(not word or set(word) - set("pfsm") for word in words):
            raise ConfigError(f"boundary={options.boundary!r}: expected three of p, f, s, m, such as `p p f`")
        declared = (words[0] == "p", words[1] == "p", words[2] == "p")
    told = shot.box.pbc
    if told is None and declared is None:
        raise DataError(f'{shot.path} does not tell the boundaries: say `--set boundary="p p p"` or `f f f`')
    if told is not None and declared is not None and told != declared:
        raise DataError(f"{shot.path} tells other boundaries than boundary={options.boundary!r}")
    return told if told is not None else declared  # type: ignore[return-value]
