from __future__ import annotations

import numpy as np
import pytest
from synthetic import chain, glass

from zoo.cli.app import main
from zoo.data.catalog import open_dataset
from zoo.data.dataset import Dataset
from zoo.data.joined import Chained, JoinedDataset
from zoo.data.loader import BatchOrder, make_loader
from zoo.errors import ConfigError, DataError
from zoo.run import Run
from zoo.verbs.evaluate import evaluate
from zoo.verbs.train import train

QUICK = {"train.epochs": 1, "model.hidden_channels": 8, "model.num_interactions": 1}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    folder = tmp_path_factory.mktemp("joined")
    chain(folder / "a", frames=60, seed=0)
    chain(folder / "b", frames=36, seed=1)
    glass(folder / "glass")
    return folder


@pytest.fixture
def joined(folders) -> JoinedDataset:
    found = open_dataset(f"{folders}/a+{folders}/b")
    assert isinstance(found, JoinedDataset)
    return found


def test_a_chained_array_is_the_concatenated_one():
    rng = np.random.default_rng(0)
    parts = [rng.random((n, 3, 2)) for n in (4, 1, 6)]
    whole, chained = np.concatenate(parts), Chained(parts)
    keys = [0, 4, -1, slice(None), slice(3, 8), slice(None, None, -2), [10, 0, 4, 4], np.arange(11) > 5,
            (slice(2, 9), 1), (3, slice(None), 0), slice(0, 0)]  # fmt: skip
    for key in keys:
        assert np.array_equal(chained[key], whole[np.asarray(key) if isinstance(key, list) else key]), key
    assert np.array_equal(np.asarray(chained), whole) and np.array_equal(np.stack(list(chained)), whole)
    for out in (11, -12):
        with pytest.raises(IndexError):
            chained[out]


def test_frames_splits_and_runs_are_those_of_the_parts(folders, joined):
    a, b = Dataset(folders / "a"), Dataset(folders / "b")
    assert len(joined) == 96 and joined.name == "chain+chain" and joined.temperature == 300.0
    for split in ("train", "val", "test"):
        frames = joined.split(split)
        both = np.concatenate([a.split(split).array("positions"), b.split(split).array("positions")])
        assert np.array_equal(frames.array("positions"), both)
        assert np.array_equal(
            joined.part_of(frames.index), np.repeat([0, 1], [len(a.split(split)), len(b.split(split))])
        )
    runs = joined.array("run")[:]
    assert not set(runs[:60]) & set(runs[60:])  # no split mixes runs of the two
    assert np.array_equal(joined[70].pos.numpy(), b[10].pos.numpy())
    assert np.array_equal(joined[70].forces.numpy(), b[10].forces.numpy())


def test_other_systems_are_refused(folders, tmp_path):
    with pytest.raises(DataError, match="cannot be joined: they differ in units"):
        open_dataset(f"{folders}/a+{folders}/glass")
    with pytest.raises(DataError, match="particles"):
        open_dataset(f"alanine-dipeptide+{folders}/a")
    system = Dataset(folders / "a").manifest.system
    chain(tmp_path / "c", system={**system, "bonds": [[0, 1]]})
    with pytest.raises(DataError, match="their bonds"):
        open_dataset(f"{folders}/a+{tmp_path}/c")
    with pytest.raises(DataError, match="before or after"):
        open_dataset(f"{folders}/a+")
    with pytest.raises(DataError, match="no such folder"):
        open_dataset(f"{folders}/a+{folders}/nothing")


def test_weights_are_the_shares_of_a_pass():
    groups = [np.arange(60), np.arange(60, 100)]
    order = BatchOrder(100, 8, shuffle=True, seed=1, shares=[(groups[0], 1.0), (groups[1], 3.0)])
    drawn = np.concatenate(list(order))
    assert len(drawn) == 100 and (drawn < 60).sum() == 25
    counts = np.bincount(drawn, minlength=100)
    assert counts[:60].max() == 1  # 25 of 60, none twice
    assert set(counts[60:]) == {1, 2}  # 75 of 40: each once, most twice
    order.set_epoch(1)
    assert not np.array_equal(np.concatenate(list(order)), drawn)
    order.set_epoch(0)
    assert np.array_equal(np.concatenate(list(order)), drawn)


def test_weight_zero_leaves_a_part_out(joined):
    loader = make_loader(joined.split("train"), 5.0, 7, shuffle=True, weights=[0.0, 1.0])
    frames = np.concatenate([batch.frame.numpy() for batch in loader])
    assert (joined.part_of(frames) == 1).all() and len(frames) == len(joined.split("train"))


def test_training_on_two_datasets(folders, tmp_path):
    name = f"{folders}/a+{folders}/b"
    run = train("schnet", name, settings={**QUICK, "dataset.weights": [3, 1]}, out=tmp_path / "run")
    assert run.config.dataset["weights"] == [3, 1]
    metrics = evaluate(Run(run.path))
    assert metrics["force_mae"]["value"] > 0
    assert np.load(run.predictions_path())["frame"].max() >= 60  # the test split is that of both
    assert evaluate(run, dataset=folders / "b")["force_mae"]["value"] > 0


@pytest.mark.parametrize("weights", [[1], [1, 2, 3], "heavy", [-1, 2], [0, 0], ["a", "b"]])
def test_wrong_weights(folders, tmp_path, weights):
    with pytest.raises(ConfigError, match="a number for each dataset"):
        train("schnet", f"{folders}/a+{folders}/b", settings={"dataset.weights": weights}, out=tmp_path / "r")
    assert not (tmp_path / "r").exists()


def test_weights_where_they_mean_nothing(folders, tmp_path):
    both = f"{folders}/a+{folders}/b"
    with pytest.raises(ConfigError, match="for each dataset of A"):
        train("schnet", folders / "a", settings={"dataset.weights": [1, 2]}, out=tmp_path / "r")
    with pytest.raises(ConfigError, match="closed form"):
        train(
            "harmonic", f"{folders}/a+{folders}/b", settings={"dataset.weights": [1, 2]}, out=tmp_path / "r"
        )
    with pytest.raises(ConfigError, match=r"dataset\.weigths"):
        train("schnet", both, settings={"dataset.weigths": [1, 2]}, out=tmp_path / "r")


def test_closed_form_models_take_both(folders, tmp_path):
    run = train("harmonic", f"{folders}/a+{folders}/b", out=tmp_path / "r")
    assert run.results["frames"]["train"] == len(Dataset(folders / "a").split("train")) + len(
        Dataset(folders / "b").split("train")
    )


def test_from_the_command_line(folders, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    both = f"{folders}/a+{folders}/b"
    settings = [word for key, value in QUICK.items() for word in ("--set", f"{key}={value}")]
    assert main(["train", "schnet", both, *settings, "--set", "dataset.weights=[1,2]"]) == 0
    assert (tmp_path / "runs" / "schnet-a+b" / "results.json").is_file()
    assert main(["train", "schnet", f"{folders}/a+{folders}/glass"]) == 2
    assert "cannot be joined" in capsys.readouterr().err
