"""Topology files: atoms, residues, chains and bonds by name, and mdtraj's selection language on them."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from zoo.data.system import System
from zoo.errors import ConfigError, DataError, ZooError

if TYPE_CHECKING:
    import mdtraj

#: Endings that mdtraj reads a topology from; HDF5 is read by `hdf5.py`.
ENDINGS = (".pdb", ".ent", ".cif", ".gro", ".prmtop", ".parm7", ".psf", ".mol2", ".h5", ".hdf5")


@dataclass(frozen=True)
class Topology:
    """Who the particles of a file are.

    Args:
        path: the file that told it.
        md: mdtraj's own, for selections; None where the file gave no residues.
        system: types, names, masses and bonds; `pbc` is not told by a topology.
    """

    path: Path
    md: mdtraj.Topology | None
    system: System

    def __len__(self) -> int:
        return self.system.num_particles

    def select(self, expression: str) -> np.ndarray:
        """Return the indices of atoms that mdtraj's selection language picks, ascending.

        Raises:
            ConfigError: the expression is not of that language, or picks nothing.
        """
        if self.md is None:
            raise ConfigError(
                f"select={expression!r} needs names of atoms and residues: "
                "say `--set topology=FILE` (pdb, gro, prmtop, …)"
            )
        try:
            picked = np.asarray(self.md.select(expression), np.int64)
        except Exception as error:  # its parser raises many kinds
            raise ConfigError(
                f"cannot read select={expression!r} (mdtraj's language, such as `protein`, "
                f"`resname ALA and not element H`, `chainid 0`): {str(error).splitlines()[0]}"
            ) from error
        if not picked.size:
            residues = sorted({residue.name for residue in self.md.residues})
            raise ConfigError(
                f"select={expression!r} picks no atom of {self.path.name}, whose residues are "
                + ", ".join(residues[:12])
            )
        return picked


def read_topology(path: Path) -> Topology:
    """Read a topology file by its ending.

    Raises:
        DataError: no such file or ending, or it is damaged.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"topology={path}: there is no such file")
    ending = Path(path.stem if path.suffix == ".gz" else path.name).suffix.lower()
    if ending not in ENDINGS:
        raise DataError(f"topology={path}: known are files that end on {', '.join(ENDINGS)}")
    if ending in (".h5", ".hdf5"):
        from zoo.data.formats.hdf5 import topology_of

        return topology_of(path)
    return from_mdtraj(path, load(path, ending))


def load(path: Path, ending: str) -> mdtraj.Topology:
    """Read a topology by mdtraj. Raises `DataError` whatever mdtraj makes of a damaged file."""
    import mdtraj

    readers = {
        ".prmtop": mdtraj.load_prmtop,
        ".parm7": mdtraj.load_prmtop,
        ".psf": mdtraj.load_psf,
        ".gro": lambda name: with_disulfides(mdtraj.load_gro(name, frame=0)),
        ".mol2": lambda name: mdtraj.load_mol2(name).topology,
        ".cif": lambda name: with_disulfides(mdtraj.load_pdbx(name, frame=0)),
    }
    read = readers.get(ending, lambda name: with_disulfides(mdtraj.load_pdb(name, frame=0)))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return read(str(path))
    except ZooError:
        raise
    except Exception as error:
        raise DataError(f"{path} cannot be read as a {ending[1:]} file: {_first_line(error)}") from error


def with_disulfides(trajectory: mdtraj.Trajectory) -> mdtraj.Topology:
    """Return a topology with the bonds between sulfurs of cysteines within 3 Å in the first frame.

    mdtraj 1.11 looks for these itself, but takes the file's Å for nm and finds none.
    """
    trajectory.topology.create_disulfide_bonds(trajectory.xyz[0])
    return trajectory.topology


def from_mdtraj(path: Path, topology: mdtraj.Topology) -> Topology:
    """Turn mdtraj's topology into a `System`. Atoms without an element get type 0, refused if kept."""
    atoms = list(topology.atoms)
    if not atoms:
        raise DataError(f"{path} holds no atoms")
    numbers = [0 if atom.element is None else atom.element.atomic_number for atom in atoms]
    symbols = {n: "X" if n == 0 else atom.element.symbol for n, atom in zip(numbers, atoms, strict=True)}
    bonds = {(min(a.index, b.index), max(a.index, b.index)) for a, b in topology.bonds}
    system = System(
        types=np.array(numbers),
        masses=np.array([0.0 if atom.element is None else atom.element.mass for atom in atoms]),
        type_names=symbols,
        bonds=np.array(sorted(bonds), np.int64).reshape(-1, 2),
        atom_names=tuple(atom.name for atom in atoms),
        residue_names=tuple(atom.residue.name for atom in atoms),
        residues=np.array([atom.residue.index for atom in atoms]),
        chains=np.array([atom.residue.chain.index for atom in atoms]),
    )
    return Topology(path, topology, system)


def of_elements(path: Path, numbers: np.ndarray) -> Topology:
    """A topology of atomic numbers alone. Raises `DataError` where they are none."""
    from ase.data import atomic_masses, chemical_symbols

    kinds = np.unique(numbers).tolist()
    if not kinds or kinds[0] < 1 or kinds[-1] >= len(chemical_symbols):
        raise DataError(f"{path}: {kinds} are no atomic numbers")
    names = {kind: chemical_symbols[kind] for kind in kinds}
    return Topology(path, None, System(types=numbers, masses=atomic_masses[numbers], type_names=names))


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
