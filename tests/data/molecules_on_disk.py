"""A peptide, alone or in water, with mdtraj's topology: what the readers of trajectories are tried on."""

from __future__ import annotations

import mdtraj
import numpy as np

from zoo.datasets.alanine_dipeptide.molecule import ATOMS, BONDS, build

BOX = 2.4  # nm


def topology(waters: int = 0) -> mdtraj.Topology:
    """ACE-ALA-NME, and water molecules in a chain of their own."""
    top = mdtraj.Topology()
    chain, residue = top.add_chain(), None
    for name, atom, number in ATOMS:
        if residue is None or residue.name != name:
            residue = top.add_residue(name, chain)
        top.add_atom(atom, mdtraj.element.Element.getByAtomicNumber(number), residue)
    atoms = list(top.atoms)
    for a, b in BONDS:
        top.add_bond(atoms[a], atoms[b])
    chain = top.add_chain() if waters else chain
    for _ in range(waters):
        water = top.add_residue("HOH", chain)
        o = top.add_atom("O", mdtraj.element.oxygen, water)
        for name in ("H1", "H2"):
            top.add_bond(o, top.add_atom(name, mdtraj.element.hydrogen, water))
    return top


def trajectory(frames: int = 6, waters: int = 0, seed: int = 0, boxed: bool = True) -> mdtraj.Trajectory:
    """Frames of the peptide that wanders through the box, not wrapped; nm, 2 ps apart."""
    rng = np.random.default_rng(seed)
    angles = rng.uniform(-170, -60, frames), rng.uniform(100, 170, frames)
    peptide = np.stack([build(phi, psi) for phi, psi in zip(*angles, strict=True)]) / 10
    peptide += np.linspace(0.2, 2.6, frames)[:, None, None] + rng.normal(scale=0.002, size=peptide.shape)
    oxygen = rng.uniform(0, BOX, (frames, waters, 1, 3))
    arms = np.array([[0, 0, 0], [0.0957, 0, 0], [-0.024, 0.0927, 0]])
    xyz = np.concatenate([peptide, (oxygen + arms).reshape(frames, -1, 3)], axis=1)
    box = {"unitcell_lengths": np.full((frames, 3), BOX), "unitcell_angles": np.full((frames, 3), 90.0)}
    return mdtraj.Trajectory(
        xyz.astype(np.float32),
        topology(waters),
        time=2.0 * np.arange(1, frames + 1),
        **(box if boxed else {}),
    )


def wrapped(whole: mdtraj.Trajectory) -> mdtraj.Trajectory:
    """The same with each atom folded into the box by itself, so that molecules are torn."""
    torn = whole[:]
    torn.xyz = np.mod(torn.xyz, torn.unitcell_lengths[:, None])
    return torn
