"""ASE's frames (`Atoms`) as chunks of arrays: what the readers of ASE's formats share. Å, eV, ps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from zoo import keys
from zoo.data.entry import RawData
from zoo.data.formats.extraction import Chunk
from zoo.data.formats.molecular import MolecularOptions, assemble
from zoo.data.formats.topology import Topology, of_elements, read_topology
from zoo.data.formats.trajectory import chunks
from zoo.data.system import System
from zoo.errors import ConfigError, DataError
from zoo.units import SYSTEMS, UnitSystem

if TYPE_CHECKING:
    from collections.abc import Callable

    from ase import Atoms

#: What is read of a frame, or says how: neither is named as left out.
_READ = {"numbers", "positions", "momenta", "masses", "forces", "energy", "units"}
#: Column of the species where particles are no elements.
_TYPE = "type"
#: Key of a frame that tells the unit of its `time`, and that unit in the dataset's.
_TIME_UNIT, _PS = "time_unit", {"fs": 1e-3, "ps": 1.0, "ns": 1e3, "tau": 1.0}
#: ASE's unit of time is Å √(amu/eV) = 10.18 fs; here: how many of them a picosecond has.
_PER_PS = 98.22694788464064


class AtomsOptions(MolecularOptions):
    """Options of the readers of ASE's formats."""

    energy: str = Field("energy", description="name of the energy of a frame")
    forces: str = Field("forces", description="name of the forces")


def read_images(
    paths: list[Path],
    images: Callable[[Path], Iterable[Atoms]],
    options: AtomsOptions,
    *,
    format: str,
    units: UnitSystem = SYSTEMS["ase"],
    length: float = 1.0,
) -> RawData:
    """Join the frames of all files; elements, their order and periodicity must be those of the first.

    Of what stands beside the positions, energies, forces, velocities, `run` and `time` are kept;
    the time of molecules only beside `time_unit=` fs, ps or ns. In reduced units a column `type` tells
    the species, from 0.

    Args:
        paths: the files, in order.
        images: yields the frames of a file.
        options: what the user said.
        format: its name.
        units: of the numbers.
        length: Å per unit of length of the files.

    Raises:
        ConfigError, DataError: see `assemble`.
    """
    first = next(iter(images(paths[0])), None)
    if first is None:
        raise DataError(f"{paths[0]} holds no frames")
    reduced = units.name == "lj"
    if reduced and (options.topology or options.select):
        raise ConfigError("`topology` and `select` name atoms; particles in reduced units have none")
    if reduced:
        topology = _species(paths[0], first)
    elif options.topology:
        topology = read_topology(options.topology)
    else:
        topology = of_elements(paths[0], first.numbers)
    pbc = (bool(first.pbc[0]), bool(first.pbc[1]), bool(first.pbc[2]))
    frame = partial(_frame, topology=topology, options=options, pbc=pbc, length=length, reduced=reduced)
    names: set[str] = set()

    def frames(path: Path) -> Iterator[Chunk]:
        def one(number: int, atoms: Atoms) -> Chunk:
            where = f"{path}, frame {number}"
            found = frame(where, atoms)
            names.update(found if not names else ())
            if found.keys() != names:
                raise DataError(
                    f"{where}: some frames have {', '.join(sorted(found.keys() ^ names))}, some not"
                )
            return found

        return chunks(one(i, atoms) for i, atoms in enumerate(images(path)))

    left = _left_out(first, frame(f"{paths[0]}, frame 0", first), options, reduced)
    notes = [f"left out of the frames: {', '.join(left)}"] if left else []
    return assemble(paths, frames, topology, options, format=format, pbc=pbc, notes=notes, units=units)


def _left_out(atoms: Atoms, frame: Chunk, options: AtomsOptions, reduced: bool) -> list[str]:
    """Names of what a frame tells and is not read."""
    results = atoms.calc.results if atoms.calc is not None else {}
    known = _READ | {options.energy, options.forces} | (frame.keys() & {keys.TIME, keys.RUN})
    known |= {_TYPE} if reduced else set()
    known |= {_TIME_UNIT} if keys.TIME in frame else set()
    return sorted({*atoms.info, *atoms.arrays, *results} - known)


def _species(path: Path, atoms: Atoms) -> Topology:
    """Particles in reduced units by a frame's columns `type` and `masses`, 1 where there are none."""
    types = atoms.arrays.get(_TYPE)
    if types is None or types.dtype.kind not in "iu" or types.ndim != 1:
        raise DataError(f"{path}: reduced units need a column `type`, species numbers from 0")
    kinds = np.unique(types).tolist()
    if kinds[0] < 0 or kinds[-1] > 25:
        raise DataError(f"{path}: types {kinds}, expected species numbers from 0")
    names = {kind: "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[kind] for kind in kinds}
    masses = np.asarray(atoms.arrays.get("masses", np.ones(len(types))))
    if masses.dtype.kind not in "iuf" or not (np.isfinite(masses) & (masses > 0)).all():
        raise DataError(f"{path}: masses must be positive")
    flat = not atoms.pbc[2] and any(atoms.pbc) and not atoms.positions[:, 2].any()
    parameters = {"dimensions": 2} if flat else {}
    pbc = (bool(atoms.pbc[0]), bool(atoms.pbc[1]), bool(atoms.pbc[2]))
    return Topology(path, None, System(types, masses, names, pbc=pbc, parameters=parameters))


def _frame(
    where: str,
    atoms: Atoms,
    topology: Topology,
    options: AtomsOptions,
    pbc: tuple[bool, bool, bool],
    length: float,
    reduced: bool,
) -> Chunk:
    types, known = topology.system.types, topology.path.name
    if len(atoms) != len(types):
        raise DataError(f"{where} has {len(atoms)} atoms, {known} has {len(types)}")
    if reduced:
        found = atoms.arrays.get(_TYPE)
        if found is None or not np.array_equal(found, types):
            raise DataError(f"{where}: the column `type` is not that of the first frame")
    elif (atoms.numbers != types).any():
        i = int(np.argmax(atoms.numbers != types))
        raise DataError(
            f"{where}: atom {i} is {atoms.symbols[i]}, in {known} it has atomic number {types[i]}: "
            "all frames need the same atoms in the same order"
        )
    if tuple(atoms.pbc) != pbc:
        raise DataError(f"{where} is periodic along {atoms.pbc.tolist()}, the first frame along {list(pbc)}")
    results = atoms.calc.results if atoms.calc is not None else {}
    frame = {keys.POSITIONS: (atoms.positions * length).astype(np.float32)}
    if any(pbc):
        frame[keys.CELLS] = np.asarray(atoms.cell.complete(), np.float64) * length
    energy = results.get(options.energy, atoms.info.get(options.energy))
    if energy is not None:
        frame[keys.ENERGIES] = _numbers(where, options.energy, energy, ())
    forces = results.get(options.forces, atoms.arrays.get(options.forces))
    if forces is not None:
        frame[keys.FORCES] = _numbers(where, options.forces, forces, (len(atoms), 3)).astype(np.float32)
    if atoms.has("momenta"):
        frame[keys.VELOCITIES] = (atoms.get_velocities() * (1.0 if reduced else _PER_PS)).astype(np.float32)
    unit = "tau" if reduced else atoms.info.get(_TIME_UNIT)
    if keys.TIME in atoms.info and unit in _PS:  # without a unit it is left out, with a note
        frame[keys.TIME] = _numbers(where, keys.TIME, atoms.info[keys.TIME], ()) * _PS[unit]
    if keys.RUN in atoms.info and options.runs == "one":
        frame[keys.RUN] = _numbers(where, keys.RUN, atoms.info[keys.RUN], ()).astype(np.int32)
    return frame


def _numbers(where: str, name: str, values: object, shape: tuple[int, ...]) -> np.ndarray:
    array = np.asarray(values)
    if array.dtype.kind not in "iuf" or array.shape != shape:
        raise DataError(f"{where}: {name} is {str(values)[:60]!r}, not numbers of shape {shape}")
    return array.astype(np.float64)
