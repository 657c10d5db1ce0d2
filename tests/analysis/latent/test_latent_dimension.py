"""Dimensions of manifolds whose dimension is known."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import make_swiss_roll

from zoo.analysis.latent.dimension import decimated, participation_ratio, spectrum, two_nn
from zoo.errors import DataError

POINTS = 1500


def cube(d: int, embedded: int) -> np.ndarray:
    rng = np.random.default_rng(d)
    turn = np.linalg.qr(rng.standard_normal((embedded, embedded)))[0]
    return rng.random((POINTS, d)) @ turn[:d]


def sphere() -> np.ndarray:
    x = np.random.default_rng(0).standard_normal((POINTS, 3))
    return x / np.linalg.norm(x, axis=1, keepdims=True)


@pytest.mark.parametrize(
    ("points", "dimension"),
    [
        (make_swiss_roll(POINTS, random_state=0)[0], 2),
        (sphere(), 2),
        (cube(1, 20), 1),
        (cube(2, 20), 2),
        (cube(5, 20), 5),
    ],
)
def test_planted_manifolds(points: np.ndarray, dimension: int) -> None:
    found = two_nn(points)
    # error of a dimension from n ratios is d/√n; edges of a cube lower it by some per cent at five
    assert found.error == pytest.approx(dimension / np.sqrt(0.9 * POINTS), rel=0.4)
    assert abs(found.dimension - dimension) < 4 * found.error + 0.04 * dimension
    assert len(found.cumulative) == found.points - 1


def test_noise_is_seen_at_small_scale_and_not_at_large() -> None:
    rng = np.random.default_rng(1)
    plane = np.concatenate([rng.random((4000, 2)), np.zeros((4000, 8))], 1)
    found = decimated(plane + 0.008 * rng.standard_normal(plane.shape))
    assert [f.points for f in found] == [4000, 2000, 1000, 500]
    assert found[0].dimension > 2.6 and found[0].dimension > found[-1].dimension + 0.3


def test_coinciding_points_are_left_out() -> None:
    points = cube(2, 4)
    found, plain = two_nn(np.concatenate([points, points[:100]])), two_nn(points)
    assert found.points == POINTS - 100
    assert found.dimension == pytest.approx(plain.dimension, rel=0.1)
    with pytest.raises(DataError, match="different points"):
        two_nn(np.zeros((100, 3)))
    with pytest.raises(DataError, match="first in row 7"):
        two_nn(np.where(np.arange(POINTS)[:, None] == 7, np.nan, points))


def test_participation_ratio_is_the_closed_form() -> None:
    rng = np.random.default_rng(0)
    blocks = np.arange(4000) // 100
    width = np.array([3.0, 2.0, 1.0, 0.0])
    turn = np.linalg.qr(rng.standard_normal((4, 4)))[0]
    found, error = participation_ratio(rng.standard_normal((4000, 4)) * width @ turn, blocks)
    exact = (width**2).sum() ** 2 / (width**4).sum()
    assert error is not None and abs(found - exact) < 4 * error and error < 0.05
    assert participation_ratio(rng.standard_normal((4000, 4)), blocks)[0] == pytest.approx(4, abs=0.05)
    line = np.outer(rng.standard_normal(4000), [1.0, 2.0])
    assert participation_ratio(line, blocks)[0] == pytest.approx(1, abs=1e-9)
    assert participation_ratio(line, blocks // 20)[1] is None
    assert np.isnan(participation_ratio(np.ones((9, 2)), np.arange(9))[0])


def test_error_of_the_participation_ratio_is_that_of_repetition() -> None:
    rng = np.random.default_rng(5)
    many = [
        participation_ratio(rng.standard_normal((300, 3)) * [2, 1, 1], np.arange(300) // 10)
        for _ in range(60)
    ]
    values, errors = np.array([m[0] for m in many]), np.array([m[1] for m in many])
    # 60 repetitions give a standard deviation to 9 %, the bootstrap of 30 blocks one to 13 %
    assert errors.mean() == pytest.approx(values.std(ddof=1), rel=0.35)


def test_spectrum_of_few_rows_is_padded() -> None:
    x = np.random.default_rng(0).standard_normal((3, 6))
    found = spectrum(x)
    assert found.shape == (6,) and np.all(found[2:] < 1e-20)
    assert found.sum() == pytest.approx(np.cov(x.T, bias=True).trace())
