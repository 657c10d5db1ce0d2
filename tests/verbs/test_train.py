"""Training end to end on small exact data: what a run keeps, resume, NaN, devices."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from synthetic import chain, glass

import zoo
from zoo.data.dataset import Dataset
from zoo.errors import ConfigError, DataError, RunError, RunFailed
from zoo.verbs.evaluate import evaluate

SMALL = {"train.batch_size": 8, "model.hidden_channels": 16, "train.accelerator": "cpu"}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return chain(tmp_path_factory.mktemp("data") / "chain")


@pytest.fixture(scope="module")
def run(data, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "run"
    return zoo.train("schnet", data, epochs=15, out=out, settings=SMALL | {"optim.lr": 5e-3})


def test_a_run_keeps_everything(run):
    files = {str(p.relative_to(run.path)) for p in run.path.rglob("*") if p.is_file()}
    assert files == {
        "config.yaml",
        "environment.json",
        "metrics.csv",
        "checkpoints/last.ckpt",
        "checkpoints/best.safetensors",
        "weights.safetensors",
        "card.json",
        "predictions.npz",
        "results.json",
    }
    assert [row["epoch"] for row in run.curve()] == list(range(15))
    assert run.card["entry"] == "schnet" and run.card["task"]["name"] == "forces"
    assert set(run.results["baselines"]) == {"mean-force", "harmonic"}


def test_it_learns(run):
    """The forces are smooth functions of four distances: far better than their mean, in seconds."""
    results = run.results
    mine = results["metrics"]["force_mae"]
    assert mine["unit"] == "eV/Å"
    assert mine["value"] < 0.5 * results["baselines"]["mean-force"]["force_mae"]["value"]


def test_metrics_come_from_predictions(run, data):
    forces = run.predictions()["forces"]
    truth = Dataset(data).split("test").array("forces")
    expected = np.abs(forces - truth).mean()
    assert run.results["metrics"]["force_mae"]["value"] == pytest.approx(expected, rel=1e-6)
    assert evaluate(run)["force_mae"]["value"] == pytest.approx(expected, rel=1e-6)


def test_best_epoch_is_kept(run):
    losses = [row["val_loss"] for row in run.curve()]
    model = zoo.load(run.path)
    best = load_file(run.path / "checkpoints" / "best.safetensors")
    assert all(torch.equal(v, best[k]) for k, v in model.state_dict().items())
    checkpoint = torch.load(run.path / "checkpoints" / "last.ckpt", weights_only=True)
    (state,) = (s for k, s in checkpoint["callbacks"].items() if "BestWeights" in k)
    assert state["epoch"] == int(np.argmin(losses))


def test_evaluate_on_other_data(run, tmp_path):
    other = chain(tmp_path / "other", seed=5)
    scores = evaluate(run, dataset=other, split="all")
    assert scores["force_mae"]["value"] == pytest.approx(
        run.results["metrics"]["force_mae"]["value"], rel=0.5
    )  # the same physics, other frames
    with pytest.raises(DataError, match="'lj' units"):
        evaluate(run, dataset=glass(tmp_path / "glass"))
    with pytest.raises(zoo.errors.UnknownName, match="no split named 'tset'"):
        evaluate(run, split="tset")


def test_data_that_changed_since_training_are_noticed(tmp_path):
    folder = chain(tmp_path / "chain")
    run = zoo.train("mean-force", folder, out=tmp_path / "run", with_baselines=False)
    import shutil

    shutil.rmtree(folder)
    chain(folder, seed=9)
    with pytest.raises(DataError, match="no longer the data"):
        evaluate(run)
    assert evaluate(run, dataset=folder)["force_mae"]["value"] > 0


def test_changed_weights_are_refused(run, tmp_path):
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(run.path, copy)
    content = bytearray((copy / "weights.safetensors").read_bytes())
    content[-1] ^= 1
    (copy / "weights.safetensors").write_bytes(content)
    with pytest.raises(RunError, match="sha256"):
        zoo.load(copy)
    (copy / "card.json").unlink()
    with pytest.raises(RunError, match="holds no weights"):
        zoo.load(copy)


def test_a_directory_is_not_overwritten(run, data):
    with pytest.raises(RunError, match="exists already"):
        zoo.train("schnet", data, epochs=1, out=run.path, settings=SMALL)
    with pytest.raises(RunError, match="other settings"):
        zoo.train("schnet", data, epochs=99, out=run.path, resume=True, settings=SMALL)


def test_resume_after_sigkill_gives_the_same_result(data, tmp_path):
    """Dropout, averaged weights and a schedule by step: all must be restored."""
    settings = SMALL | {"train.ema": 0.9, "train.epochs": 12, "model.dropout": 0.1}
    whole = zoo.train("schnet", data, out=tmp_path / "whole", settings=settings, with_baselines=False)
    out = tmp_path / "killed"
    code = f"import zoo; zoo.train('schnet', {str(data)!r}, out={str(out)!r}, settings={settings!r})"
    child = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not (out / "checkpoints" / "last.ckpt").exists():
        assert child.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    child.send_signal(signal.SIGKILL)
    child.wait()
    killed_at = len(zoo.Run(out).curve())
    assert 0 < killed_at < 12 and not zoo.Run(out).done
    resumed = zoo.train("schnet", data, out=out, settings=settings, resume=True, with_baselines=False)
    a, b = (load_file(r.path / "weights.safetensors") for r in (whole, resumed))
    assert all(torch.equal(a[k], b[k]) for k in a)
    columns = ("epoch", "step", "train_loss", "val_loss")
    assert [[r[c] for c in columns] for r in whole.curve()] == [
        [r[c] for c in columns] for r in resumed.curve()
    ]


def test_ctrl_c_says_how_to_go_on(data, tmp_path):
    words = ["train", "schnet", str(data), "--out", "run", "--epochs", "500"]
    words += ["--set", "model.hidden_channels=8", "--set", "train.batch_size=8", "--accelerator", "cpu"]
    code = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    code += "from zoo.cli.app import main; sys.exit(main(sys.argv[1:]))"
    child = subprocess.Popen(
        [sys.executable, "-c", code, *words], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 120
    while not (tmp_path / "run" / "checkpoints" / "last.ckpt").exists():
        assert child.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    child.send_signal(signal.SIGINT)
    _, error = child.communicate(timeout=60)
    assert child.returncode == 130
    assert error.strip().splitlines()[-1] == "zoo: interrupted: to continue: --resume --out run"


def test_nan_loss_names_the_batch(data, tmp_path):
    manifest = Dataset(data).manifest
    energies = np.load(data / "energies.npy").astype(np.float64)
    energies[:40] = 1e300  # the square overflows in float32: every training loss is infinite
    bad = tmp_path / "bad"
    arrays = {k: np.array(v) for k, v in Dataset(data).arrays.items()} | {"energies": energies}
    units = {k: r.unit for k, r in manifest.arrays.items()}
    zoo.data.store.write_dataset(bad, manifest.model_copy(deep=True), arrays, units)
    with pytest.raises(RunFailed, match=r"epoch 0, step 0, on frames \d+(, \d+){7}\.") as caught:
        zoo.train("schnet", bad, epochs=1, out=tmp_path / "run", settings=SMALL)
    assert caught.value.exit_code == 1


def test_gpu_that_is_not_there(data, tmp_path):
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(ConfigError, match="torch sees 0"):
        zoo.train("schnet", data, epochs=1, out=tmp_path / "run", accelerator="gpu")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "extra",
    [
        {"optim.schedule": "plateau", "train.early_stopping": 1, "optim.lr": 1e-30},
        {"optim.schedule": "exponential", "optim.name": "adam", "optim.warmup_steps": 3},
        {"train.precision": "64-true", "train.validate_every": 2},
        {"train.precision": "bf16-mixed", "train.gradient_clip": None},
        {"train.workers": 1, "train.frames": 10},
        {"train.logger": "tensorboard"},
    ],
    ids=["plateau", "exponential", "float64", "bf16", "workers", "tensorboard"],
)
def test_trainer_settings(data, tmp_path, extra):
    run = zoo.train(
        "schnet", data, epochs=4, out=tmp_path / "run", settings=SMALL | extra, with_baselines=False
    )
    assert np.isfinite(run.results["metrics"]["force_mae"]["value"])
    if "train.early_stopping" in extra:  # such a rate moves no float32 weight: the second epoch gains nothing
        assert len(run.curve()) == 2
    if extra.get("train.logger") == "tensorboard":
        assert list((run.path / "tensorboard").glob("events*"))
    if "train.frames" in extra:
        assert run.results["frames"]["train"] == 10


def test_two_processes_train_one_run(data, tmp_path):
    """DDP on two CPU processes: one directory, every frame once an epoch, a sound result."""
    code = (
        "import sys, zoo; zoo.train('schnet', sys.argv[1], out=sys.argv[2], epochs=3, devices=2,"
        f"settings={SMALL!r}, with_baselines=False)"
    )
    script = tmp_path / "ddp.py"
    script.write_text(code)
    environment = {k: v for k, v in os.environ.items() if k != "LOCAL_RANK"} | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, str(script), str(data), str(tmp_path / "run")],
        capture_output=True, text=True, timeout=240, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    run = zoo.Run(tmp_path / "run")
    assert run.done and len(run.curve()) == 3
    assert run.curve()[-1]["step"] == 3 * 3  # 40 frames, two processes, 8 each: 3 steps an epoch


def test_torchrun_trains_one_run(data, tmp_path):
    """The launcher of clusters: each process gets its rank by environment, not from Lightning."""
    words = ["train", "schnet", str(data), "--epochs", "2", "--devices", "2", "--out", "run"]
    words += ["--accelerator", "cpu", "--set", "model.hidden_channels=8", "--set", "train.batch_size=8"]
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run(
        [sys.executable, *launcher, "-m", "zoo.cli.app", *words],
        capture_output=True, text=True, timeout=240, cwd=tmp_path,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    run = zoo.Run(tmp_path / "run")
    assert run.done and [row["step"] for row in run.curve()] == [3, 6]


def test_propensity_end_to_end(tmp_path):
    """The target counts B neighbours: attention must find it where the type mean cannot."""
    data = glass(tmp_path / "glass", frames=12)
    settings = {"train.batch_size": 1, "optim.lr": 5e-3, "model.hidden_channels": 16, "model.cutoff": 1.6}
    run = zoo.train("gat", data, epochs=25, out=tmp_path / "run", settings=settings)
    metrics = run.results["metrics"]
    assert len(metrics["pearson_mean_A"]["value"]) == 2
    assert min(metrics["pearson_mean_A"]["value"]) > 0.5
    assert max(run.results["baselines"]["type-mean"]["pearson_mean_A"]["value"]) == 0
    assert max(metrics["ceiling_mean_A"]["value"]) <= 1
    json.dumps(run.results)
