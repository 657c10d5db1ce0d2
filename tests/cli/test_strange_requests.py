"""Requests and files that nobody would write on purpose: one clear line, status 2, nothing left."""

from __future__ import annotations

import json

import numpy as np
import pytest
from synthetic import chain

from zoo.cli.app import main
from zoo.data.dataset import Dataset


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def npz(path, **changes) -> None:
    rng = np.random.default_rng(0)
    arrays = {
        "positions": rng.random((12, 6, 3)) * 4,
        "types": np.array([6, 1, 1, 1, 1, 8]),
        "forces": rng.random((12, 6, 3)),
    }
    arrays |= changes
    np.savez(path, **{k: v for k, v in arrays.items() if v is not None})


def refused(capsys, *words: str) -> str:
    assert main(words) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and len(captured.err.strip().splitlines()) <= 2
    assert "internal error" not in captured.err and "Traceback" not in captured.err
    return captured.err


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"run": np.arange(12)[::-1] % 3}, "stand together"),
        ({"run": np.arange(12) / 2}, "whole numbers"),
        ({"targets": np.zeros((12, 6, 2)), "target_times": np.arange(3.0)}, "3 target_names for 2 targets"),
        ({"positions": np.zeros((0, 6, 3)), "forces": None}, "0 frames"),
        ({"positions": np.zeros((12, 0, 3)), "forces": None, "types": np.zeros(0, int)}, "fit together"),
        ({"box": np.ones(2)}, "box takes"),
        ({"box": np.array(-4.0)}, "positive lengths"),
        ({"box": np.array(4.0), "pbc": np.array([True, False])}, "pbc takes"),
        ({"box": np.array(4.0), "pbc": np.array("TTT")}, "pbc takes"),
        ({"temperature": np.array([1.0, 2.0])}, "one temperature"),
        ({"masses": -np.ones(6)}, "masses must be positive"),
        ({"positions": np.full((12, 6, 3), 1e300), "forces": None}, "NaN or infinity"),
    ],
)
def test_arrays_that_make_no_sense(tmp_path, capsys, changes, words):
    npz(tmp_path / "x.npz", **changes)
    assert words in refused(capsys, "data", "import", "mine", "x.npz", "--set", "units=ase")
    assert not (tmp_path / "data" / "mine").exists()


def test_another_molecule_is_not_alanine_dipeptide(tmp_path, capsys):
    npz(tmp_path / "x.npz")
    error = refused(capsys, "data", "import", "alanine-dipeptide", "x.npz", "--set", "units=ase")
    assert "6 particles" in error and "ACE-ALA-NME" in error


def test_published_frames_become_alanine_dipeptide(shared_data, tmp_path, capsys):
    """In nm, as published; the user converts, and the entry adds names and bonds."""
    types = Dataset(main_sample()).system.types
    frames = np.load(shared_data / "alanine-dipeptide" / "frames-1000.npy").reshape(1000, 22, 3)
    np.savez(tmp_path / "x.npz", positions=10 * frames, types=types)
    words = ["data", "import", "alanine-dipeptide", "x.npz", "--set", "units=ase", "--out", "mine"]
    assert main(words) == 0
    assert len(Dataset(tmp_path / "mine").system.bonds) == 21
    capsys.readouterr()
    assert main(["data", "check", "mine", "--json"]) in (0, 1)
    checks = {c["name"]: c for c in json.loads(capsys.readouterr().out)}
    assert checks["frames with L chirality at Cα"]["ok"] is True


def main_sample():
    from zoo.data.catalog import sample_path

    return sample_path("alanine-dipeptide")


def test_options_and_paths(tmp_path, capsys):
    npz(tmp_path / "x.npz")
    given = ("data", "import", "mine", "x.npz", "--set", "units=ase")
    assert "'foo'" in refused(capsys, *given, "--set", "foo=1")
    assert "x.npz" in refused(capsys, *given, "--out", "x.npz/inside")
    assert "cannot be read" in refused(capsys, "train", "schnet", "alanine-dipeptide", "--config", ".")
    assert "--models" in refused(capsys, "bench", "quickstart", "--models", "", "--out", "b")
    assert not (tmp_path / "b").exists()


def test_a_refused_run_leaves_no_directory(tmp_path, capsys):
    npz(tmp_path / "one.npz", positions=np.random.default_rng(0).random((1, 6, 3)), forces=np.ones((1, 6, 3)))
    assert main(["data", "import", "one", "one.npz", "--set", "units=ase", "--out", "one"]) == 0
    capsys.readouterr()
    for more in ((), ("--dry-run",)):
        assert "has no train split" in refused(capsys, "train", "schnet", "one", "--out", "run", *more)
        error = refused(
            capsys, "train", "schnet", "alanine-dipeptide", "--task", "propensity", "--out", "run", *more
        )
        assert "has no targets" in error
    assert not (tmp_path / "run").exists()


def test_a_damaged_run_says_which_file(tmp_path, capsys):
    chain(tmp_path / "chain")
    words = ["train", "schnet", "chain", "--epochs", "1", "--set", "model.hidden_channels=8", "--out", "run"]
    assert main(words) == 0
    capsys.readouterr()
    run = tmp_path / "run"
    (run / "results.json").unlink()
    checkpoint = run / "checkpoints" / "last.ckpt"
    good = checkpoint.read_bytes()
    checkpoint.write_bytes(b"garbage")
    assert "last.ckpt is damaged" in refused(capsys, *words, "--resume")
    checkpoint.write_bytes(good)
    (run / "metrics.csv").write_text("epoch,step\nfoo,bar\n")
    assert "metrics.csv is damaged" in refused(capsys, *words, "--resume")
    (run / "config.yaml").write_text("model: {}\n")
    assert "config.yaml" in refused(capsys, "eval", "run")
