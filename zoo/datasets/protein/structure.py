"""From a structure file to an all-atom model: side chains completed, hydrogens and disulfides placed."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zoo.datasets.protein.chains import Chains, select_chains
from zoo.datasets.protein.forcefield import force_field, require_simulation
from zoo.datasets.protein.records import read_records
from zoo.errors import DataError


@dataclass(frozen=True)
class Structure:
    """An all-atom model.

    Args:
        topology: OpenMM's Topology.
        positions: `[atoms, 3]`, Å.
        notes: what was added, chosen and left out on the way from the file.
    """

    topology: Any
    positions: np.ndarray
    notes: list[str]


def prepare(
    path: Path,
    *,
    ph: float = 7.0,
    model: int | None = None,
    chains: Sequence[str] | None = None,
    others: str = "drop",
) -> Structure:
    """Read a structure file and build the all-atom model; the same file gives the same model.

    Args:
        path: PDB or mmCIF file.
        ph: for the protonation of side chains, by the pKa of free amino acids (OpenMM's Modeller).
        model, chains, others: see `select_chains`.

    Raises:
        EntryError: OpenMM or PDBFixer is not installed.
        DataError: the file is damaged, or holds what the force field does not know.
    """
    require_simulation()
    selected = select_chains(read_records(path), path, model=model, chains=chains, others=others)
    topology, positions, added = _complete(selected, path)
    structure = _protonate(topology, positions, selected, ph, path)
    return Structure(structure.topology, structure.positions, [*selected.notes, *added])


def disulfides(topology: Any) -> list[tuple[Any, Any]]:
    """Return the pairs of bonded sulfur atoms."""
    return [(a, b) for a, b in topology.bonds() if a.name == b.name == "SG"]


def read_all_atom(path: Path) -> Structure:
    """Read a PDB file that this project wrote, hydrogens and all; see `write_all_atom`."""
    from openmm import app, unit

    pdb = app.PDBFile(str(path))
    positions = pdb.getPositions(asNumpy=True).value_in_unit(unit.angstrom)
    return Structure(pdb.topology, np.array(positions), [])


def write_all_atom(path: Path, structure: Structure, remarks: Sequence[str] = ()) -> None:
    """Write a model with its hydrogens as a PDB file."""
    from openmm import app

    text = io.StringIO()
    app.PDBFile.writeFile(structure.topology, structure.positions, text, keepIds=True)
    # OpenMM's own first line has the day in it: the same model would not give the same file
    lines = [line for line in text.getvalue().splitlines() if not line.startswith("REMARK")]
    Path(path).write_text("\n".join([*(f"REMARK   1 {r}" for r in remarks), *lines]) + "\n")


def _complete(selected: Chains, path: Path) -> tuple[Any, Any, list[str]]:
    """Add missing atoms of side chains and ends with PDBFixer."""
    from pdbfixer import PDBFixer

    fixer = PDBFixer(pdbfile=io.StringIO(_pdb_text(selected)), platform=reference_platform())
    fixer.missingResidues = {}
    fixer.findMissingAtoms()
    notes = [
        f"added to {r.name} {r.chain.id} {r.id}: {', '.join(a.name for a in atoms)}"
        for r, atoms in fixer.missingAtoms.items()
    ]
    notes += [
        f"added to the end {r.name} {r.chain.id} {r.id}: {', '.join(atoms)}"
        for r, atoms in fixer.missingTerminals.items()
    ]
    with seeded():
        try:
            fixer.addMissingAtoms(seed=1)
        except Exception as error:
            raise DataError(f"{path}: missing atoms could not be added: {error}") from error
    return fixer.topology, fixer.positions, notes


def _protonate(topology: Any, positions: Any, selected: Chains, ph: float, path: Path) -> Structure:
    from openmm import app, unit

    modeller = app.Modeller(topology, positions)
    variants = [residue.variant for chain in selected.chains for residue in chain]
    with seeded():
        try:
            modeller.addHydrogens(force_field(), pH=ph, variants=variants, platform=reference_platform())
        except ValueError as error:
            reason = str(error).splitlines()[0].split(".")[0]
            raise DataError(f"{path}: the force field does not know what it finds: {reason}") from error
    placed = modeller.positions.value_in_unit(unit.angstrom)
    return Structure(modeller.topology, np.array(placed, np.float64), [])


def _pdb_text(selected: Chains) -> str:
    """The chosen atoms as a PDB file in memory, centred, one TER after each chain."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    atoms = [a.position for chain in selected.chains for residue in chain for a in residue.atoms.values()]
    centre = np.round(np.mean(atoms, 0), 3)
    lines, number = [], 0
    for index, chain in enumerate(selected.chains):
        letter = chain[0].chain if len(chain[0].chain) == 1 else letters[index % len(letters)]
        for residue in chain:
            for name, atom in residue.atoms.items():
                number += 1
                padded = name if len(name) == 4 or len(atom.element) == 2 else f" {name}"
                x, y, z = np.subtract(atom.position, centre)
                lines.append(
                    f"ATOM  {number % 100000:5d} {padded:<4s} {residue.name:3s} {letter}"
                    f"{residue.number % 10000:4d}{residue.insertion or ' ':1s}   {x:8.3f}{y:8.3f}{z:8.3f}"
                    f"  1.00  0.00          {atom.element:>2s}"
                )
        lines.append("TER")
    return "\n".join([*lines, "END", ""])


def reference_platform() -> Any:
    """The platform whose results are the same each time."""
    import openmm

    return openmm.Platform.getPlatformByName("Reference")


@contextmanager
def seeded() -> Iterator[None]:
    """OpenMM's Modeller draws first places of atoms from Python's own random numbers."""
    state = random.getstate()
    random.seed(1)
    try:
        yield
    finally:
        random.setstate(state)
