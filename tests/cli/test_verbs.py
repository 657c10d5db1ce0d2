"""`zoo data`, `zoo train`, `zoo eval` as a user types them: output, exit status, wrong requests."""

from __future__ import annotations

import json

import numpy as np
import pytest
import yaml
from synthetic import chain, glass

from zoo.cli.app import main
from zoo.data.dataset import Dataset

FAST = ["--set", "train.batch_size=8", "--set", "model.hidden_channels=8", "--epochs", "2"]


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def wrong(capsys, *words: str, status: int = 2) -> str:
    """Run a wrong request: its status, one or two lines on standard error, nothing else."""
    assert main(words) == status
    captured = capsys.readouterr()
    assert captured.out == ""
    assert 1 <= len(captured.err.strip().splitlines()) <= 2
    assert "Traceback" not in captured.err
    return captured.err


def test_train_then_eval(tmp_path, capsys):
    chain(tmp_path / "chain")
    assert main(["train", "schnet", "chain", *FAST, "--out", "run"]) == 0
    table = capsys.readouterr().out
    for word in ("schnet", "mean-force", "harmonic", "force_mae", "eV/Å"):
        assert word in table
    assert main(["eval", "run", "--json"]) == 0
    scores = json.loads(capsys.readouterr().out)
    expected = json.loads((tmp_path / "run" / "results.json").read_text())["metrics"]
    assert scores["force_mae"]["value"] == pytest.approx(expected["force_mae"]["value"], rel=1e-6)
    assert main(["eval", "run", "--split", "val"]) == 0
    assert "force_mae" in capsys.readouterr().out


def test_runs_get_names_of_their_own(tmp_path):
    chain(tmp_path / "chain")
    for _ in range(2):
        assert main(["train", "mean-force", "chain"]) == 0
    assert sorted(p.name for p in (tmp_path / "runs").iterdir()) == [
        "mean-force-chain",
        "mean-force-chain-2",
    ]


def test_dry_run_prints_settings_and_makes_nothing(tmp_path, capsys):
    chain(tmp_path / "chain")
    assert main(["train", "schnet", "chain", *FAST, "--dry-run"]) == 0
    shown = capsys.readouterr().out
    settings = yaml.safe_load(shown)
    assert settings["train"]["epochs"] == 2 and settings["model"]["hidden_channels"] == 8
    assert not (tmp_path / "runs").exists()
    (tmp_path / "c.yaml").write_text(shown)
    assert main(["train", "schnet", "chain", "--config", "c.yaml", "--dry-run"]) == 0
    assert capsys.readouterr().out == shown


def test_wrong_requests(tmp_path, capsys):
    chain(tmp_path / "chain")
    assert "'schnet'" in wrong(capsys, "train", "shnet", "chain")
    assert "alanine-dipeptide" in wrong(capsys, "train", "schnet", "alanine-dipeptid")
    assert "optim.lr" in wrong(capsys, "train", "schnet", "chain", "--set", "lr=1")
    assert "key=value" in wrong(capsys, "train", "schnet", "chain", "--set", "lr")
    assert "no configuration file" in wrong(capsys, "train", "schnet", "chain", "--config", "x.yaml")
    assert "accelerator" in wrong(capsys, "train", "schnet", "chain", "--accelerator", "tpu")
    assert "forces" in wrong(capsys, "train", "schnet", "chain", "--task", "force")
    assert "no config.yaml" in wrong(capsys, "eval", "chain")
    assert "no unfinished run" in wrong(capsys, "train", "schnet", "chain", "--resume")
    assert not (tmp_path / "runs").exists()


def test_a_failed_run_exits_1(tmp_path, capsys):
    folder = chain(tmp_path / "chain")
    manifest = json.loads((folder / "manifest.json").read_text())
    energies = np.load(folder / "energies.npy") + 1e300
    np.save(folder / "energies.npy", energies)
    from zoo.data.store import sha256

    manifest["arrays"]["energies"]["sha256"] = sha256(folder / "energies.npy")
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert main(["train", "schnet", "chain", *FAST]) == 1
    error = capsys.readouterr().err
    assert "the loss became" in error and "on frames" in error


def test_data_check_tells_what_holds(tmp_path, capsys):
    chain(tmp_path / "chain")
    assert main(["data", "check", "chain", "--json"]) == 0
    checks = {c["name"]: c for c in json.loads(capsys.readouterr().out)}
    assert checks["numbers that are NaN or infinite"]["ok"] is True
    assert checks["largest net force over rms force"]["ok"] is True
    assert main(["data", "check", "chain"]) == 0
    assert "holds" in capsys.readouterr().out


def test_data_check_fails_on_forces_that_break_newtons_third_law(tmp_path, capsys):
    folder = chain(tmp_path / "chain")
    dataset = Dataset(folder)
    arrays = {k: np.array(v) for k, v in dataset.arrays.items()}
    arrays["forces"][:, 0] += 0.5
    units = {k: r.unit for k, r in dataset.manifest.arrays.items()}
    from zoo.data.store import write_dataset

    write_dataset(tmp_path / "bad", dataset.manifest.model_copy(deep=True), arrays, units)
    assert main(["data", "check", "bad"]) == 1
    assert "1 of 4 checks do not hold" in capsys.readouterr().err


def test_import_a_published_file_and_train_on_it(shared_data, tmp_path, capsys):
    files = sorted((shared_data / "glass" / "botan").rglob("*.npz"))[:3]
    assert main(["data", "import", "kob-andersen", *map(str, files), "--out", "ka"]) == 0
    assert "3 frames × 4096 particles" in capsys.readouterr().out
    assert main(["train", "type-mean", "ka", "--out", "run"]) == 0
    assert "ceiling_mean_A" in capsys.readouterr().out
    assert main(["data", "import", "kob-andersen", str(files[0]), "--out", "ka"]) == 2


def test_wrong_imports(tmp_path, capsys):
    (tmp_path / "x.npz").write_bytes(b"PK\x03\x04 not an archive")
    wrong(capsys, "data", "import", "mine", "x.npz")
    wrong(capsys, "data", "import", "mine", "nothing.npz")
    assert "botan" in wrong(capsys, "data", "import", "mine", "x.npz", "--format", "botann")
    assert not (tmp_path / "data").exists()


def test_make_options_are_checked(capsys, tmp_path):
    assert "temperature" in wrong(capsys, "data", "make", "kob-andersen", "--set", "temprature=0.5")
    assert "--frames" in wrong(capsys, "data", "make", "kob-andersen", "--frames", "0")
    glass(tmp_path / "glass")
    assert "no dataset" in wrong(capsys, "data", "make", "glass")
