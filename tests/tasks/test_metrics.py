"""Metrics and losses against independent facts."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats
from synthetic import chain, glass

import zoo
from zoo.config import Optim
from zoo.data.dataset import Dataset
from zoo.data.loader import make_loader
from zoo.tasks.metrics import pearson, standard_error
from zoo.tasks.schedule import build_schedule
from zoo.verbs.evaluate import make_task


def test_pearson_equals_scipy():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, 3, 50))
    expected = [stats.pearsonr(a, b).statistic for a, b in zip(x, y, strict=True)]
    np.testing.assert_allclose(pearson(x, y), expected, rtol=1e-12)
    assert np.isnan(pearson(np.ones(5), np.arange(5.0)))


def test_standard_error_needs_three_values():
    assert standard_error(np.array([1.0, 2.0])) is None
    assert standard_error(np.array([1.0, 2, 3])) == pytest.approx(1 / np.sqrt(3))


def test_a_perfect_model_scores_perfectly(tmp_path):
    frames = Dataset(glass(tmp_path / "glass")).split("all")
    task = make_task(zoo.create_model("type-mean", dataset=frames.dataset), {"name": "propensity"})
    truth = {"targets": frames.array("targets")}
    scores = task.metrics(truth, frames)
    for name in "AB":
        np.testing.assert_allclose(scores[f"pearson_mean_{name}"]["value"], 1.0)
        np.testing.assert_allclose(scores[f"pearson_pooled_{name}"]["value"], 1.0)
        np.testing.assert_allclose(scores[f"mae_{name}"]["value"], 0.0)
    assert scores["mae_A"]["unit"] == "σ"


def test_pooled_and_mean_correlation_differ_as_they_should(tmp_path):
    """A guess that knows only each configuration's mean: 0 within, positive over all."""
    frames = Dataset(glass(tmp_path / "glass")).split("all")
    truth = frames.array("targets").astype(np.float64)
    truth[4:] += 3.0
    guess = np.repeat(truth.mean(1, keepdims=True), truth.shape[1], axis=1)
    frames.array = lambda name: (
        truth if name == "targets" else Dataset.array(frames.dataset, name, frames.index)
    )
    task = make_task(zoo.create_model("type-mean", dataset=frames.dataset), {"name": "propensity"})
    scores = task.metrics({"targets": guess}, frames)
    assert max(np.abs(scores["pearson_mean_A"]["value"])) < 1e-6
    assert min(scores["pearson_pooled_A"]["value"]) > 0.9


def test_force_errors_are_per_component_with_block_errors(tmp_path):
    frames = Dataset(chain(tmp_path / "chain")).split("all")
    task = make_task(zoo.create_model("mean-force", dataset=frames.dataset), {"name": "forces"})
    forces = frames.array("forces").astype(np.float64)
    energies = frames.array("energies")
    scores = task.metrics({"forces": forces + 0.3, "energy": energies - 0.2}, frames)
    assert scores["force_mae"]["value"] == pytest.approx(0.3)
    assert scores["force_rmse"]["value"] == pytest.approx(0.3)
    assert scores["energy_mae"]["value"] == pytest.approx(0.2)
    assert scores["force_mae"]["error"] == pytest.approx(0.0, abs=1e-12)  # all six blocks are alike


def test_loss_is_of_order_one_at_the_start_and_zero_for_the_truth(tmp_path):
    frames = Dataset(chain(tmp_path / "chain")).split("train")
    model = zoo.create_model("schnet", dataset=frames.dataset)
    task = make_task(model, {"name": "forces"})
    batch = next(iter(make_loader(frames, model.cutoff, 40)))
    loss, logs = task.loss(batch)
    assert 0.2 < loss.item() < 5
    task.train()
    loss, _ = task.loss(batch)
    loss.backward()
    batch.forces, batch.energy = task.predict(batch)["forces"], task.predict(batch)["energy"]
    loss, logs = task.eval().loss(batch)
    assert loss.item() < 1e-10 and logs["force_mae"].item() < 1e-6  # float32 rounding, squared


def test_type_weights_enter_the_loss(tmp_path):
    frames = Dataset(glass(tmp_path / "glass")).split("train")
    model = zoo.create_model("gat", dataset=frames.dataset)
    batch = next(iter(make_loader(frames, model.cutoff, 2)))
    losses = {}
    for name, weights in (("A", {1: 0.0}), ("B", {0: 0.0}), ("both", {})):
        settings = {"name": "propensity", "type_weights": weights, "loss": "mse"}
        losses[name] = make_task(model, settings).eval().loss(batch)[0].item()
    share = 48 / 60  # of A particles
    assert losses["both"] == pytest.approx(share * losses["A"] + (1 - share) * losses["B"], rel=1e-5)


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("constant", [0.25, 0.5, 0.75, 1, 1, 1]),
        ("cosine", [0.25, 0.5, 0.75, 1, None, 0.01]),
        ("exponential", [0.25, 0.5, 0.75, 1, None, 0.01]),
    ],
)
def test_schedules(schedule, expected):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    settings = Optim(lr=1.0, schedule=schedule, warmup_steps=3, final_lr=0.01)
    scheduler = build_schedule(optimizer, settings, total_steps=103)["lr_scheduler"]["scheduler"]
    rates = []
    for _ in range(104):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    found = [*rates[:4], rates[53], rates[103]]
    halfway = {"constant": 1.0, "cosine": 0.01 + 0.99 * 0.5, "exponential": 0.1}[schedule]
    expected[4] = halfway
    np.testing.assert_allclose(found, expected, rtol=1e-6)
