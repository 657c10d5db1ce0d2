"""Looks inside while a network trains: they change nothing, stop nothing, and what is wrong is told."""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from synthetic import chain, glass

import zoo
from zoo.analysis.flags import Flag
from zoo.cli.app import main
from zoo.config import Strict
from zoo.data.dataset import Dataset
from zoo.errors import ConfigError, DataError, RunFailed
from zoo.progress import _silent
from zoo.report import write_looks
from zoo.run import FLAGS, STATUS, Run, run_flags
from zoo.verbs.inside.record import Inside
from zoo.verbs.inside.subject import open_subject
from zoo.verbs.looking import health, takes
from zoo.verbs.looking.callback import epoch_folder
from zoo.verbs.looking.journal import Journal
from zoo.verbs.looking.takes import Take, prediction_flags, take

SMALL = {"train.batch_size": 8, "train.accelerator": "cpu"}
SCHNET = SMALL | {"model.hidden_channels": 8}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return chain(tmp_path_factory.mktemp("data") / "chain", frames=96)


def rude(subject: Any, options: Any, **_: Any) -> Inside:
    """A look that draws random numbers, spoils the weights, and leaves gradients and training mode behind."""
    torch.rand(100), np.random.rand(100), random.random()
    model = subject.model.train()
    assert all(p.grad is None and p.device.type == "cpu" for p in model.parameters())
    sum(p.square().sum() for p in model.parameters()).backward()
    with torch.no_grad():
        for p in model.parameters():
            p.fill_(torch.nan)
    return Inside("layers", subject.label, flags=[Flag("rude", "as meant")])


def install(monkeypatch: pytest.MonkeyPatch, look: Any) -> None:
    """Take `look` for the only look of all networks."""
    module: Any = ModuleType("its_look")
    module.Options, module.look = type("Options", (Strict,), {}), look
    monkeypatch.setitem(sys.modules, "its_look", module)
    monkeypatch.setattr(takes, "LOOKS", {"layers": "its_look"})
    monkeypatch.setattr(takes, "TAKES", {key: {"layers": Take(2)} for key in takes.TAKES})


def content(run: Run) -> tuple[bytes, bytes, list[dict[str, float]], dict[str, Any]]:
    """All of a run that must not depend on looks."""
    rows = [{k: v for k, v in row.items() if k != "seconds"} for row in run.curve()]
    state = torch.load(run.path / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
    weights = [(run.path / name).read_bytes() for name in ("weights.safetensors", "predictions.npz")]
    return weights[0], weights[1], rows, {k: v.tolist() for k, v in state.items()}


@pytest.mark.parametrize(
    "model, name, settings",
    [
        ("schnet", "chain", SCHNET | {"train.ema": 0.9}),
        ("gat-autoencoder", "chain", SMALL),  # which draws in its loss
        ("realnvp", "dw4", SMALL | {"task.objective": "energy", "task.epoch_steps": 5, "task.samples": 200,
                                    "task.val_samples": 64}),  # which counts energies
    ],
)  # fmt: skip
def test_a_training_is_the_same_with_looks_and_without(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str, name: str, settings: dict
) -> None:
    install(monkeypatch, rude)
    where = data if name == "chain" else name
    how: dict[str, Any] = {"epochs": 3, "settings": settings, "with_baselines": False}
    plain = zoo.train(model, where, out=tmp_path / "plain", **how)
    looked = zoo.train(model, where, out=tmp_path / "looked", look_every=1, **how)
    assert content(plain) == content(looked)
    assert plain.config.digest() == looked.config.digest()
    assert len(list(looked.path.glob("inside/epochs/*/layers.json"))) == 3
    assert run_flags(looked) == [Flag("rude", "as meant")]
    assert not (looked.path / STATUS).exists() and not (plain.path / FLAGS).exists()


def test_averaged_weights_are_looked_at(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[dict[str, torch.Tensor]] = []

    def look(subject: Any, options: Any, **_: Any) -> Inside:
        seen.append({k: v.clone() for k, v in subject.model.state_dict().items()})
        return Inside("layers", subject.label)

    install(monkeypatch, look)
    settings = SCHNET | {"train.ema": 0.9}
    run = zoo.train("schnet", data, epochs=2, settings=settings, out=tmp_path / "run", look_every=2)
    # validation of the last epoch, the best here, had the averaged weights as well
    best = load_file(run.path / "checkpoints" / "best.safetensors")
    assert run.curve()[1]["val_loss"] < run.curve()[0]["val_loss"]
    assert all(torch.equal(seen[0][name], value) for name, value in best.items())


@pytest.mark.parametrize("model, more", [("schnet", {}), ("realnvp", {"task.objective": "data"}),
                                         ("cg-autoencoder", {"model.beads": 2})])  # fmt: skip
def test_the_looks_that_there_are_never_see_the_test_split(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str, more: dict
) -> None:
    asked: list[str] = []
    split = Dataset.split

    def watched(self: Dataset, name: str) -> Any:
        if _silent.get():
            asked.append(name)
        return split(self, name)

    monkeypatch.setattr(Dataset, "split", watched)
    settings = SCHNET if model == "schnet" else SMALL
    run = zoo.train(model, data, epochs=3, settings=settings | more, out=tmp_path / "run", look_every=2)
    assert set(asked) <= {"train", "val"} and "val" in asked
    interface = {"schnet": "potential", "realnvp": "density", "cg-autoencoder": "autoencoder"}[model]
    for epochs in (2, 3):  # every second epoch, and the last one
        found = {path.stem for path in epoch_folder(run.path, epochs).glob("*.json")}
        # linear maps are what cg-autoencoder does not have
        assert found >= set(takes.TAKES[interface]) - ({"layers"} if model == "cg-autoencoder" else set())
        for kind in found:
            assert Inside.load(epoch_folder(run.path, epochs), kind).facts["look"]["epochs"] == epochs
    assert not epoch_folder(run.path, 1).exists()


def test_a_look_that_fails_is_told_of_once_and_stops_nothing(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    statuses: list[dict[str, Any]] = []

    def look(subject: Any, options: Any, **_: Any) -> Inside:
        statuses.append(json.loads((subject.folder / STATUS).read_text()))
        raise ZeroDivisionError("no\nway")

    install(monkeypatch, look)
    run = zoo.train("schnet", data, epochs=3, settings=SCHNET, out=tmp_path / "run", look_every=1)
    assert run.done
    assert capsys.readouterr().err.count("no look at layers: ZeroDivisionError: no way") == 1
    assert [s["state"] for s in statuses] == ["looking"] * 3 and [s["done"] for s in statuses] == [1, 2, 3]
    assert statuses[2]["problems"] == {"layers": "ZeroDivisionError: no way"}


def test_time_of_looks_is_not_training(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    def look(subject: Any, options: Any, **_: Any) -> Inside:
        time.sleep(1.5)
        return Inside("layers", subject.label)

    install(monkeypatch, look)
    run = zoo.train("schnet", data, epochs=2, settings=SCHNET, out=tmp_path / "run", look_every=1)
    seconds = [row["seconds"] for row in run.curve()]
    assert seconds[1] - seconds[0] < 1.2  # an epoch takes a tenth of a second


@pytest.mark.parametrize("lr, kind, text", [(1e30, "divergence", "have run away")])
def test_a_loss_that_is_not_finite_names_what_broke(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], lr: float, kind: str, text: str
) -> None:
    settings = SCHNET | {"optim.lr": lr, "optim.schedule": "constant"}
    with pytest.raises(RunFailed):
        zoo.train("schnet", data, epochs=5, settings=settings, out=tmp_path / "run", with_baselines=False)
    run = Run(tmp_path / "run")
    flags = {flag.kind: flag.text for flag in run_flags(run)}
    assert "after 0 of 5 epochs: the loss became" in flags["died"]
    assert text in flags[kind] and ("weight" in flags[kind] or "bias" in flags[kind])
    assert json.loads((run.path / STATUS).read_text())["state"] == "died"
    printed = capsys.readouterr().err
    assert printed.count(f"! {kind}: ") == 1 and "! died" not in printed  # the error says that itself


def test_ctrl_c_leaves_a_word_and_resume_takes_it_back(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    how: dict[str, Any] = {"epochs": 3, "settings": SCHNET, "with_baselines": False, "look_every": 1}
    install(monkeypatch, rude)
    whole = zoo.train("schnet", data, out=tmp_path / "whole", **how)
    with monkeypatch.context() as patch:

        def stop(self: Any, trainer: Any, *_: Any) -> None:
            if trainer.current_epoch == 1:
                raise KeyboardInterrupt

        patch.setattr(health.Health, "on_train_batch_end", stop)
        with pytest.raises(KeyboardInterrupt):
            zoo.train("schnet", data, out=tmp_path / "run", **how)
    run = Run(tmp_path / "run")
    assert run_flags(run)[-1].text.startswith("training ended after 1 of 3 epochs: it was interrupted")
    resumed = zoo.train("schnet", data, out=run.path, resume=True, **how)
    assert content(resumed) == content(whole)
    assert [flag.kind for flag in run_flags(resumed)] == ["rude"]
    assert len(list(run.path.glob("inside/epochs/*"))) == 3


def test_flags_are_printed_once_and_kept_while_they_hold(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = zoo.train("mean-force", data, out=tmp_path / "run", with_baselines=False)
    with Journal(run, 5) as journal:
        for loss in ("1", "2"):
            journal.flag("curve", [Flag("divergence", f"at {loss}")])
        assert [flag.text for flag in run_flags(run)] == ["at 2"]
        journal.flag("weights", [Flag("NaN", "here")])
        assert len(run_flags(run)) == 2
        journal.flag("curve", [])
        assert [flag.kind for flag in run_flags(run)] == ["NaN"]
    assert capsys.readouterr().err.splitlines() == ["! divergence: at 1", "! NaN: here"]
    with Journal(run, 5, active=False) as journal:  # another process of the same run
        journal.flag("curve", [Flag("divergence", "at 3")])
        journal.at("training")
    assert [flag.kind for flag in run_flags(run)] == ["NaN"] and not (run.path / STATUS).exists()


@pytest.mark.parametrize(
    "model, every, reply", [("schnet", "0", "from 1"), ("mean-force", "1", "closed form")]
)
def test_wrong_requests_leave_nothing(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], model: str, every: str, reply: str
) -> None:
    out = tmp_path / "run"
    assert main(["train", model, str(data), "--out", str(out), "--look-every", every]) == 2
    assert reply in capsys.readouterr().err and not out.exists()


# --- the looks of this room -----------------------------------------------------------------------------


def test_a_slice_is_what_the_network_predicts(tmp_path: Path) -> None:
    where = glass(tmp_path / "glass")
    settings = SMALL | {"model.hidden_channels": 8}
    run = zoo.train("gat", where, epochs=1, settings=settings, out=tmp_path / "run", with_baselines=False)
    subject = open_subject(run)
    record = take("slice", subject)
    assert np.allclose(record.arrays["predicted"], run.predictions()["targets"][0], atol=1e-6)
    frame = subject.data.split("test").index[0]
    assert record.facts["frame"] == frame
    assert np.array_equal(record.arrays["measured"], subject.data.array("targets")[frame])
    page = write_looks([record], tmp_path / "slice.html").read_text()
    assert "Propensity of a slice" in page and "Agreement by time" in page
    assert prediction_flags(subject) == []
    with torch.no_grad():
        for p in subject.model.parameters():
            p.zero_()
    (flag,) = prediction_flags(subject)
    assert flag.kind == "collapse" and "targets" in flag.text


def test_samples_are_draws_or_frames_beside_what_is_decoded(data: Path, tmp_path: Path) -> None:
    run = zoo.train("pca", data, out=tmp_path / "pca", settings={"model.latent": 2}, with_baselines=False)
    subject = open_subject(run)
    record = take("samples", subject)
    split, arrays = subject.data.split("test"), run.predictions()
    assert record.facts["notes"][0] == f"frame {split.index[0]}"
    assert np.array_equal(record.arrays["positions"][0], split.array("positions")[0])
    assert np.allclose(record.arrays["positions"][1], arrays["reconstruction"][0], atol=1e-5)
    assert "Structures in space" in write_looks([record], tmp_path / "samples.html").read_text()
    with pytest.raises(ConfigError, match="makes no structures"):
        from zoo.verbs.inside import samples

        settings = {"frames": 4, "seed": 0, "against": None}
        samples.look(open_subject("schnet-alanine-dipeptide"), samples.Options(), **settings)


def test_a_damaged_file_of_flags_is_named(data: Path, tmp_path: Path) -> None:
    run = zoo.train("mean-force", data, out=tmp_path / "run", with_baselines=False)
    (run.path / FLAGS).write_text('{"flags": [1]}')
    with pytest.raises(zoo.errors.RunError, match="damaged"):
        run_flags(run)


def test_wrong_data_end_a_run_in_words(data: Path, tmp_path: Path) -> None:
    """A request that fails behind the making of the run directory is told there, too."""
    with pytest.raises((ConfigError, DataError)):
        zoo.train("realnvp", data, out=tmp_path / "run", settings={"task.objective": "energy"})
    if (tmp_path / "run").exists():
        assert run_flags(Run(tmp_path / "run"))[-1].kind == "died"
