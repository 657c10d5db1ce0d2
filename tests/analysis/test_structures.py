"""Sanity of decoded structures against molecules built by hand and facts of chemistry."""

from __future__ import annotations

import numpy as np
import pytest
from ase.build import molecule
from scipy.spatial.transform import Rotation

import zoo
from zoo.analysis.structures import angle_pairs, clashes, graph_errors, rmsd, sanity, stereocenters
from zoo.data.system import System

ATOMS = {1: "H", 6: "C", 9: "F", 17: "Cl", 35: "Br"}


def carbon(*substituents: int) -> tuple[System, np.ndarray]:
    """A carbon amid a tetrahedron, 1.5 Å from four substituents: 20 frames with noise of 0.02 Å."""
    corners = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) / np.sqrt(3) * 1.5
    x = np.concatenate([np.zeros((1, 3)), corners])
    types = [6, *substituents]
    system = System(types=types, masses=np.ones(5), type_names=ATOMS, bonds=[[0, i] for i in range(1, 5)])
    return system, x + np.random.default_rng(0).normal(0, 0.02, (20, 5, 3))


def test_sound_structures_have_no_faults() -> None:
    """A simulation judged by another; in its mirror image the one centre is inverted, and that is all."""
    dataset = zoo.load_dataset("alanine-dipeptide")
    x, reference = dataset.split("val").array("positions"), dataset.split("test").array("positions")
    found = sanity(x, reference, dataset.system)
    assert set(found) == {"bond_errors", "graph_errors", "clashes", "inverted_centers"}
    assert all(len(v) == len(x) and not v.any() for v in found.values())
    mirrored = sanity(-x, reference, dataset.system)
    assert (mirrored["inverted_centers"] == 1).all()
    assert not any(mirrored[k].any() for k in ("bond_errors", "graph_errors", "clashes"))


def test_hands_of_insulin_are_those_of_its_sequence() -> None:
    """Cα of all residues but glycine, and Cβ of threonine and isoleucine, are a protein's centres."""
    dataset = zoo.load_dataset("insulin")
    system = dataset.system
    found = stereocenters(dataset.split("test").array("positions"), system)
    expected = [
        i
        for i, (atom, residue) in enumerate(zip(system.atom_names, system.residue_names, strict=True))
        if (atom == "CA" and residue != "GLY") or (atom == "CB" and residue in ("THR", "ILE"))
    ]
    assert found.atoms.tolist() == expected


def test_only_different_substituents_make_a_hand() -> None:
    """CHFClBr has a hand, CH₂ClBr has none: exchanged hydrogens are the same molecule."""
    system, x = carbon(1, 9, 17, 35)
    swapped = x[:, [0, 2, 1, 3, 4]]
    assert sanity(swapped, x, system)["inverted_centers"].tolist() == [1.0] * len(x)
    system, x = carbon(1, 1, 17, 35)
    assert "inverted_centers" not in sanity(x, x, system)


def test_flat_and_inverting_centers_have_no_hand() -> None:
    """Ammonia-like NHFCl that turns over between frames, and a flat one whose frames all lean one way."""
    bonds = [[0, 1], [0, 2], [0, 3]]
    system = System(types=[6, 1, 9, 17], masses=np.ones(4), type_names=ATOMS, bonds=bonds)
    ring = np.array([[1, 0, 0], [-0.5, 0.87, 0], [-0.5, -0.87, 0]])
    pyramid = np.stack([np.concatenate([[[0, 0, h]], ring]) for h in (0.5, 0.4, -0.5)])
    assert len(stereocenters(pyramid[:2], system).atoms) == 1
    assert len(stereocenters(pyramid, system).atoms) == 0
    flat = np.stack([np.concatenate([[[0, 0, h]], ring]) for h in (0.02, 0.04)])
    assert len(stereocenters(flat, system).atoms) == 0


def test_missing_and_extra_bonds_are_counted() -> None:
    """Ethane by ASE: a hydrogen that is pulled off misses a bond; put beside another one it has two extra."""
    atoms = molecule("C2H6")
    carbons = np.flatnonzero(atoms.numbers == 6)
    hydrogens = np.flatnonzero(atoms.numbers == 1)
    on = carbons[atoms.get_all_distances()[np.ix_(hydrogens, carbons)].argmin(1)]
    bonds = [carbons, *zip(on, hydrogens, strict=True)]
    system = System(types=atoms.numbers, masses=atoms.get_masses(), type_names=ATOMS, bonds=np.array(bonds))
    x = np.repeat(atoms.positions[None], 3, 0)
    moved, beside = hydrogens[on == carbons[0]][0], hydrogens[on == carbons[1]][0]
    outward = x[2, beside] - x[2, carbons[1]]
    x[1, moved] += 20
    x[2, moved] = x[2, beside] + 0.2 * outward
    assert graph_errors(x, system) == pytest.approx(np.array([0, 1, 3]) / 7)
    assert sanity(x, atoms.positions[None], system)["bond_errors"] == pytest.approx(np.array([0, 1, 1]) / 7)


def test_clashes_of_atoms_and_beads() -> None:
    """Carbons without a bond clash below 2.04 Å; beads by the length of bonds; 1–3 pairs do not count."""
    pair = System(types=[6, 6], masses=np.ones(2), type_names=ATOMS)
    x = np.array([[[0, 0, 0], [2.0, 0, 0]], [[0, 0, 0], [2.1, 0, 0]]], float)
    assert clashes(x, x, pair).tolist() == [1, 0]
    chain = System(types=[0] * 4, masses=np.ones(4), type_names={0: "bead"}, bonds=[[0, 1], [1, 2], [2, 3]])
    straight = np.zeros((1, 4, 3))
    straight[0, :, 0] = np.arange(4)
    hairpin = np.array([[[0, 0, 0], [1, 0, 0], [1, 0.7, 0], [0, 0.7, 0]]], float)
    folded = np.array([[[0, 0, 0], [1, 0, 0], [0.1, 0, 0], [0.1, 1, 0]]], float)  # 0 and 2 are 1–3
    assert clashes(straight, straight, chain).tolist() == [0]
    assert clashes(hairpin, straight, chain).tolist() == [1]
    assert clashes(folded, straight, chain).tolist() == [0]
    assert angle_pairs(chain.bonds).tolist() == [[0, 2], [1, 3]]


def test_rmsd_is_that_of_rotation_not_of_reflection() -> None:
    """Zero for a moved and turned copy; of a mirror image what SciPy's alignment leaves."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(4, 9, 3))
    moved = np.stack([r.apply(y) for r, y in zip(Rotation.random(4, rng=1), x, strict=True)]) + 5
    assert rmsd(moved, x) == pytest.approx(np.zeros(4), abs=1e-7)
    centred = x - x.mean(1, keepdims=True)
    left = [Rotation.align_vectors(y, -y)[1] / np.sqrt(9) for y in centred]
    assert rmsd(-x, x) == pytest.approx(np.array(left), rel=1e-6)
    assert (rmsd(-x, x) > 0.3).all()
