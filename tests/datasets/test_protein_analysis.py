"""Functions of zoo.analysis.proteins against mdtraj, which shares no code with them."""

from __future__ import annotations

from importlib.resources import files

import numpy as np
import pytest

from zoo.analysis.proteins import (
    Backbone,
    chirality,
    contacts,
    helical,
    radius_of_gyration,
    superposed_rmsd,
)
from zoo.physics.torsions import torsions

md = pytest.importorskip("mdtraj")


@pytest.fixture(scope="module")
def insulin():
    """The packaged start and nine distorted copies, turned and shifted."""
    path = str(files("zoo.datasets.insulin") / "start.pdb")
    trajectory = md.load_pdb(path)
    rng = np.random.default_rng(0)
    frames = [trajectory.xyz[0]]
    for _ in range(9):
        turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
        turn *= np.sign(np.linalg.det(turn))
        frames.append(
            (trajectory.xyz[0] + rng.normal(0, 0.03, trajectory.xyz[0].shape)) @ turn + rng.normal(size=3)
        )
    return md.Trajectory(np.array(frames, np.float32), trajectory.topology)


@pytest.fixture(scope="module")
def backbone(insulin) -> Backbone:
    atoms = list(insulin.topology.atoms)
    return Backbone.of(
        [a.name for a in atoms],
        np.array([a.residue.index for a in atoms]),
        np.array([a.residue.chain.index for a in atoms]),
    )


def test_rmsd_and_size(insulin, backbone):
    positions = insulin.xyz.astype(float)
    expected = md.rmsd(insulin, insulin, 0, atom_indices=backbone.alpha)
    found = superposed_rmsd(positions, positions[0], backbone.alpha)
    assert np.abs(found - expected).max() < 1e-4  # mdtraj computes in float32
    assert found[0] < 1e-6 < found[1]
    assert radius_of_gyration(positions) == pytest.approx(md.compute_rg(insulin), rel=1e-5)
    # two points with weights 1 and 3, 4 apart: √((1·3² + 3·1²) / 4)
    two = np.array([[[0.0, 0, 0], [4, 0, 0]]])
    assert radius_of_gyration(two, np.array([1.0, 3.0])) == pytest.approx(3**0.5)


def test_rmsd_knows_a_mirror_image(insulin):
    positions = insulin.xyz[:1].astype(float)
    mirror = positions * [1, 1, -1]
    assert superposed_rmsd(mirror, positions[0])[0] > 0.3  # nm; reflections are no rotations


def test_torsions_of_the_backbone(insulin, backbone):
    for compute, mine in (
        (md.compute_phi, backbone.phi),
        (md.compute_psi, backbone.psi),
        (md.compute_omega, backbone.omega),
    ):
        index, angles = compute(insulin)
        order = np.lexsort(index.T[::-1])
        sorted_mine = mine[np.lexsort(mine.T[::-1])]
        assert np.array_equal(index[order], sorted_mine)
        turned = np.angle(np.exp(1j * (angles[:, order] - torsions(insulin.xyz.astype(float), sorted_mine))))
        assert np.abs(turned).max() < 1e-3
    # two chains of 21 and 30: no peptide bond joins them
    assert len(backbone.phi) == len(backbone.psi) == len(backbone.omega) == 49
    assert len(backbone.alpha) == 51 and len(backbone.chiral) == 51 - 4  # four glycines


def test_helix_is_what_dssp_calls_helix(insulin, backbone):
    inside, residues = helical(insulin.xyz[:1].astype(float), backbone)
    dssp = md.compute_dssp(insulin[:1])[0]
    alpha = {r for r in residues if dssp[r] == "H"}
    assert len(alpha) >= 15
    found = set(residues[inside[0]].tolist())
    assert len(alpha & found) >= 0.75 * len(alpha)  # DSSP goes by hydrogen bonds: ends and turns differ
    assert len(found - alpha) <= 10  # turns too have such angles


def test_contacts(insulin, backbone):
    alpha = insulin.xyz[:, backbone.alpha].astype(float)
    pairs = np.array([(i, j) for i in range(51) for j in range(i + 3, 51)])
    expected = md.compute_distances(insulin, backbone.alpha[pairs]) < 0.8
    assert np.array_equal(contacts(alpha, 0.8, pairs), expected)


def test_l_amino_acids(insulin, backbone):
    positions = insulin.xyz[:1].astype(float)
    assert (chirality(positions, backbone.chiral) > 0.4).all()
    assert np.allclose(
        chirality(positions * [1, -1, 1], backbone.chiral), -chirality(positions, backbone.chiral)
    )
