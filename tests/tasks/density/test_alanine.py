"""Densities of alanine dipeptide: the control's populations, and an umbrella that is taken back."""

from __future__ import annotations

import numpy as np
import pytest

import zoo

FLOW = "hierarchical-flow"
SMALL = {
    "train.accelerator": "cpu", "train.batch_size": 512, "train.epochs": 2, "task.epoch_steps": 12,
    "task.val_samples": 512, "task.samples": 20_000, "model.omega": "trans", "train.ema": None,
    "model.hidden": 32, "model.torsion_hidden": 32, "model.couplings": 2, "optim.lr": 3e-3,
}  # fmt: skip


def weights(predictions):
    p = predictions
    log_w = -p["energy"] / p["kT"][0] + p["log_volume"] - p["log_prob"]
    w = np.exp(log_w - log_w.max())
    return w / w.sum()


def share(predictions):
    """Raw and reweighted share of φ > 0, and the error of the second."""
    inside = predictions["torsions"][:, 0] > 0
    w = weights(predictions)
    mean = float(w[inside].sum())
    return float(inside.mean()), mean, float(np.sqrt((w**2 * (inside - mean) ** 2).sum()))


def test_the_untrained_control_has_the_populations(tmp_path):
    """Uniform torsions, normal local coordinates, weights: φ > 0 is .306 ± .033 % by replica exchange."""
    settings = {"model.omega": "trans", "task.samples": 40_000}
    out = tmp_path / "run"
    run = zoo.train("laplace", "alanine-dipeptide", task="density", out=out, settings=settings)
    raw, weighted, error = share(run.predictions())
    assert raw == pytest.approx(0.5, abs=0.01)  # uniform
    assert error < 2e-3
    assert abs(weighted - 0.306e-2) < 4 * np.hypot(error, 0.033e-2)
    assert weighted < 0.01 < raw  # and the weights know better than the draws


def test_an_umbrella_fills_its_region_and_the_weights_take_it_back(tmp_path):
    """8 kT towards φ from 30° to 90°: many draws there, and the same share once weighted."""
    stages = [{"objectives": [{"name": "buffer", "draws": 4096, "refresh": 8}]}]
    settings = SMALL | {"task.stages": stages}
    runs = {}
    for name, bias in (("plain", None), ("biased", {"region": {"phi": [30, 90]}, "strength": 8.0})):
        given = settings | ({"task.bias": bias} if bias else {})
        runs[name] = zoo.train(
            FLOW,
            "alanine-dipeptide",
            task="density",
            out=tmp_path / name,
            settings=given,
            with_baselines=False,
        ).predictions()
    (raw, mean, error), (more, same, uncertainty) = (share(runs[name]) for name in ("plain", "biased"))
    assert more > 1.3 * raw
    assert abs(mean - same) < 4 * np.hypot(error, uncertainty)
    assert np.hypot(error, uncertainty) < 0.02
