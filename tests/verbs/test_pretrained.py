"""Weights that came with an earlier version still load, and still score what their card says."""

from __future__ import annotations

import pytest

import zoo
from zoo.data.catalog import open_dataset
from zoo.errors import RunError
from zoo.verbs.evaluate import make_task, predict
from zoo.weights import pretrained


@pytest.mark.parametrize("name", sorted(pretrained()))
def test_packaged_model_scores_what_its_card_says(name):
    import json

    card = json.loads((pretrained()[name] / "card.json").read_text())
    model = zoo.load(name)
    frames = open_dataset(card["dataset"]["name"]).split("test")
    assert frames.dataset.manifest.arrays["positions"].sha256.startswith(card["dataset"]["digest"])
    density = card["task"]["name"] == "density"
    # of draws a few are enough: what is compared are scores of the reference frames
    task = make_task(model, {**card["task"], "samples": 1000} if density else card["task"])
    metrics = task.metrics(predict(task, frames), frames)
    for key in ("eubo", "nll") if density else card["metrics"]:
        metric = card["metrics"][key]
        # float32 sums in another order: 1e-4 of an error that is 1e-2 of the forces
        assert metrics[key]["value"] == pytest.approx(metric["value"], rel=1e-3)


def test_packaged_schnet_is_far_better_than_the_harmonic_fit():
    """0.042 eV/Å is what `harmonic` reaches on the same test split (docs/benchmarks.md)."""
    import json

    card = json.loads((pretrained()["schnet-alanine-dipeptide"] / "card.json").read_text())
    assert card["metrics"]["force_mae"]["value"] < 0.5 * 0.042


def test_packaged_flow_needs_few_draws():
    """ESS of 10,000 draws; 0.85 is what the issue asked of two cores, 92.6 % was measured with 100,000."""
    model = zoo.load("hierarchical-flow-alanine-dipeptide")
    frames = open_dataset("alanine-dipeptide/replica-exchange").split("test")
    task = make_task(model, {"name": "density", "samples": 10_000})
    metrics = task.metrics(predict(task, frames), frames)
    assert metrics["ess"]["value"] > 0.85
    assert metrics["log_z"]["value"] == pytest.approx(-178.686, abs=0.02)
    assert not metrics["mode_drop"]["value"].startswith(("missing", "starved"))


def test_a_name_that_is_none():
    with pytest.raises(RunError, match="packaged: .*schnet-alanine-dipeptide"):
        zoo.load("schnet-alanine")
