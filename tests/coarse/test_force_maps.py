"""Force maps: the optimum against brute force, free energies known in closed form, rigid bonds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import synthetic
from scipy.optimize import minimize

import zoo
from zoo import keys
from zoo.coarse.force_maps import constraints_of, force_gram, optimal, respects
from zoo.coarse.maps import CoarseMap, centers, on_particles
from zoo.coarse.schemes import scheme
from zoo.data.dataset import Dataset
from zoo.data.system import System
from zoo.errors import DataError
from zoo.verbs.mapping import map_dataset

NONE = np.zeros((0, 2), np.int64)


def springs(n: int, seed: int = 0) -> np.ndarray:
    """Laplacian of random springs between all pairs: translation invariant."""
    k = np.triu(np.random.default_rng(seed).uniform(0.2, 2.0, (n, n)), 1)
    k = k + k.T
    return np.diag(k.sum(1)) - k


def test_optimal_map_is_the_minimum_that_brute_force_finds() -> None:
    coarse = centers(np.array([0, 0, 1, 1, 1, 0]), np.array([1.0, 3, 2, 1, 4, 1]))
    gram = springs(6) + 0.3 * np.eye(6)
    rigid = np.array([[0, 1], [3, 4]])
    best = optimal(coarse, gram, rigid)

    def consistent(b: np.ndarray) -> np.ndarray:
        return (b.reshape(2, 6) @ coarse.positions.T - np.eye(2)).ravel()

    def alike(b: np.ndarray) -> np.ndarray:
        return (b.reshape(2, 6)[:, rigid[:, 0]] - b.reshape(2, 6)[:, rigid[:, 1]]).ravel()

    def noise(b: np.ndarray) -> float:
        return float(np.trace(b.reshape(2, 6) @ gram @ b.reshape(2, 6).T))

    conditions = [{"type": "eq", "fun": f} for f in (consistent, alike)]
    found = minimize(noise, coarse.forces.ravel(), method="SLSQP", constraints=conditions, tol=1e-12)
    np.testing.assert_allclose(best.forces, found.x.reshape(2, 6), atol=1e-4)
    assert noise(best.forces.ravel()) < noise(coarse.forces.ravel()) - 0.1
    assert respects(best, rigid).all()


def test_net_force_stays_zero_though_it_is_not_asked_for() -> None:
    coarse = on_particles(np.array([0, 3]), np.array([0, 0, 0, 1, 1, -1]))
    best = optimal(coarse, springs(6), NONE)
    f = np.random.default_rng(0).standard_normal((50, 6, 3)) @ np.eye(3)
    f -= f.mean(1, keepdims=True)
    np.testing.assert_allclose(best.project(f).sum(1), 0, atol=1e-10)


def test_optimal_forces_are_the_slope_of_a_known_free_energy() -> None:
    """Harmonic: W(z) = ½ zᵀ (C K⁻¹ Cᵀ)⁻¹ z, so that ⟨B f | z⟩ is linear in z. 400,000 draws: within 1 %."""
    rng = np.random.default_rng(0)
    stiffness = springs(5) + 0.5 * np.eye(5)
    x = rng.standard_normal((400_000, 5)) @ np.linalg.cholesky(np.linalg.inv(stiffness)).T
    coarse = centers(np.array([0, 0, 1, 1, 1]))
    best = optimal(coarse, stiffness, NONE)  # ⟨f fᵀ⟩ = kT K
    z, f = x @ coarse.positions.T, -x @ stiffness @ best.forces.T
    slope = np.linalg.lstsq(z, f, rcond=None)[0].T

    spread = coarse.positions @ np.linalg.inv(stiffness) @ coarse.positions.T

    def free(z: np.ndarray) -> float:
        return float(0.5 * z @ np.linalg.inv(spread) @ z)

    at, h = np.array([0.7, -0.4]), 1e-4
    expected = [-(free(at + h * e) - free(at - h * e)) / (2 * h) for e in np.eye(2)]
    np.testing.assert_allclose(slope @ at, expected, rtol=0.01, atol=0.01)
    assert (f**2).mean() <= ((x @ stiffness @ coarse.forces.T) ** 2).mean()


def test_a_rigid_bond_that_is_cut_biases_the_mean_force() -> None:
    """A rod of length l, held at z, its other end in a spring: W = ½ k z² − kT ln(sinh a/a), a = k l z/kT.

    Forces without those of the rod: none on the held end. Tolerance: four standard errors.
    """
    k, length, kT, z = 1.0, 1.0, 0.4, 1.3
    a = k * length * z / kT
    rng = np.random.default_rng(0)
    u = rng.random(200_000)
    along = -(1 + np.log(u + (1 - u) * np.exp(-2 * a)) / a)  # von Mises–Fisher about −z
    force = np.zeros((len(u), 2, 3))
    force[:, 1, 2] = -k * (z + length * along)
    cut = CoarseMap(np.array([[1.0, 0]]), np.array([[1.0, 0]]), np.array([0, 0]))
    rigid = np.array([[0, 1]])
    assert not respects(cut, rigid).any()
    best = optimal(cut, np.eye(2), rigid)
    np.testing.assert_allclose(best.forces, [[1, 1]])

    def free(z: float) -> float:
        a = k * length * z / kT
        return 0.5 * k * z**2 - kT * np.log(np.sinh(a) / a)

    expected = -(free(z + 1e-4) - free(z - 1e-4)) / 2e-4
    mean = best.project(force)[:, 0, 2]
    assert abs(mean.mean() - expected) < 4 * mean.std() / np.sqrt(len(mean))
    assert abs(cut.project(force)[:, 0, 2].mean() - expected) > 0.3


def test_beads_on_both_ends_of_a_rigid_bond_are_refused() -> None:
    coarse = on_particles(np.array([0, 1]), np.array([0, 1]))
    with pytest.raises(DataError, match="rigid bond"):
        optimal(coarse, np.eye(2), np.array([[0, 1]]))


def test_gram_and_noise_of_alanine_dipeptide() -> None:
    """Mapped directly, the mean square is tr(B G Bᵀ)/beads; the best map has less noise than sums."""
    data = zoo.load_dataset("alanine-dipeptide")
    frames = data.split("train")
    gram = force_gram(frames)
    coarse = scheme("backbone", data.system)
    best = optimal(coarse, gram, constraints_of(data.system))
    forces = frames.array(keys.FORCES).astype(np.float64)
    direct = (best.project(forces) ** 2).mean()
    assert direct == pytest.approx(np.trace(best.forces @ gram @ best.forces.T) / 5, rel=1e-6)
    assert direct < (coarse.project(forces) ** 2).mean()


XML = '<System><Constraints><Constraint p1="0" p2="1" d="0.1"/></Constraints></System>'


def test_data_map_says_which_rigid_bonds_it_cuts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    system = Dataset(synthetic.chain(tmp_path / "chain")).system
    rigid = replace(system, parameters={"openmm_system_xml": XML})
    assert constraints_of(rigid).tolist() == [[0, 1]]
    folder = synthetic.chain(tmp_path / "rigid", system=rigid.to_json())
    map_dataset(folder, "segments", tmp_path / "whole", beads=1)
    assert "biased" not in capsys.readouterr().err
    map_dataset(folder, "segments", tmp_path / "cut", beads=5)
    assert "the map cuts rigid bonds of the simulation (0–1)" in capsys.readouterr().err


def test_a_system_without_openmm_has_no_constraints_and_a_damaged_one_is_refused() -> None:
    atoms = dict(types=np.zeros(2), masses=np.ones(2), type_names={0: "A"})
    assert constraints_of(System(**atoms)).shape == (0, 2)
    with pytest.raises(DataError, match="cannot be read"):
        constraints_of(System(**atoms, parameters={"openmm_system_xml": "<System"}))
