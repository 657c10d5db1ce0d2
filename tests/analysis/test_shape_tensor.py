from __future__ import annotations

import numpy as np
import pytest

from zoo.analysis.gyration import asphericity, shape_anisotropy


def turned(x: np.ndarray, seed: int = 0) -> np.ndarray:
    q, _ = np.linalg.qr(np.random.default_rng(seed).standard_normal((3, 3)))
    return (x @ q.T + 5.0)[None]


def test_a_rod_a_cube_and_a_disc() -> None:
    rod = np.zeros((10, 3))
    rod[:, 0] = np.arange(10)
    cube = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], float)
    angle = 2 * np.pi * np.arange(12) / 12
    disc = np.stack([np.cos(angle), np.sin(angle), 0 * angle], 1)
    assert shape_anisotropy(turned(rod)) == pytest.approx([1.0])
    assert shape_anisotropy(turned(cube)) == pytest.approx([0.0], abs=1e-12)
    assert shape_anisotropy(turned(disc)) == pytest.approx([0.25])
    assert asphericity(turned(rod)) == pytest.approx([rod[:, 0].var()])
    assert asphericity(turned(cube)) == pytest.approx([0.0], abs=1e-12)
    assert asphericity(turned(disc)) == pytest.approx([0.5 - 0.25])  # λ = ½, ½, 0


def test_anisotropy_is_the_formula_by_products_of_eigenvalues() -> None:
    x = np.random.default_rng(1).standard_normal((20, 9, 3)) * [3, 2, 1]
    centred = x - x.mean(1, keepdims=True)
    a, b, c = np.linalg.eigvalsh(np.einsum("fia,fib->fab", centred, centred) / 9).T
    assert shape_anisotropy(x) == pytest.approx(1 - 3 * (a * b + b * c + c * a) / (a + b + c) ** 2)
    import mdtraj

    trajectory = mdtraj.Trajectory(x, None)
    trajectory.top = mdtraj.Topology()
    chain = trajectory.top.add_chain()
    residue = trajectory.top.add_residue("X", chain)
    for _ in range(9):
        trajectory.top.add_atom("C", mdtraj.element.carbon, residue)
    assert asphericity(x) == pytest.approx(mdtraj.asphericity(trajectory), rel=1e-4)
    assert shape_anisotropy(x) == pytest.approx(mdtraj.relative_shape_antisotropy(trajectory), rel=1e-4)
