"""PDB files: models are frames; Å; the box from CRYST1, unless it is a dummy."""

from __future__ import annotations

import gzip
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from zoo import keys
from zoo.data.entry import RawData
from zoo.data.formats.extraction import Chunk
from zoo.data.formats.files import Content
from zoo.data.formats.molecular import KnownUnits, assemble
from zoo.data.formats.names import order_by_name
from zoo.data.formats.topology import Topology, from_mdtraj, read_topology, with_disulfides
from zoo.errors import DataError
from zoo.units import ANGSTROM_PER_NM

if TYPE_CHECKING:
    import mdtraj

Options = KnownUnits
_RECORDS = (
    "ATOM  ",
    "HETATM",
    "CRYST1",
    "HEADER",
    "MODEL ",
    "REMARK",
    "TITLE ",
    "COMPND",
    "EXPDTA",
    "SEQRES",
)


def matches(content: Content) -> bool:
    """A text with records of the PDB in its lines, atoms among them."""
    lines = content.lines
    return bool(lines) and lines[0][:6].ljust(6) in _RECORDS and any(x[:6] in _RECORDS[:2] for x in lines)


def read(paths: list[Path], options: KnownUnits) -> RawData:
    """Read PDB files one after the other; see `zoo.data.formats.read`.

    The names are the first file's, or the topology's that the options name; the other files' atoms
    are put into its order by name. Raises `DataError` where names differ.
    """
    topology = read_topology(options.topology) if options.topology else None
    if topology is None:
        topology = from_mdtraj(paths[0], with_disulfides(_load(paths[0], only_first=True)))
    return assemble(paths, lambda path: _frames(path, topology), topology, options, format="pdb")


def _frames(path: Path, topology: Topology) -> Iterator[Chunk]:
    _check_end(path)
    found = _load(path)
    system = from_mdtraj(path, found.topology).system
    order = order_by_name(system, topology.system, path.name, topology.path.name)
    chunk = {keys.POSITIONS: found.xyz[:, order] * np.float32(ANGSTROM_PER_NM)}
    if found.unitcell_vectors is not None:
        chunk[keys.CELLS] = found.unitcell_vectors.astype(np.float64) * ANGSTROM_PER_NM
    yield chunk


def _check_end(path: Path) -> None:
    """Raise `DataError` if a file may have been cut: nothing but a last record tells that it was not."""
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        last = b""
        for line in file:
            last = line if line.strip() else last
    if last[:6].strip() not in (b"END", b"ENDMDL", b"TER", b"MASTER", b"CONECT"):
        raise DataError(f"{path} ends without END: it may be cut. If it is whole, add a line END")


def _load(path: Path, only_first: bool = False) -> mdtraj.Trajectory:
    import mdtraj

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of boxes that are dummies, which it leaves out
            return mdtraj.load_pdb(str(path), frame=0 if only_first else None)
    except Exception as error:  # whatever its parser makes of a damaged file
        text = (str(error).strip().splitlines() or [repr(error)])[0][:200]
        raise DataError(f"{path} cannot be read as a pdb file: {text}") from error
