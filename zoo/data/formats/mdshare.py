"""mdshare's arrays of alanine dipeptide: three runs of 250 ns, as flattened positions of its 10 heavy atoms.

https://markovmodel.github.io/mdshare/ALA2/: `arr_0`, `arr_1`, `arr_2` `[250000, 30]` float32, nm, one frame
each ps; 300 K, ff99SB-ILDN, TIP3P in a periodic box of 2.3222 nm. F. Nüske et al., J. Chem. Phys. 146, 094104
(2017). Its files of dihedrals `[…, 2]` and distances `[…, 45]` hold no positions and are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from pydantic import Field

from zoo import keys
from zoo.data.entry import RawData
from zoo.data.formats.extraction import Chunk
from zoo.data.formats.files import Content, finite, load_npz
from zoo.data.formats.molecular import KnownUnits, assemble
from zoo.data.formats.topology import Topology, from_mdtraj
from zoo.errors import ConfigError, DataError
from zoo.units import ANGSTROM_PER_NM

#: Heavy atoms in the order of `alanine-dipeptide-nowater.pdb`.
ATOMS = (
    ("ACE", "CH3"), ("ACE", "C"), ("ACE", "O"), ("ALA", "N"), ("ALA", "CA"), ("ALA", "CB"),
    ("ALA", "C"), ("ALA", "O"), ("NME", "N"), ("NME", "CH3"),
)  # fmt: skip
#: Bonds with the force field's lengths in Å: by these the layout is recognised.
BONDS = {
    (0, 1): 1.522, (1, 2): 1.229, (1, 3): 1.335, (3, 4): 1.449, (4, 5): 1.526, (4, 6): 1.522,
    (6, 7): 1.229, (6, 8): 1.335, (8, 9): 1.449,
}  # fmt: skip
BOX = 23.222  # Å
_OTHERS = {2: "backbone dihedrals", 45: "distances of heavy atoms"}


class Options(KnownUnits):
    """Options of the reader of mdshare's arrays."""

    temperature: float | None = Field(300.0, gt=0, description="K")


def matches(content: Content) -> bool:
    """An npz of arrays without names."""
    return bool(content.members) and all(re.fullmatch(r"arr_\d+", name) for name in content.members)


def read(paths: list[Path], options: Options) -> RawData:
    """Read mdshare's npz files; each array is an independent run. See `zoo.data.formats.read`."""
    if options.topology is not None:
        raise ConfigError("mdshare's arrays are of known atoms: leave out `topology`")
    return assemble(paths, _frames, _topology(paths[0]), options, format="mdshare")


def _frames(path: Path) -> Iterator[Chunk]:
    arrays = load_npz(path)
    for run, name in enumerate(sorted(arrays, key=lambda name: int(name[4:]))):
        array = arrays.pop(name)
        width = array.shape[1] if array.ndim == 2 else None
        if width in _OTHERS:
            raise DataError(
                f"{path} holds {_OTHERS[width]}, no positions: import "
                "alanine-dipeptide-3x250ns-heavy-atom-positions.npz, or the xtc files"
            )
        if width != 3 * len(ATOMS):
            raise DataError(
                f"{path}: {name} is of shape {array.shape}, mdshare's layout is [frames, {3 * len(ATOMS)}]"
            )
        positions = finite(path, name, array).reshape(-1, len(ATOMS), 3) * ANGSTROM_PER_NM
        _check_layout(path, name, positions)
        frames = len(positions)
        yield {
            keys.POSITIONS: positions.astype(np.float32),
            keys.CELLS: np.tile(BOX * np.eye(3), (frames, 1, 1)),
            keys.TIME: np.arange(frames, dtype=np.float64),
            keys.RUN: np.full(frames, run, np.int32),
        }


def _check_layout(path: Path, name: str, positions: np.ndarray) -> None:
    pairs = np.array(list(BONDS))
    bonds = positions[:, pairs[:, 1]] - positions[:, pairs[:, 0]]
    lengths = np.linalg.norm(bonds - BOX * np.round(bonds / BOX), axis=-1)
    off = np.abs(lengths.mean(0) - list(BONDS.values())).max() if len(lengths) else 0.0
    # at 300 K a bond's mean is within 0.01 Å of its rest length, a single one within 0.2 Å
    if off > 0.05 or np.abs(lengths - list(BONDS.values())).max(initial=0.0) > 0.4:
        raise DataError(
            f"{path}: the bonds of {name} are up to {off:.2g} Å off the molecule's: "
            "its columns are not mdshare's (x, y, z of each heavy atom in turn, nm)"
        )


def _topology(path: Path) -> Topology:
    import mdtraj

    topology = mdtraj.Topology()
    chain, residue = topology.add_chain(), None
    for name, atom in ATOMS:
        if residue is None or residue.name != name:
            residue = topology.add_residue(name, chain)
        topology.add_atom(atom, mdtraj.element.Element.getBySymbol(atom[0]), residue)
    atoms = list(topology.atoms)
    for a, b in BONDS:
        topology.add_bond(atoms[a], atoms[b])
    return from_mdtraj(path, topology)
