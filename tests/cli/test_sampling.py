"""`zoo sample` as a user types it: after `zoo train`, its output, `--json`, wrong requests."""

from __future__ import annotations

import json

import numpy as np
import pytest
from synthetic import chain

from zoo.cli.app import main


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_train_then_sample(capsys):
    words = ["train", "laplace", "dw4", "--task", "density", "--set", "task.samples=1500", "--out", "run"]
    assert main(words) == 0
    capsys.readouterr()
    assert main(["sample", "run", "-n", "64", "--out", "new/x.xtc"]) == 0
    shown = capsys.readouterr().out
    for word in ("new/x.xtc", "new/x.pdb", "new/x.weights.csv", "ess", "log_z", "mode_drop", "64 draws"):
        assert word in shown
    assert main(["sample", "run", "-n", "64", "--out", "new/x.xtc"]) == 2
    assert "exists already" in capsys.readouterr().err
    words = ["sample", "run", "-n", "64", "--out", "new/x.npz", "--seed", "3", "--resample", "--refine", "2"]
    assert main([*words, "--temperature", "1.5", "--overwrite", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["files"] == ["new/x.npz", "new/x.weights.csv"]
    assert {"ess", "distinct", "acceptance", "energy_evaluations"} <= made["metrics"].keys()
    with np.load("new/x.npz") as file:
        assert file["positions"].shape == (64, 4, 3) and file["temperature"] == 1.5


def test_wrong_requests(tmp_path, capsys):
    chain(tmp_path / "chain")
    assert main(["train", "mean-force", "chain", "--out", "run"]) == 0
    capsys.readouterr()
    for words, message in (
        (
            ["run", "-n", "5", "--out", "x.xtc", "--resample"],
            "--resample: for runs of task density, and run is of forces",
        ),
        (["run", "-n", "0", "--out", "x.xtc"], "-n takes a positive number"),
        (["run", "-n", "5", "--out", "x.gro"], "no format to write named 'gro'"),
        (["nowhere", "-n", "5", "--out", "x.xtc"], "no run at nowhere"),
        (["run", "-n", "5"], "--out"),
    ):
        assert main(["sample", *words]) == 2
        captured = capsys.readouterr()
        assert captured.out == "" and message in captured.err
        assert len(captured.err.strip().splitlines()) <= 2
    assert not list(tmp_path.glob("x.*"))
