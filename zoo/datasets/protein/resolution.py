"""Which particles are stored, and what force each of them feels.

A stored particle sits on an atom: its heavy atom, its backbone atom or its Cα. Its force is the sum
of the forces on a group of atoms around it, each atom in one group. Why a sum: with x_I the position
of the atom that particle I sits on, the mean force on I is −∂W/∂x_I = ⟨Σ_i B_Ii f_i⟩ for any
constant B that moves particle I and no other (B_Ii = 1 at its own atom, 0 at the atoms of the other
particles) and changes no rigid bond (B_Ii = B_Ij where i and j are constrained): Ciccotti, Kapral,
Vanden-Eijnden, ChemPhysChem 6, 1809 (2005). Groups that keep every hydrogen with its heavy atom
are such B; a particle's own atom alone is not, and its forces would be biased by the rigid bonds.
Of the valid choices, Krämer et al., J. Phys. Chem. Lett. 14, 3970 (2023), wide groups have the
less noise where stiff bonds inside cancel, and a partition keeps the net force zero.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from zoo.data.system import System
from zoo.datasets.protein.residues import AMINO_ACIDS

Resolution = Literal["all", "heavy", "backbone", "ca"]
#: Atoms that a coarse resolution stores, in the order in which they claim their neighbours.
STORED = {"backbone": ("CA", "N", "C", "O"), "ca": ("CA",)}

MEANING = {
    "all": "−∂U/∂x of each atom; rigid bonds exert further forces, which are not in it",
    "heavy": "sum over each heavy atom and its hydrogens",
    "backbone": "sum over each backbone atom and the atoms of its residue that are nearest to it by bonds",
    "ca": "sum over each residue",
}


@dataclass(frozen=True)
class Mapping:
    """From all atoms to stored particles.

    Args:
        keep: `[particles]` the atom that each particle sits on, ascending.
        group: `[atoms]` the particle that takes up each atom's force.
    """

    keep: np.ndarray
    group: np.ndarray


def mapping(topology: Any, resolution: Resolution) -> Mapping:
    """Return the particles of a resolution, and the group of atoms of each.

    Every atom joins the stored atom of its residue that is fewest bonds away; of two as near, the
    first in `STORED`. A hydrogen goes with its heavy atom.
    """
    atoms = list(topology.atoms())
    if resolution == "all":
        return Mapping(np.arange(len(atoms)), np.arange(len(atoms)))
    stored = [a for a in atoms if _is_stored(a, resolution)]
    order = STORED.get(resolution)
    first = sorted(stored, key=lambda a: order.index(a.name)) if order else stored
    neighbors: dict[int, list[int]] = {a.index: [] for a in atoms}
    for a, b in topology.bonds():
        if a.residue is b.residue:
            neighbors[a.index].append(b.index)
            neighbors[b.index].append(a.index)
    particle = {a.index: i for i, a in enumerate(stored)}
    group = np.full(len(atoms), -1)
    waiting = deque(a.index for a in first)
    for index in waiting:
        group[index] = particle[index]
    while waiting:  # breadth first: nearest by bonds, ties to the first in line
        here = waiting.popleft()
        for there in neighbors[here]:
            if group[there] < 0:
                group[there] = group[here]
                waiting.append(there)
    assert (group >= 0).all(), "an atom is not bonded to its residue"
    return Mapping(np.array([a.index for a in stored]), group)


def _is_stored(atom: Any, resolution: str) -> bool:
    if resolution == "heavy":
        return atom.element.symbol != "H"
    return atom.name in STORED[resolution]


def stored_system(
    topology: Any, masses: np.ndarray, resolution: Resolution, parameters: dict[str, Any]
) -> System:
    """Return the dataset's `System` at a resolution.

    Two particles are bonded where atoms of their groups are. A particle's mass is its group's. At
    Cα resolution the type is the amino acid, numbered as in `residues.AMINO_ACIDS`.

    Args:
        topology: of all atoms.
        masses: `[atoms]`, amu, as simulated.
        resolution: what is stored.
        parameters: of the `System`.
    """
    atoms = list(topology.atoms())
    chosen = mapping(topology, resolution)
    kept = [atoms[i] for i in chosen.keep]
    pairs = {tuple(sorted(chosen.group[[a.index, b.index]].tolist())) for a, b in topology.bonds()}
    names = [a.residue.name for a in kept]
    if resolution == "ca":
        types = [AMINO_ACIDS.index(name) for name in names]
        type_names = {t: AMINO_ACIDS[t] for t in types}
    else:
        types = [a.element.atomic_number for a in kept]
        type_names = {a.element.atomic_number: a.element.symbol for a in kept}
    return System(
        types=np.array(types),
        masses=np.bincount(chosen.group, weights=masses),
        type_names=dict(sorted(type_names.items())),
        bonds=np.array(sorted(pair for pair in pairs if pair[0] != pair[1])),
        atom_names=tuple(a.name for a in kept),
        residue_names=tuple(names),
        residues=np.array([a.residue.index for a in kept]),
        chains=np.array([a.residue.chain.index for a in kept]),
        parameters=parameters,
    )
