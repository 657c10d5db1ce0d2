"""Settings: where they come from, which one wins, and what a wrong one is told."""

from __future__ import annotations

import pytest
from synthetic import chain, glass

from zoo.config import RunConfig, Training, nest, parse_assignments, validated
from zoo.errors import ConfigError
from zoo.verbs.plan import resolve


def test_assignments_are_typed():
    pairs = ["optim.lr=1e-3", "train.epochs=5", "a.b=true", "a.c=[1, 2]", "a.d=text", "a.e=null"]
    assert nest(parse_assignments(pairs)) == {
        "optim": {"lr": 1e-3},
        "train": {"epochs": 5},
        "a": {"b": True, "c": [1, 2], "d": "text", "e": None},
    }
    with pytest.raises(ConfigError, match="key=value"):
        parse_assignments(["epochs"])
    with pytest.raises(ConfigError, match="below a plain value"):
        nest({"a": 1, "a.b": 2})


def test_wrong_settings_say_what_to_write():
    with pytest.raises(ConfigError, match="'train.epoch'.*'epochs'"):
        validated(Training, {"epoch": 3}, "train")
    with pytest.raises(ConfigError, match="'train.epochs'.*greater than or equal to 1, got 0"):
        validated(Training, {"epochs": 0}, "train")


def test_later_settings_win(tmp_path):
    data = chain(tmp_path / "chain")
    file = tmp_path / "c.yaml"
    file.write_text("optim: {lr: 2e-3, name: adam}\ntrain: {epochs: 7}\nmodel: {hidden_channels: 8}\n")
    plan = resolve("schnet", data, config=file, settings={"train.epochs": 9})
    assert (plan.config.optim.lr, plan.config.optim.name) == (2e-3, "adam")
    assert plan.config.train.epochs == 9
    assert plan.config.model["hidden_channels"] == 8
    assert plan.config.task["name"] == "forces"
    again = resolve("schnet", data, config=plan.config.model_dump(mode="json"))
    assert again.config.digest() == plan.config.digest()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"hidden_channels": 8}, "Did you mean 'model.hidden_channels'"),
        ({"model.hidden_chanels": 8}, "'model.hidden_chanels'.*'hidden_channels'"),
        ({"lr": 1}, "'optim.lr'"),
        ({"optim.lr": -1}, "optim.lr"),
        ({"task.energy_wight": 1}, "energy_weight"),
        ({"optimizer.lr": 1}, "optimizer"),
    ],
)
def test_misspelt_settings(tmp_path, settings, words):
    with pytest.raises(ConfigError, match=words):
        resolve("schnet", chain(tmp_path / "chain"), settings=settings)


def test_task_must_fit_model_and_data(tmp_path):
    molecule, particles = chain(tmp_path / "chain"), glass(tmp_path / "glass")
    assert resolve("gat", particles).config.task["name"] == "propensity"
    with pytest.raises(ConfigError, match="does not serve task 'propensity'"):
        resolve("harmonic", molecule, task="propensity")
    with pytest.raises(ConfigError, match="for which dataset 'glass' has no data"):
        resolve("harmonic", particles)


def test_digest_tells_runs_apart(tmp_path):
    base = {"model": {"name": "a"}, "dataset": {"name": "b"}, "task": {"name": "c"}}
    one, two = (validated(RunConfig, {**base, "train": {"seed": s}}) for s in (1, 2))
    assert one.digest() == one.digest() != two.digest()
