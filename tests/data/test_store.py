"""The dataset folder: whole or not there, checked when opened, never unpickled."""

from __future__ import annotations

import json
import os
import threading
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from synthetic import chain, glass

from zoo.data.catalog import open_dataset
from zoo.data.dataset import Dataset
from zoo.data.splits import split_runs
from zoo.data.store import Manifest, write_dataset
from zoo.data.system import System
from zoo.data.work import work_folder
from zoo.errors import DataError, UnknownName


def edit(folder: Path, change) -> None:
    path = folder / "manifest.json"
    record = json.loads(path.read_text())
    change(record)
    path.write_text(json.dumps(record))


def test_round_trip(tmp_path):
    dataset = Dataset(chain(tmp_path / "chain", frames=30))
    assert len(dataset) == 30
    assert dataset.units.force == "eV/Å"
    assert System.from_json(dataset.system.to_json()).to_json() == dataset.system.to_json()
    frame = dataset[-1]
    assert frame.frame.item() == 29
    np.testing.assert_array_equal(frame.pos.numpy(), dataset.array("positions")[-1])
    with pytest.raises(IndexError):
        dataset[30]


def test_arrays_are_memory_mapped(tmp_path):
    dataset = Dataset(chain(tmp_path / "chain"))
    assert all(isinstance(array, np.memmap) for array in dataset.arrays.values())


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda f: (f / "manifest.json").unlink(), "has no manifest.json"),
        (lambda f: (f / "manifest.json").write_text("{"), "not valid JSON"),
        (lambda f: (f / "manifest.json").write_text("[]"), "not a valid manifest"),
        (lambda f: edit(f, lambda m: m.update(format=99)), "upgrade molzoo"),
        (lambda f: edit(f, lambda m: m.update(colour="red")), "colour"),
        (lambda f: edit(f, lambda m: m["system"].pop("masses")), "masses"),
        (lambda f: edit(f, lambda m: m["system"]["masses"].pop()), "4 masses for 5 particles"),
        (lambda f: edit(f, lambda m: m["splits"].update(val=[[0, 5]])), "share frames"),
        (lambda f: edit(f, lambda m: m["splits"].update(val=[[50, 5000]])), "does not fit"),
        (lambda f: edit(f, lambda m: m["arrays"].pop("positions")), "no positions"),
        (lambda f: edit(f, lambda m: m["arrays"]["forces"].update(file="../x.npy")), "outside"),
        (lambda f: (f / "forces.npy").unlink(), "is missing"),
        (lambda f: (f / "forces.npy").write_bytes((f / "forces.npy").read_bytes()[:-9]), "truncated"),
        (lambda f: (f / "forces.npy").write_bytes(b""), "cannot be read"),
        (lambda f: np.save(f / "forces.npy", np.zeros(3)), "the manifest says"),
        (lambda f: np.save(f / "forces.npy", np.array([{}, {}]), allow_pickle=True), "forces.npy"),
    ],
)
def test_damage_gets_one_clear_error(tmp_path, damage, words):
    folder = chain(tmp_path / "chain")
    damage(folder)
    with pytest.raises(DataError) as caught:
        Dataset(folder)
    assert words in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 2


def test_changed_array_is_noticed(tmp_path):
    folder = chain(tmp_path / "chain")
    forces = np.load(folder / "forces.npy")
    forces[3, 2, 1] += 1
    np.save(folder / "forces.npy", forces)
    with pytest.raises(DataError, match="sha256"):
        Dataset(folder)


def test_periodic_system_needs_a_cell(tmp_path):
    folder = glass(tmp_path / "glass")
    edit(folder, lambda m: m["arrays"].pop("cell"))
    with pytest.raises(DataError, match="no cell"):
        Dataset(folder)


def arrays_of(folder: Path) -> tuple[Manifest, dict, dict]:
    dataset = Dataset(folder)
    arrays = {k: np.array(v) for k, v in dataset.arrays.items()}
    units = {k: r.unit for k, r in dataset.manifest.arrays.items()}
    return dataset.manifest.model_copy(deep=True), arrays, units


def test_nan_is_refused_and_nothing_is_left(tmp_path):
    manifest, arrays, units = arrays_of(chain(tmp_path / "chain"))
    arrays["forces"][7, 0, 0] = np.nan
    with pytest.raises(DataError, match="forces holds NaN or infinity, first in frame 7"):
        write_dataset(tmp_path / "new", manifest, arrays, units)
    assert sorted(os.listdir(tmp_path)) == ["chain"]


def test_existing_folder_is_kept(tmp_path):
    folder = chain(tmp_path / "chain")
    with pytest.raises(DataError, match="exists already"):
        chain(folder)
    assert len(Dataset(folder)) == 60


def test_two_writers_do_not_harm_each_other(tmp_path):
    manifest, arrays, units = arrays_of(chain(tmp_path / "chain"))
    failed = []

    def write() -> None:
        try:
            write_dataset(tmp_path / "both", manifest.model_copy(deep=True), arrays, units)
        except DataError as error:
            failed.append(error)

    threads = [threading.Thread(target=write) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(failed) == 5
    assert len(Dataset(tmp_path / "both", verify=True)) == 60
    assert sorted(os.listdir(tmp_path)) == ["both", "chain"]


def test_a_dataset_argument_is_a_name_or_a_folder(tmp_path):
    assert open_dataset(tmp_path_folder := chain(tmp_path / "chain")).path == tmp_path_folder
    with pytest.raises(UnknownName, match="Did you mean 'alanine-dipeptide'"):
        open_dataset("alanine-dipeptid")
    with pytest.raises(DataError, match="no such folder"):
        open_dataset("data/nothing-here")
    (tmp_path / "x.npz").touch()
    with pytest.raises(DataError, match="zoo data import"):
        open_dataset(tmp_path / "x.npz")


def test_splits_are_by_run_or_by_block():
    by_run = split_runs(np.repeat(np.arange(10), 5))
    assert by_run == {"train": [(0, 30)], "val": [(30, 40)], "test": [(40, 50)]}
    blocks = split_runs(np.repeat([0, 1], 100), gap=5)
    for start in (0, 100):
        stops = [r for name in ("train", "val", "test") for r in blocks[name] if start <= r[0] < start + 100]
        assert all(b[0] - a[1] == 5 for a, b in pairwise(stops))
        assert stops[0][0] == start and stops[-1][1] == start + 100
    with pytest.raises(DataError, match="too short"):
        split_runs(np.zeros(2))


def test_work_survives_a_failure_and_refuses_another_request(tmp_path):
    out = tmp_path / "out"
    with pytest.raises(RuntimeError), work_folder(out, {"seed": 1}) as work:
        work.save("piece-0", x=np.arange(3))
        raise RuntimeError
    with pytest.raises(DataError, match=r"another request \(seed differ\)"), work_folder(out, {"seed": 2}):
        pass
    with work_folder(out, {"seed": 1}) as work:
        assert "piece-0" in work and "piece-1" not in work
        np.testing.assert_array_equal(work.load("piece-0")["x"], [0, 1, 2])
        with pytest.raises(DataError, match="another process"), work_folder(out, {"seed": 1}):
            pass
    assert os.listdir(tmp_path) == []
