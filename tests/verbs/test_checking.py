from __future__ import annotations

import numpy as np
import pytest
from synthetic import chain

from zoo.data.dataset import Dataset
from zoo.data.store import Manifest, write_dataset
from zoo.errors import ConfigError
from zoo.units import ANGSTROM_PER_NM, BOLTZMANN_EV, EV_PER_KJ_MOL
from zoo.verbs.checking import check_dataset
from zoo.verbs.data import default_out
from zoo.verbs.importing import import_dataset


def rewritten(folder, out, **arrays):
    """A dataset with some arrays changed, as from the files of somebody else."""
    old = Dataset(folder)
    units = {name: record.unit for name, record in old.manifest.arrays.items()} | {"velocities": "Å/ps"}
    manifest = Manifest(**{**old.manifest.model_dump(), "arrays": {}, "provenance": {"format": "extxyz"}})
    return write_dataset(out, manifest, {**{k: np.array(v) for k, v in old.arrays.items()}, **arrays}, units)


def named(checks, name):
    return next(check for check in checks if check.name == name)


def test_forces_that_do_not_sum_to_zero(tmp_path):
    folder = chain(tmp_path / "ours")
    name = "largest net force over rms force"
    assert named(check_dataset(folder), name).ok
    forces = np.array(Dataset(folder).array("forces"))
    forces[-1, 0] += 0.5  # in the last frame alone
    assert named(check_dataset(rewritten(folder, tmp_path / "theirs", forces=forces)), name).ok is None
    (tmp_path / "theirs" / "manifest.json").write_text(
        (tmp_path / "theirs" / "manifest.json").read_text().replace('"format": "extxyz"', '"engine": "ours"')
    )
    assert named(check_dataset(tmp_path / "theirs"), name).ok is False


@pytest.mark.parametrize("temperature, ok", [(300.0, True), (400.0, None)])
def test_temperature_of_imported_velocities(tmp_path, temperature, ok):
    folder = chain(tmp_path / "a", frames=600)
    masses = Dataset(folder).system.masses
    # k_B T / m in (Å/ps)²
    width = np.sqrt(BOLTZMANN_EV * temperature / (masses * EV_PER_KJ_MOL / ANGSTROM_PER_NM**2))
    draws = np.random.default_rng(0).standard_normal((600, 5, 3)) * width[:, None]
    checks = check_dataset(rewritten(folder, tmp_path / "b", velocities=draws.astype(np.float32)))
    check = named(checks, "temperature of the velocities")
    assert check.ok is ok and check.unit == "K"
    # 9,000 Gaussian numbers: T is known to √(2/9000) = 1.5 %, four times of which is allowed
    assert check.measured == pytest.approx(temperature, rel=0.06)


@pytest.mark.parametrize("label", ["../evil", "a/b", "", ".", "..", "a+b", "a\\b", "a\nb"])
def test_labels_that_are_no_names(tmp_path, monkeypatch, label):
    monkeypatch.chdir(tmp_path)
    np.savez("frames.npz", positions=np.zeros((4, 3, 3)), types=[0, 0, 1], box=4.0)
    with pytest.raises(ConfigError, match="no label for a dataset"):
        import_dataset(label, [tmp_path / "frames.npz"], options={"units": "lj"})
    assert [p.name for p in tmp_path.iterdir()] == ["frames.npz"]


def test_labels(tmp_path):
    for label in ("my-polymer", "PS 2.0", "ringe-aus-Köln", "kob-andersen/wca"):
        assert str(default_out(label)) == f"data/{label}"
