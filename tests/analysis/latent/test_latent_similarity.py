"""Alignment of latents that are, and are not, the same; separation; maps; sensitivity."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.spatial import procrustes
from sklearn.metrics import roc_auc_score

from zoo.analysis.latent.maps import neighbor_map, principal
from zoo.analysis.latent.sensitivity import fluctuation, sensitivity
from zoo.analysis.latent.separation import area, separation
from zoo.analysis.latent.similarity import linear_cka, procrustes_distance, similarity
from zoo.errors import DataError


def turned(x: np.ndarray, seed: int = 0) -> np.ndarray:
    turn = np.linalg.qr(np.random.default_rng(seed).standard_normal((x.shape[1],) * 2))[0]
    return 3.0 * x @ turn + 7.0


def test_the_same_up_to_rotation_shift_and_scale() -> None:
    x = np.random.default_rng(0).standard_normal((200, 4)) * [3, 2, 1, 1]
    assert linear_cka(x, turned(x)) == pytest.approx(1, abs=1e-12)
    assert procrustes_distance(x, turned(x)) == pytest.approx(0, abs=1e-12)
    stretched = x * [1, 5, 1, 1]
    assert linear_cka(x, stretched) < 0.9 and procrustes_distance(x, stretched) > 0.1


def test_procrustes_distance_is_that_of_scipy() -> None:
    rng = np.random.default_rng(1)
    x = rng.standard_normal((50, 3))
    y = x @ rng.standard_normal((3, 3)) + 0.5 * rng.standard_normal((50, 3))
    assert procrustes_distance(x, y) == pytest.approx(procrustes(x, y)[2], abs=1e-12)
    wide = np.concatenate([y, np.zeros((50, 2))], 1)  # latents of different size
    assert procrustes_distance(x, wide) == pytest.approx(procrustes_distance(x, y), abs=1e-12)


def test_alignment_is_that_of_kernels() -> None:
    """⟨K, L⟩ / ‖K‖‖L‖ of centred Gram matrices (Kornblith et al., eq. 2 and 3)."""
    rng = np.random.default_rng(2)
    x, y = rng.standard_normal((40, 3)), rng.standard_normal((40, 5))
    x, y = x - x.mean(0), y - y.mean(0)
    k, other = x @ x.T, y @ y.T
    exact = (k * other).sum() / np.linalg.norm(k) / np.linalg.norm(other)
    assert linear_cka(x + 3, y - 1) == pytest.approx(exact, rel=1e-12)


def test_error_and_null() -> None:
    rng = np.random.default_rng(3)
    x = rng.standard_normal((300, 4))
    y = x + rng.standard_normal((300, 4))
    blocks = np.arange(300) // 10
    found = similarity(linear_cka, x, y, blocks)
    other = similarity(linear_cka, x, rng.standard_normal((300, 4)), blocks)
    assert found.value > found.null + 20 * found.null_spread and 0 < found.error < 0.1
    assert abs(other.value - other.null) < 4 * other.null_spread
    with pytest.raises(DataError, match="300 and 299"):
        linear_cka(x, y[1:])
    assert np.isnan(linear_cka(x, np.ones((300, 2)))) and np.isnan(procrustes_distance(x, np.ones((300, 2))))


def test_sets_that_lie_apart_are_told_apart_and_others_are_not() -> None:
    rng = np.random.default_rng(4)
    run = np.repeat(np.arange(20), 15)
    second = run >= 10
    own = rng.standard_normal((20, 3))[run]  # runs differ, and a classifier could learn each by heart
    values = own + 0.1 * rng.standard_normal((300, 3))
    apart = separation(values + 6 * second[:, None], second, run)
    same = separation(values, second, run)
    for name in ("linear", "kernel"):
        assert apart[name].auc > 0.99 and apart[name].accuracy > 0.97
        assert abs(same[name].auc - 0.5) < 4 * same[name].auc_error + 0.15
        assert same[name].auc_error > 0.05  # twenty runs tell no more than that
    with pytest.raises(DataError, match="two independent runs"):
        separation(values, run > 0, run)


def test_a_ring_is_told_by_a_kernel_and_not_by_a_line() -> None:
    rng = np.random.default_rng(5)
    run = np.arange(400) // 10
    second = run >= 20
    angle, radius = (
        rng.uniform(0, 2 * np.pi, 400),
        np.where(second, 2.0, 0.5) + 0.1 * rng.standard_normal(400),
    )
    values = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1)
    found = separation(values, second, run)
    assert found["kernel"].accuracy > 0.95 and found["linear"].accuracy < 0.7


def test_area_under_the_curve_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(8)
    label, score = rng.random(200) < 0.3, np.round(rng.standard_normal(200), 1)  # with ties
    assert area(label, score) == pytest.approx(roc_auc_score(label, score), abs=1e-12)


def test_maps() -> None:
    rng = np.random.default_rng(6)
    values = np.concatenate([rng.standard_normal((60, 8)), rng.standard_normal((60, 8)) + 8])
    place, kept = neighbor_map(values)
    assert place.shape == (120, 2) and kept > 0.9
    middle = place[:60].mean(0), place[60:].mean(0)
    spread = place[:60].std()
    assert np.linalg.norm(middle[0] - middle[1]) > 1.5 * spread
    axes = principal(values, 2)
    assert axes.variances[0] > 5 * axes.variances[1]
    assert axes.project(values).var(0) == pytest.approx(axes.variances)
    with pytest.raises(DataError, match="12 points"):
        neighbor_map(values[:5])


def test_sensitivity_of_known_latents() -> None:
    """z₁ = 2 x of particle 1, z₂ = the distance of 0 and 2: derivatives 2 and 1, and 0 elsewhere."""
    x = torch.randn(5, 3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))

    def encode(frames: torch.Tensor) -> torch.Tensor:
        return torch.stack([2 * frames[:, 1, 0], (frames[:, 0] - frames[:, 2]).norm(dim=1)], 1)

    exact = torch.tensor([[0, 2, 0], [1, 0, 1]], dtype=torch.float64)
    assert torch.allclose(sensitivity(encode, x), exact, atol=1e-12)


def test_fluctuation_knows_no_rigid_motion() -> None:
    rng = np.random.default_rng(7)
    body = torch.from_numpy(rng.standard_normal((6, 3)) * 3)
    turns = torch.linalg.qr(torch.from_numpy(rng.standard_normal((200, 3, 3))))[0]
    turns = turns * torch.linalg.det(turns)[:, None, None]
    x = body @ turns + 10 * torch.from_numpy(rng.standard_normal((200, 1, 3)))
    assert fluctuation(x).max() < 1e-6
    x[:, 4] += 0.05 * torch.from_numpy(rng.standard_normal((200, 3)))
    found = fluctuation(x)
    # √3 · 0.05, of which superposition takes a share
    assert int(found.argmax()) == 4 and 0.05 < float(found[4]) < 0.09
