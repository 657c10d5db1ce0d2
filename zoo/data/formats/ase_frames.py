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
from zoo.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ase import Atoms

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
    length: float = 1.0,
) -> RawData:
    """Join the frames of all files; elements, their order and periodicity must be those of the first.

    Args:
        paths: the files, in order.
        images: yields the frames of a file.
        options: what the user said.
        format: its name.
        length: Å per unit of length of the files.

    Raises:
        ConfigError, DataError: see `assemble`.
    """
    first = next(iter(images(paths[0])), None)
    if first is None:
        raise DataError(f"{paths[0]} holds no frames")
    topology = read_topology(options.topology) if options.topology else of_elements(paths[0], first.numbers)
    pbc = (bool(first.pbc[0]), bool(first.pbc[1]), bool(first.pbc[2]))
    frame = partial(_frame, topology=topology, options=options, pbc=pbc, length=length)

    def frames(path: Path) -> Iterator[Chunk]:
        names: set[str] = set()

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

    return assemble(paths, frames, topology, options, format=format, pbc=pbc)


def _frame(
    where: str,
    atoms: Atoms,
    topology: Topology,
    options: AtomsOptions,
    pbc: tuple[bool, bool, bool],
    length: float,
) -> Chunk:
    types, known = topology.system.types, topology.path.name
    if len(atoms) != len(types):
        raise DataError(f"{where} has {len(atoms)} atoms, {known} has {len(types)}")
    if (atoms.numbers != types).any():
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
        frame[keys.VELOCITIES] = (atoms.get_velocities() * _PER_PS).astype(np.float32)
    return frame


def _numbers(where: str, name: str, values: object, shape: tuple[int, ...]) -> np.ndarray:
    array = np.asarray(values)
    if array.dtype.kind not in "iuf" or array.shape != shape:
        raise DataError(f"{where}: {name} is {str(values)[:60]!r}, not numbers of shape {shape}")
    return array.astype(np.float64)
