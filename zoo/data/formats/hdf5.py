"""MDTraj's HDF5 trajectories, read by h5py: mdtraj itself goes through PyTables, which unpickles attributes.

Convention: https://mdtraj.org/latest/hdf5_format.html. Arrays `coordinates` and `cell_lengths` (nm),
`cell_angles` (degrees), `time` (ps), `velocities` (nm/ps), `potentialEnergy` (kJ/mol), and `topology`,
a text of JSON. Each array may tell its units in an attribute: others than these are refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo import keys
from zoo.data.entry import RawData
from zoo.data.formats.extraction import Chunk
from zoo.data.formats.files import Content
from zoo.data.formats.molecular import CHUNK_BYTES, KnownUnits, assemble
from zoo.data.formats.names import order_by_name
from zoo.data.formats.topology import Topology, from_mdtraj, read_topology
from zoo.errors import DataError, ZooError
from zoo.units import ANGSTROM_PER_NM, EV_PER_KJ_MOL

if TYPE_CHECKING:
    import h5py

Options = KnownUnits
#: Array: its name here, axes with the frames, units that it may tell, factor to ours.
_ARRAYS: dict[str, tuple[str, int, tuple[str, ...], float]] = {
    "coordinates": (keys.POSITIONS, 3, ("nanometers", "nm"), ANGSTROM_PER_NM),
    "velocities": (keys.VELOCITIES, 3, ("nanometers/picosecond", "nm/ps"), ANGSTROM_PER_NM),
    "time": (keys.TIME, 1, ("picoseconds", "ps"), 1.0),
    "potentialEnergy": (keys.ENERGIES, 1, ("kilojoules_per_mole", "kJ/mol"), EV_PER_KJ_MOL),
    "cell_lengths": ("lengths", 2, ("nanometers", "nm"), ANGSTROM_PER_NM),
    "cell_angles": ("angles", 2, ("degrees",), 1.0),
}
#: Arrays of the convention that are left out.
_NOT_READ = {"topology", "kineticEnergy", "temperature", "alchemicalLambda"}


def matches(content: Content) -> bool:
    """The signature of HDF5."""
    return content.head[:8] == b"\x89HDF\r\n\x1a\n"


def read(paths: list[Path], options: KnownUnits) -> RawData:
    """Read MDTraj's HDF5 files one after the other; see `zoo.data.formats.read`."""
    topology = read_topology(options.topology) if options.topology else topology_of(paths[0])
    return assemble(paths, lambda path: _frames(path, topology), topology, options, format="hdf5")


def topology_of(path: Path) -> Topology:
    """Return the topology that a file holds. Raises `DataError` if there is none."""
    import mdtraj

    with _open(path) as file:
        if "topology" not in file:
            raise DataError(f"{path} holds no topology: say `--set topology=FILE`")
        record = json.loads(bytes(np.asarray(file["topology"]).ravel()[0]))
        topology, atoms = mdtraj.Topology(), {}
        for chain in record["chains"]:
            into_chain = topology.add_chain()
            for residue in chain["residues"]:
                into = topology.add_residue(str(residue["name"]), into_chain, resSeq=residue.get("resSeq"))
                for atom in residue["atoms"]:
                    symbol = str(atom["element"])
                    element = mdtraj.element.Element.getBySymbol(symbol) if symbol else None
                    atoms[int(atom["index"])] = topology.add_atom(str(atom["name"]), element, into)
        if list(atoms) != list(range(len(atoms))):
            raise DataError(f"{path}: its topology does not number the atoms 0 to {len(atoms) - 1} in order")
        for one, other in record["bonds"]:
            topology.add_bond(atoms[one], atoms[other])
        return from_mdtraj(path, topology)


def _frames(path: Path, topology: Topology) -> Iterator[Chunk]:
    with _open(path) as file:
        if "coordinates" not in file:
            raise DataError(f"{path} holds no coordinates: it is not of MDTraj's convention")
        order = None
        if "topology" in file and topology.path != path:
            order = order_by_name(topology_of(path).system, topology.system, path.name, topology.path.name)
        unknown = sorted(set(file) - set(_ARRAYS) - _NOT_READ)
        if unknown:
            raise DataError(f"{path} holds {unknown[0][:40]!r}, which MDTraj's convention does not know")
        found = {name: file[name] for name in _ARRAYS if name in file}
        frames = found["coordinates"].shape[0]
        for name, array in found.items():
            _, axes, units, _ = _ARRAYS[name]
            told = array.attrs.get("units")
            told = told.decode() if isinstance(told, bytes) else told
            if told is not None and str(told) not in units:
                raise DataError(f"{path}: {name} is in {told}, expected {units[0]}")
            shape = array.shape
            if len(shape) != axes or shape[0] != frames or (axes > 1 and shape[-1] != 3):
                raise DataError(f"{path}: {name} of shape {shape} for {frames} frames")
            if array.dtype.kind != "f" or array.nbytes > 1000 * path.stat().st_size + CHUNK_BYTES:
                raise DataError(f"{path}: {name} of {shape} {array.dtype} cannot be in so small a file")
        size = max(1, CHUNK_BYTES // max(1, 12 * found["coordinates"].shape[1]))
        for start in range(0, frames, size):
            yield _chunk(found, slice(start, start + size), order)


def _chunk(found: dict[str, Any], part: slice, order: np.ndarray | None) -> Chunk:
    from mdtraj.utils.unitcell import lengths_and_angles_to_box_vectors

    chunk: Chunk = {}
    for name, array in found.items():
        key, axes, _, factor = _ARRAYS[name]
        values = array[part]
        values = values[:, order] if axes == 3 and order is not None else values
        kind = np.float32 if axes == 3 else np.float64
        chunk[key] = values.astype(kind) * kind(factor)
    lengths, angles = chunk.pop("lengths", None), chunk.pop("angles", None)
    if lengths is not None and angles is not None and lengths.any():
        chunk[keys.CELLS] = np.stack(lengths_and_angles_to_box_vectors(*lengths.T, *angles.T), axis=1)
    return chunk


@contextmanager
def _open(path: Path) -> Iterator[h5py.File]:
    """Open a file; whatever h5py makes of a damaged one is one clear error."""
    import h5py

    try:
        with h5py.File(path, "r") as file:
            yield file
    except ZooError:
        raise
    except Exception as error:
        text = (str(error).strip().splitlines() or [repr(error)])[0][:200]
        raise DataError(f"{path} is damaged, or not of MDTraj's convention: {text}") from error
