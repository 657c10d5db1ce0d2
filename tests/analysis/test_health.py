"""Flags: each is raised by the curve it is meant for, and by none of the others."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from zoo.analysis.health import collapse, curve_flags, dead_beads, ended, not_finite, run_away
from zoo.errors import RunFailed


def rows(train: np.ndarray, val: np.ndarray, **more: list[float]) -> list[dict[str, float]]:
    return [
        {"epoch": i, "train_loss": float(t), "val_loss": float(v), **{k: x[i] for k, x in more.items()}}
        for i, (t, v) in enumerate(zip(train, val, strict=True))
    ]


def kinds(found: list[dict[str, float]]) -> list[str]:
    return [flag.kind for flag in curve_flags(found)]


EPOCHS = np.arange(30)
RNG = np.random.default_rng(0)
FALLING = np.exp(-EPOCHS / 8) + 0.05


@pytest.mark.parametrize("shift", [0.0, -200.0])  # ratios, and differences as of log-likelihoods
def test_a_healthy_curve_raises_no_flag(shift: float) -> None:
    for seed in range(20):
        noise = np.random.default_rng(seed).normal(1, 0.03, (2, 30))
        assert kinds(rows(FALLING * noise[0] + shift, 1.1 * FALLING * noise[1] + shift)) == []


def test_a_single_spike_is_no_divergence() -> None:
    val = FALLING.copy()
    val[-2] = 50.0
    assert kinds(rows(FALLING, val)) == []


@pytest.mark.parametrize("scale, shift", [(1.0, 0.0), (100.0, -250.0)])
def test_a_loss_that_loses_what_it_gained_has_diverged(scale: float, shift: float) -> None:
    curve = scale * np.concatenate([FALLING[:20], [0.5, 0.9, 2.0, 3.0]]) + shift
    (flag,) = curve_flags(rows(curve, curve))
    assert flag.kind == "divergence" and "epoch 19" in flag.text


def test_validation_that_rises_while_training_falls_is_overfitting() -> None:
    val = FALLING.copy()
    val[12:] = val[12] * np.linspace(1.02, 1.6, 18)
    (flag,) = curve_flags(rows(FALLING, val))
    assert flag.kind == "overfitting" and "early_stopping" in flag.text
    assert kinds(rows(np.maximum(FALLING, FALLING[12]), val)) == []  # training does not fall
    assert kinds(rows(FALLING[:15], val[:15])) == []  # too soon to say
    assert kinds(rows(FALLING, val, val_elbo=[0.0] * 30)) == []  # no data to learn by heart


def test_a_flat_loss_has_stalled_and_a_short_one_has_not() -> None:
    flat = 0.7 * RNG.normal(1, 0.004, 30)
    assert kinds(rows(flat, flat)) == ["stalled"]
    assert kinds(rows(flat[:8], flat[:8])) == []


def test_a_gain_of_a_nat_is_one_however_large_the_loss() -> None:
    curve = 182 + 1.5 * np.exp(-EPOCHS / 6) + RNG.normal(0, 0.02, 30)
    assert kinds(rows(curve, curve)) == ["stalled"]  # as of an error, 0.8 %
    assert curve_flags(rows(curve, curve), nats=True) == []


def test_losses_at_another_temperature_are_not_compared() -> None:
    val = np.concatenate([np.full(10, 0.01), FALLING[:10] + 5])  # colder: another loss
    hot = [1200.0] * 10 + [300.0] * 10
    assert kinds(rows(val, val)) == ["divergence"]
    assert kinds(rows(val, val, temperature=hot)) == []


def test_the_first_loss_that_is_not_finite_is_named() -> None:
    val = FALLING.copy()
    val[7:] = np.nan
    (flag,) = curve_flags(rows(FALLING, val))
    assert flag.kind == "NaN" and "val_loss is nan since epoch 7" in flag.text


def test_the_first_bad_parameter_is_named() -> None:
    net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Linear(4, 2))
    assert not_finite("weights", net.named_parameters()) is None
    with torch.no_grad():
        net[1].weight[0, :3] = torch.inf
        net[1].bias[0] = torch.nan
    flag = not_finite("weights", net.named_parameters())
    assert flag is not None and "3 of the 8 weights of 1.weight are NaN or infinite, and 1 more" in flag.text


def test_weights_that_run_away_are_named() -> None:
    net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Linear(4, 2))
    assert run_away(net.named_parameters()) is None
    with torch.no_grad():
        net[0].weight[0, 0], net[1].bias[1] = -3e9, torch.inf
    flag = run_away(net.named_parameters())
    assert flag is not None and "0.weight up to 3e+09" in flag.text


def test_collapse_is_by_column() -> None:
    truth = RNG.normal(0, [1.0, 100.0], (200, 2))
    assert collapse("targets", 0.2 * truth, truth) is None  # a weak predictor, but one
    flag = collapse("targets", 0.001 * truth + [3.0, 5.0], truth)
    assert flag is not None and "0.1%" in flag.text
    # the wide column alone differing does not hide that the narrow one is all the same
    assert collapse("targets", truth * [0.0, 0.01], truth) is not None
    assert collapse("targets", np.zeros((200, 2)), np.ones((200, 2))) is None  # nothing to predict


def test_beads_without_particles() -> None:
    assert dead_beads(3, 3) is None
    flag = dead_beads(8, 5)
    assert flag is not None and flag.text.startswith("3 of 8 beads have no particles")


def test_the_end_of_a_run_is_told() -> None:
    assert "it was interrupted" in ended(KeyboardInterrupt(), 3, 50).text
    flag = ended(RunFailed("the loss became nan\n in epoch 3"), 3, 50)
    assert "after 3 of 50 epochs: the loss became nan in epoch 3." in flag.text
    assert "MemoryError" in ended(MemoryError(), 0, 5).text
