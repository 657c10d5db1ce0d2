"""Secondary structure of proteins: which residues are helix, strand or neither, frame by frame.

W. Kabsch, C. Sander, Biopolymers 22, 2577 (1983), as mdtraj has it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from zoo.errors import DataError

if TYPE_CHECKING:
    import mdtraj

    from zoo.data.system import System

#: Helix (α, 3₁₀ and π), strand (also a bridge), and all else.
KINDS = ("H", "E", "C")
#: Atoms that hydrogen bonds of the backbone are found from.
BACKBONE = ("N", "CA", "C", "O")
#: Fewer residues make no hydrogen bond of a helix.
FEWEST = 5


def has_backbone(system: System) -> bool:
    """Whether a system has residues with all atoms of a protein's backbone, five or more of them."""
    return bool(len(_residues(system)) >= FEWEST)


def residue_names(system: System) -> list[str]:
    """Return the names of residues that have a whole backbone: `GLY 1`, numbered through all chains."""
    return [name for _, name in _residues(system)]


def secondary_structure(positions: np.ndarray, system: System) -> np.ndarray:
    """Return the kind of each residue as its number in `KINDS`, `[frames, residues]` int8.

    Args:
        positions: `[frames, atoms, 3]` Å, with or without hydrogens.
        system: atoms with names, residues and chains.

    Raises:
        DataError: there are no residues with a whole backbone.
    """
    import mdtraj

    kept = _residues(system)
    if not kept:
        raise DataError("there is no residue with all of N, CA, C and O: no secondary structure")
    trajectory = mdtraj.Trajectory(np.asarray(positions, np.float32) / 10, topology(system))
    letters = mdtraj.compute_dssp(trajectory, simplified=True)
    out = np.full(letters.shape, KINDS.index("C"), np.int8)
    for number, kind in enumerate(KINDS):
        out[letters == kind] = number
    place = {r: i for i, r in enumerate(dict.fromkeys(system.residues.tolist()))}
    return out[:, [place[r] for r, _ in kept]]


def topology(system: System) -> mdtraj.Topology:
    """Return atoms, residues and chains as mdtraj has them."""
    import mdtraj

    out = mdtraj.Topology()
    chains: dict[int, object] = {}
    residues: dict[int, object] = {}
    numbers = system.chains if len(system.chains) else np.zeros(system.num_particles, np.int64)
    for i, (residue, chain) in enumerate(zip(system.residues.tolist(), numbers.tolist(), strict=True)):
        if chain not in chains:
            chains[chain] = out.add_chain()
        if residue not in residues:
            residues[residue] = out.add_residue(system.residue_names[i], chains[chain])
        element = mdtraj.element.Element.getByAtomicNumber(int(system.elements[i]))
        out.add_atom(system.atom_names[i], element, residues[residue])
    return out


def _residues(system: System) -> list[tuple[int, str]]:
    """Number and name of each residue with a whole backbone; none where atoms lack names or elements."""
    named = len(system.atom_names) and len(system.residue_names) and len(system.residues)
    if not named or not system.elements.all():
        return []
    atoms: dict[int, set[str]] = {}
    names: dict[int, str] = {}
    for r, atom, residue in zip(
        system.residues.tolist(), system.atom_names, system.residue_names, strict=True
    ):
        atoms.setdefault(r, set()).add(atom)
        names[r] = residue
    return [(r, f"{names[r]} {i + 1}") for i, r in enumerate(atoms) if atoms[r].issuperset(BACKBONE)]
