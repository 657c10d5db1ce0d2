"""Alexander determinants and linking numbers of curves that are known."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from zoo.analysis.knots import (
    PRIMES,
    _exact_determinant,
    _more_primes,
    alexander,
    is_unknotted,
    linking_number,
)


def torus_knot(p: int, q: int, points: int = 150) -> np.ndarray:
    t = 2 * np.pi * np.arange(points) / points
    r = 2 + np.cos(q * t)
    return np.stack([r * np.cos(p * t), r * np.sin(p * t), np.sin(q * t)], axis=1)


def figure_eight(points: int = 150) -> np.ndarray:
    t = 2 * np.pi * np.arange(points) / points
    r = 2 + np.cos(2 * t)
    return np.stack([r * np.cos(3 * t), r * np.sin(3 * t), np.sin(4 * t)], axis=1)


def three_twist(points: int = 200) -> np.ndarray:
    """5₂ as a Lissajous knot."""
    t = 2 * np.pi * np.arange(points) / points
    return np.stack([np.cos(3 * t + 0.7), np.cos(2 * t + 0.2), np.cos(7 * t)], axis=1)


def circle(points: int = 40) -> np.ndarray:
    t = 2 * np.pi * np.arange(points) / points
    return np.stack([np.cos(t), np.sin(t), 0 * t], axis=1)


def turned(curve: np.ndarray, seed: int) -> np.ndarray:
    """The curve rotated at random, started elsewhere, run through the other way round."""
    rng = np.random.default_rng(seed)
    q, r = np.linalg.qr(rng.normal(size=(3, 3)))
    q *= np.sign(np.diag(r))
    q[:, 0] *= np.linalg.det(q)
    return np.roll(curve @ q.T, int(rng.integers(len(curve))), axis=0)[:: rng.choice([-1, 1])] * 3 + 7


KNOTS = {
    "unknot": (torus_knot(1, 5), (1, 1)),
    "trefoil": (torus_knot(2, 3), (3, 7)),
    "figure-eight": (figure_eight(), (5, 11)),
    "5_1": (torus_knot(2, 5), (5, 31)),
    "5_2": (three_twist(), (7, 1)),
}


@pytest.mark.parametrize("name", KNOTS)
def test_known_knots_in_any_orientation(name: str) -> None:
    curve, expected = KNOTS[name]
    for seed in range(6):
        assert alexander(turned(curve, seed)) == expected
        assert alexander(turned(curve * [1, 1, -1], seed)) == expected  # its mirror image
    assert is_unknotted(curve) == (name == "unknot")


@pytest.mark.parametrize(("p", "q"), [(2, 7), (3, 4), (3, 5), (4, 5)])
def test_torus_knots_have_the_polynomial_of_the_textbook(p: int, q: int) -> None:
    """Δ(t) = (t^pq − 1)(t − 1) / ((t^p − 1)(t^q − 1)); t → −1 by its value just beside."""
    t = Fraction(-2)
    at_two = abs((t ** (p * q) - 1) * (t - 1) / ((t**p - 1) * (t**q - 1)))
    odd = at_two.numerator
    while odd % 2 == 0:
        odd //= 2
    t = Fraction(-1) + Fraction(1, 10**9)
    at_one = round(abs((t ** (p * q) - 1) * (t - 1) / ((t**p - 1) * (t**q - 1))))
    assert alexander(turned(torus_knot(p, q, 300), 1)) == (at_one, odd)


def test_determinants_of_a_connected_sum_multiply() -> None:
    """Two knots, each cut open where it reaches out most, joined by two bridges between them."""
    for name, product in (("trefoil", (9, 49)), ("figure-eight", (15, 77)), ("5_1", (15, 217))):
        left, right = torus_knot(2, 3), KNOTS[name][0] + [20.0, 0, 0]
        left = np.roll(left, -int(left[:, 0].argmax()), axis=0)[1:]
        right = np.roll(right, -int(right[:, 0].argmin()), axis=0)[1:]
        assert alexander(np.concatenate([left, right])) == product


def test_random_polygons_have_one_type_from_all_sides() -> None:
    rng = np.random.default_rng(0)
    kinds = set()
    for number in range(25):
        steps = rng.normal(size=(60, 3))
        polygon = np.cumsum(steps - steps.mean(0), axis=0)
        found = {alexander(turned(polygon, seed)) for seed in range(4)}
        assert len(found) == 1, f"polygon {number} looks like {found}"
        kinds |= found
    assert (1, 1) in kinds and len(kinds) > 1  # some are knotted, or the test says nothing


def test_degenerate_projections_are_tried_again() -> None:
    assert alexander(circle()) == (1, 1)  # planar
    # bends at right angles along the axes: every axis is a degenerate direction
    corners = [(0, 0, 0), (2, 0, 0), (2, 2, 0), (1, 2, 0), (1, 2, 1), (1, -1, 1), (0, -1, 1), (0, -1, 0)]
    square = np.array(corners, float)
    assert alexander(square) == (1, 1)
    assert alexander(np.concatenate([torus_knot(2, 3), torus_knot(2, 3)[:1]])) == (3, 7)  # closed twice


def test_curves_that_cannot_be() -> None:
    t = 2 * np.pi * (np.arange(40) + 0.5) / 40
    crossing = np.stack([np.sin(2 * t), np.sin(t), 0 * t], axis=1)  # a planar eight meets itself
    with pytest.raises(ValueError, match="meets itself"):
        alexander(crossing)
    for bad in (np.zeros((2, 3)), np.zeros((5, 2)), np.full((5, 3), np.nan)):
        with pytest.raises(ValueError, match="closed curve"):
            alexander(bad)


def test_linking_numbers() -> None:
    ring = circle()
    other = ring[:, [0, 2, 1]] + [1.0, 0, 0]  # through the first: Hopf
    assert abs(linking_number(ring, other)) == 1
    assert linking_number(ring, other) == -linking_number(ring * [1, 1, -1], other * [1, 1, -1])
    assert linking_number(ring, other) == -linking_number(ring[::-1], other)
    assert linking_number(ring, other) == linking_number(other, ring)
    assert linking_number(ring, other + np.array([3.0, 0, 0])) == 0
    assert linking_number(ring, ring + np.array([0, 0, 0.5])) == 0
    for winds in (2, 3):  # a coil around the ring
        t = 2 * np.pi * np.arange(120) / 120
        r = 1 + 0.3 * np.cos(winds * t)
        coil = np.stack([r * np.cos(t), r * np.sin(t), 0.3 * np.sin(winds * t)], axis=1)
        for seed in range(3):
            q = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))[0]
            assert abs(linking_number(ring @ q, coil @ q)) == winds


def test_determinants_are_exact_however_large() -> None:
    rng = np.random.default_rng(0)
    for size, low in ((1, 5), (4, 3), (12, 9), (40, 50), (70, 1000)):
        matrix = rng.integers(-low, low + 1, (size, size))
        assert _exact_determinant(matrix) == bareiss(matrix.tolist())
    singular = rng.integers(-5, 6, (6, 6))
    singular[3] = singular[1] - 2 * singular[5]
    assert _exact_determinant(singular) == 0
    assert _more_primes(len(PRIMES)) == PRIMES


def bareiss(rows: list[list[int]]) -> int:
    """Fraction-free elimination."""
    n, sign, last = len(rows), 1, 1
    for k in range(n - 1):
        if rows[k][k] == 0:
            swap = next((i for i in range(k + 1, n) if rows[i][k]), None)
            if swap is None:
                return 0
            rows[k], rows[swap], sign = rows[swap], rows[k], -sign
        for i in range(k + 1, n):
            for j in range(k + 1, n):
                rows[i][j] = (rows[i][j] * rows[k][k] - rows[i][k] * rows[k][j]) // last
        last = rows[k][k]
    return sign * rows[-1][-1]
