"""Requests that make no sense: one clear line, exit status 2, before anything is trained."""

from __future__ import annotations

import peroxide
import pytest
import torch
from synthetic import chain

import zoo
from zoo.cli.app import main
from zoo.errors import ConfigError, DataError, ZooError

QUICK = {"train.accelerator": "cpu", "train.epochs": 1, "task.epoch_steps": 1, "task.samples": 100}
HELD = [
    {"share": 1000, "objectives": [{"name": "reverse-kl"}]},
    {"objectives": [{"name": "reverse-kl", "part": "local"}]},
]


def refused(model, data, tmp_path, **settings) -> str:
    over = {"task.epoch_steps": 100_000, **{k.replace("__", "."): v for k, v in settings.items()}}
    with pytest.raises(ZooError) as caught:
        zoo.train(model, data, task="density", out=tmp_path / "run", settings=QUICK | over)
    assert caught.value.exit_code == 2
    message = str(caught.value)
    assert len(message.splitlines()) <= 2
    return message


@pytest.mark.parametrize("objective", ["energy", "annealed", "fab"])
def test_learning_from_an_energy_that_is_not_there(tmp_path, objective):
    data = chain(tmp_path / "chain")
    message = refused("spline-flow", data, tmp_path, task__objective=objective)
    assert "holds no energy function" in message and "--set task.objective=data" in message


def test_a_model_without_parts_is_told_at_once_not_after_the_first_stage(tmp_path):
    assert "this one has no parts" in refused("spline-flow", "dw4", tmp_path, task__stages=HELD)


def test_a_ladder_without_a_buffer(tmp_path):
    stages = [{"ladder": 4.0, "objectives": [{"name": "reverse-kl"}]}]
    message = refused("spline-flow", "dw4", tmp_path, task__stages=stages)
    assert "a stage with a ladder needs the objective 'buffer'" in message


@pytest.mark.parametrize(
    ("model", "data", "objective", "region", "words"),
    [
        (
            "hierarchical-flow",
            "alanine-dipeptide",
            "energy",
            {"chi1": [0, 90]},
            "no torsion 'chi1'; there are φ, ψ",
        ),
        ("spline-flow", "dw4", "energy", {"phi": [0, 90]}, "needs internal coordinates"),
        ("hierarchical-flow", "alanine-dipeptide", "data", {"phi": [0, 90]}, "does not learn from"),
    ],
)
def test_a_bias_on_nothing(tmp_path, model, data, objective, region, words):
    given = {"task__objective": objective, "task__bias": {"region": region}}
    assert words in refused(model, data, tmp_path, **given)


def test_omega_that_is_held_trans_takes_no_bias(tmp_path):
    given = {"task__bias": {"region": {"omega 1": [-90, 90]}}, "model__omega": "trans"}
    message = refused("hierarchical-flow", "alanine-dipeptide", tmp_path, **given)
    assert "'omega 1' is no circular coordinate of this model" in message


def test_a_dataset_without_a_temperature(tmp_path):
    data = peroxide.peroxide(tmp_path / "cold", temperature=None)
    assert "states no temperature" in refused("hierarchical-flow", data, tmp_path)


def test_a_periodic_dataset(tmp_path):
    message = refused("spline-flow", "kob-andersen", tmp_path)
    assert "is periodic; densities are of molecules and clusters in free space" in message
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("precision", ["16-mixed", "bf16-mixed"])
def test_half_precision(tmp_path, precision):
    message = refused("spline-flow", "dw4", tmp_path, train__precision=precision, task__objective="energy")
    assert "32-true or 64-true" in message


def test_reference_that_was_learned_from(tmp_path):
    given = {"task__objective": "data", "task__reference": "all"}
    assert "task.reference=all" in refused("spline-flow", "dw4", tmp_path, **given)


def test_internal_coordinates_of_loose_particles(tmp_path):
    assert "need bonds" in refused("spline-flow", "dw4", tmp_path, model__coordinates="internal")


def test_compilation_that_does_not_work(tmp_path, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("no compiler")

    monkeypatch.setattr(torch, "compile", broken)
    given = {"task__compile": True, "task__objective": "energy"}
    assert "--set task.compile=false" in refused("spline-flow", "dw4", tmp_path, **given)


def test_a_gpu_that_is_not_there(tmp_path):
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(ConfigError, match="torch sees 0"):
        zoo.train("spline-flow", "dw4", task="density", out=tmp_path / "run", accelerator="gpu")
    assert not (tmp_path / "run").exists()


def test_the_command_line_says_it_in_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = ["train", "spline-flow", "kob-andersen", "--task", "density", "--set", "task.objective=energy"]
    assert main(words) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and "is periodic" in captured.err
    assert len(captured.err.strip().splitlines()) <= 2


def test_an_untrained_control_of_stages_with_parts_is_no_error(tmp_path):
    """`laplace` is the baseline of every run, also of those that hold parts which it has not."""
    settings = QUICK | {"task.stages": HELD}
    out = tmp_path / "run"
    run = zoo.train("laplace", peroxide.peroxide(tmp_path / "d"), task="density", out=out, settings=settings)
    assert run.results["metrics"]["ess"]["value"] > 0.1


def test_energies_that_are_nowhere_finite_end_the_run_with_status_one(tmp_path, monkeypatch):
    monkeypatch.setattr("zoo.physics.toys.DoubleWells.__call__", lambda self, x: x.sum((1, 2)) / 0.0)
    settings = QUICK | {"task.objective": "energy"}
    with pytest.raises(zoo.errors.RunFailed, match="no draw of the model has a finite energy") as caught:
        zoo.train("spline-flow", "dw4", task="density", out=tmp_path / "run", settings=settings)
    assert caught.value.exit_code == 1 and not isinstance(caught.value, DataError)
