"""Scattering, overlap, relaxation times, p_hop and cages, on motions whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from zoo.analysis.glass import cage_relative, hop_labels, overlap, p_hop, relaxation_time, scattering


@pytest.mark.parametrize("dimensions", [2, 3])
def test_scattering_of_gaussian_motion(dimensions: int) -> None:
    # Gaussian displacements of variance s² per axis: F_s = exp(−k² s² / 2); 2e5 samples leave 0.002.
    rng = np.random.default_rng(0)
    moves = np.linalg.norm(rng.normal(scale=0.2, size=(200_000, dimensions)), axis=1)
    expected = np.exp(-(7.25**2) * 0.04 / 2)
    assert scattering(moves, 7.25, dimensions) == pytest.approx(expected, abs=0.006)
    assert scattering(np.zeros(3), 7.25, dimensions) == 1.0


def test_overlap_counts_who_stayed() -> None:
    assert overlap(np.array([[0.0, 0.29, 0.31, 5.0], [0.1, 0.1, 0.1, 0.1]])).tolist() == [0.5, 1.0]


def test_relaxation_time_of_an_exponential() -> None:
    times = np.geomspace(0.1, 100, 40)
    # Log-linear between 40 points: error of a few per mille.
    assert relaxation_time(times, np.exp(-times / 7.0)) == pytest.approx(7.0, rel=0.01)
    assert relaxation_time(times[:5], np.exp(-times[:5] / 7.0)) is None


def jump(frames: int, at: int, length: float, noise: float = 0.0) -> np.ndarray:
    """One particle that rests and jumps between frames at − 1 and at, one that only rattles."""
    rng = np.random.default_rng(1)
    path = rng.normal(scale=noise, size=(frames, 2, 3))
    path[at:, 0, 0] += length
    return path + 100.0  # far from the origin: no digits may be lost


def test_p_hop_of_a_single_jump() -> None:
    """Worked by hand: windows of 4 frames, one of which is shared."""
    values = p_hop(jump(21, 10, 1.0), 3)
    assert values.shape == (21 - 6, 2)
    np.testing.assert_allclose(values[:, 1], 0.0, atol=1e-9)
    # Centre 10 (index 7): A = frames 7..10 = (0, 0, 0, 1), B = 10..13 = (1, 1, 1, 1). Deviations of A
    # from ⟨B⟩ = 1: 3/4. Of B from ⟨A⟩ = 1/4: (3/4)². The root of the product: 0.6495.
    assert values[7, 0] == pytest.approx(np.sqrt(0.75 * 0.75**2))
    assert values[7, 0] == pytest.approx(values[:, 0].max())
    assert values[0, 0] == pytest.approx(0.0, abs=1e-9)  # the windows do not reach the jump


def test_p_hop_equals_its_definition() -> None:
    path = np.cumsum(np.random.default_rng(2).normal(scale=0.1, size=(30, 5, 3)), axis=0)
    half, values = 4, p_hop(path, 4)
    for centre in (4, 13, 25):
        a, b = path[centre - half : centre + 1], path[centre : centre + half + 1]
        first = np.sum((a - b.mean(0)) ** 2, -1).mean(0)
        second = np.sum((b - a.mean(0)) ** 2, -1).mean(0)
        np.testing.assert_allclose(values[centre - half], np.sqrt(first * second), rtol=1e-9)
    with pytest.raises(ValueError, match="too few"):
        p_hop(path[:8], 4)


def test_p_hop_of_rattling_is_its_variance() -> None:
    """Without a jump: 3 s² (1 + 1/width) for both windows, all else equal; 5e3 particles leave 1 %."""
    rng, s, half = np.random.default_rng(3), 0.1, 9
    path = rng.normal(scale=s, size=(2 * half + 1, 5000, 3))
    # ⟨(r − ⟨r⟩_B)²⟩_A: the shared frame is in both means; its covariance takes 2 s²/width² of it.
    width = half + 1
    expected = 3 * s**2 * (1 + 1 / width - 2 / width**2)
    # The root of a product of two noisy factors is a little below their mean: 2 %.
    assert p_hop(path, half)[0].mean() == pytest.approx(expected, rel=0.03)


def test_labels() -> None:
    now = np.array([0.3, 0.1, 0.01, 0.01])
    largest = np.array([0.5, 0.3, 0.04, 0.3])
    assert hop_labels(now, largest).tolist() == [1, -1, 0, -1]


def test_what_a_cage_carries_along_is_taken_out() -> None:
    rng = np.random.default_rng(4)
    pairs = np.array([[0, 1], [1, 2], [2, 3], [3, 0]])
    drift = np.broadcast_to(rng.normal(size=3), (4, 3))
    np.testing.assert_allclose(cage_relative(drift, pairs), 0.0, atol=1e-12)
    moves = np.zeros((2, 5, 2))
    moves[:, 0] = [1.0, 0.0]
    own = cage_relative(moves, pairs)
    np.testing.assert_allclose(own[0, 0], [1.0, 0.0])  # its neighbours rest
    np.testing.assert_allclose(own[1, 1], [-0.5, 0.0])  # one of its two neighbours moved
    np.testing.assert_allclose(cage_relative(moves + 3.0, pairs)[:, 4], 3.0)  # no neighbours
