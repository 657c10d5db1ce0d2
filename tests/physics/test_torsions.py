from __future__ import annotations

import numpy as np
import pytest
import torch

from zoo.physics.torsions import place, torsions

QUADRUPLES = [(0, 1, 2, 3), (1, 2, 3, 4), (4, 0, 2, 1)]


@pytest.fixture
def positions() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(50, 5, 3))


def test_sign_is_iupac():
    # Seen along +z (second to third atom), the fourth lies 90° clockwise from the first.
    # Looking along +z with x up, clockwise is towards +y.
    points = np.array([[1.0, 0, 0], [0, 0, 0], [0, 0, 1], [0, 1, 1]])
    assert torsions(points, [(0, 1, 2, 3)])[0] == pytest.approx(np.pi / 2)


def test_equals_mdtraj(positions):
    mdtraj = pytest.importorskip("mdtraj")
    topology = mdtraj.Topology()
    residue = topology.add_residue("X", topology.add_chain())
    for _ in range(5):
        topology.add_atom("C", mdtraj.element.carbon, residue)
    expected = mdtraj.compute_dihedrals(mdtraj.Trajectory(positions, topology), QUADRUPLES)
    difference = torsions(positions, QUADRUPLES) - expected
    # mdtraj keeps positions in float32; nearly straight triples magnify its rounding.
    assert np.abs(np.angle(np.exp(1j * difference))).max() < 1e-3
    assert np.median(np.abs(difference)) < 1e-6


def test_torch_equals_numpy_and_any_leading_shape(positions):
    expected = torsions(positions, QUADRUPLES)
    found = torsions(torch.from_numpy(positions).reshape(5, 10, 5, 3), QUADRUPLES)
    assert found.shape == (5, 10, 3)
    # Both are float64; sums are taken in another order.
    np.testing.assert_allclose(found.reshape(50, 3).numpy(), expected, atol=1e-12)


def test_rotation_changes_nothing_and_reflection_the_sign(positions):
    rotation, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))
    rotation *= np.linalg.det(rotation)
    expected = torsions(positions, QUADRUPLES)
    np.testing.assert_allclose(torsions(positions @ rotation, QUADRUPLES), expected, atol=1e-9)
    np.testing.assert_allclose(torsions(-positions, QUADRUPLES), -expected, atol=1e-9)


@pytest.mark.parametrize("angle", [0.0, 1e-6, 1.0, np.pi - 1e-6, np.pi, -2.0])
def test_place_is_the_inverse_and_gradients_are_finite(angle):
    a, b, c = np.random.default_rng(2).normal(size=(3, 3))
    d = place(a, b, c, 1.5, 1.9, angle)
    points = np.stack([a, b, c, d])
    # Rounding of cross products of vectors of length 1 in float64.
    assert abs(np.angle(np.exp(1j * (torsions(points, [(0, 1, 2, 3)])[0] - angle)))) < 1e-12
    assert np.linalg.norm(d - c) == pytest.approx(1.5, rel=1e-12)
    cosine = (b - c) @ (d - c) / np.linalg.norm(b - c) / 1.5
    assert np.arccos(cosine) == pytest.approx(1.9, rel=1e-12)
    tensor = torch.from_numpy(points).requires_grad_()
    torsions(tensor, [(0, 1, 2, 3)]).sum().backward()
    assert torch.isfinite(tensor.grad).all() and tensor.grad.abs().max() > 0.1
