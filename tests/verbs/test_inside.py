"""The record of a look, and what can be looked into."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from synthetic import chain

from zoo.analysis.flags import Flag
from zoo.cli.app import main
from zoo.data.catalog import open_dataset
from zoo.errors import ConfigError, DataError, RunError
from zoo.tasks.metrics import metric
from zoo.verbs.inside.analyze import inside_folder
from zoo.verbs.inside.record import Inside
from zoo.verbs.inside.subject import open_subject
from zoo.weights import pretrained


def record() -> Inside:
    return Inside(
        "layers",
        "run-1",
        {"rank": metric(3.0, "1", 0.5), "times": metric([1.0, float("nan")], "ps")},
        {"map": np.arange(6.0).reshape(2, 3), "kinds": np.array(["H", "E"])},
        [Flag("dead units", "2 of 8 units of head never answer")],
        {"options": {"lag": 2}},
    )


def test_a_record_comes_back_as_it_was(tmp_path: Path) -> None:
    kept = record()
    kept.save(tmp_path / "inside")
    found = Inside.load(tmp_path / "inside", "layers")
    assert found.flags == kept.flags and found.facts == kept.facts and found.label == "run-1"
    assert found.numbers["rank"] == kept.numbers["rank"]
    assert found.numbers["times"]["value"] == [1.0, None]  # JSON has no NaN
    assert np.array_equal(found.arrays["map"], kept.arrays["map"])
    assert found.arrays["kinds"].tolist() == ["H", "E"]


@pytest.mark.parametrize("name", ["layers.json", "layers.npz"])
def test_a_damaged_record_is_named(tmp_path: Path, name: str) -> None:
    record().save(tmp_path)
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:20])
    with pytest.raises(RunError, match="damaged"):
        Inside.load(tmp_path, "layers")
    (tmp_path / name).unlink()
    with pytest.raises(RunError, match="zoo analyze"):
        Inside.load(tmp_path, "layers")


def test_an_array_of_objects_is_never_unpickled(tmp_path: Path) -> None:
    record().save(tmp_path)
    np.savez(tmp_path / "layers.npz", map=np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(RunError, match="damaged"):
        Inside.load(tmp_path, "layers")


def test_a_dataset_and_a_packaged_model_are_subjects(tmp_path: Path) -> None:
    folder = chain(tmp_path / "chain", frames=12)
    subject = open_subject(folder)
    assert len(subject.data) == 12 and subject.folder is None
    with pytest.raises(ConfigError, match="no network"):
        _ = subject.model
    packaged = open_subject("schnet-alanine-dipeptide")
    assert packaged.model.info.interface == "potential" and packaged.data.name == "alanine-dipeptide"


def test_a_trajectory_file_is_a_subject(tmp_path: Path) -> None:
    from zoo.data.export import export

    data = open_dataset("alanine-dipeptide")
    frames = type(data.split("test"))(data, data.split("test").index[:5], "some")
    export(frames, tmp_path / "some.pdb")
    subject = open_subject(tmp_path / "some.pdb")
    # a pdb file keeps thousandths of an Å
    assert np.abs(subject.data.array("positions") - frames.array("positions")).max() < 1e-3
    with pytest.raises(ConfigError, match="--dataset"):
        open_subject(tmp_path / "some.pdb", dataset="alanine-dipeptide")


def test_options_for_another_kind_of_subject_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--read"):
        open_subject("alanine-dipeptide", read={"topology": "x.pdb"})
    with pytest.raises(DataError, match="no such folder"):
        open_subject(tmp_path / "nothing")


def test_where_looks_are_kept(tmp_path: Path) -> None:
    assert inside_folder(tmp_path, "run") == tmp_path / "inside"
    assert inside_folder(None, "ring-polymer/nose-hoover-eq") == Path("inside/ring-polymer-nose-hoover-eq")
    assert inside_folder(tmp_path, "run", "elsewhere") == Path("elsewhere")
    for name, folder in pretrained().items():  # nothing is written into the package
        assert inside_folder(folder, name) == Path("inside") / name


@pytest.mark.parametrize(
    "words, reply",
    [
        (["alanine-dipeptide", "conformation"], "Did you mean 'conformations'"),
        (["alanine-dipeptid", "latent"], "Did you mean 'alanine-dipeptide'"),
        (["alanine-dipeptide", "layers", "--frames", "1"], "at least 2"),
        (["alanine-dipeptide", "layers", "--seed", "-1"], "from 0 to"),
        (["alanine-dipeptide", "layers", "--out", __file__], "takes a folder"),
        (["alanine-dipeptide", "conformations", "--set", "lag=inf"], "finite"),
        (["nowhere.xtc", "conformations", "--read", "topology=x.pdb"], "no file nowhere.xtc"),
        (["hierarchical-flow-alanine-dipeptide", "latent", "--dataset", "otp"], "other particles"),
    ],
)
def test_wrong_requests_say_what_to_write(
    words: list[str], reply: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["analyze", *words]) == 2
    assert reply in capsys.readouterr().err
