"""Topology of closed curves: Alexander determinants and linking numbers, exact.

A. V. Vologodskii et al., Sov. Phys. JETP 39, 1059 (1974): of a generic projection, each crossing
gives one row of the Alexander matrix over the arcs between underpasses. |Δ(−1)| and the odd part of
|Δ(−2)| do not depend on the projection: unknot (1, 1), trefoil (3, 7), figure-eight (5, 11),
5₁ (5, 31), 5₂ (7, 1). The unknot is not the only knot with (1, 1), but the simpler ones are told apart.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

#: Two things in a projection closer than this, in mean segments, are too close to tell apart.
MARGIN = 1e-9
#: Primes near 2³⁰ for exact determinants: products of two residues fit an int64.
PRIMES = (1073741789, 1073741783, 1073741741, 1073741723, 1073741719, 1073741717, 1073741689, 1073741671)
#: Random projections that are tried before a curve is called singular.
ATTEMPTS = 20


class _Degenerate(Exception):
    """A projection in which two things lie above each other."""


@dataclass(frozen=True)
class Crossings:
    """Crossings of projected curves.

    Args:
        over, under: `[crossings]` where on the curves: number of the segment plus the fraction.
        sign: `[crossings]` +1 right-handed, −1 left-handed.
    """

    over: np.ndarray
    under: np.ndarray
    sign: np.ndarray


def alexander(curve: np.ndarray, seed: int = 0) -> tuple[int, int]:
    """Return (|Δ(−1)|, odd part of |Δ(−2)|) of a closed polygon `[points, 3]`.

    The first projection is along the curve's thinnest direction, where there are few crossings;
    degenerate ones are tried again along random directions, from `seed`.

    Raises:
        ValueError: the curve meets itself, or has fewer than three points.
    """
    curve = _closed(curve)
    found = _crossings([curve], seed)
    first, second = _determinant(found, -1), _determinant(found, -2)
    return first, second // (second & -second) if second else 0


def is_unknotted(curve: np.ndarray) -> bool:
    """Whether the closed polygon `[points, 3]` has the Alexander determinants of the unknot."""
    return alexander(curve) == (1, 1)


def linking_number(first: np.ndarray, second: np.ndarray, seed: int = 0) -> int:
    """Return the linking number of two closed polygons `[points, 3]`: half the sum of signs.

    Raises:
        ValueError: they meet, or one has fewer than three points.
    """
    return int(_crossings([_closed(first), _closed(second)], seed).sign.sum()) // 2


def _closed(curve: np.ndarray) -> np.ndarray:
    curve = np.asarray(curve, np.float64)
    if curve.ndim != 2 or curve.shape[1] != 3 or len(curve) < 3 or not np.isfinite(curve).all():
        raise ValueError(f"a closed curve is an array [points ≥ 3, 3] of numbers, got {curve.shape}")
    return curve[(curve != np.roll(curve, 1, axis=0)).any(1)]  # its last point may repeat the first


def _crossings(curves: list[np.ndarray], seed: int) -> Crossings:
    """Crossings of one curve with itself, or of two with each other, in a generic projection."""
    points = np.concatenate(curves)
    points = points - points.mean(0)
    lengths = [np.linalg.norm(np.roll(curve, -1, axis=0) - curve, axis=1) for curve in curves]
    points /= np.concatenate(lengths).mean()
    rng = np.random.default_rng(seed)
    # The thinnest direction along z, then turned a little: along its axes a regular curve is degenerate.
    axes = np.linalg.svd(points, full_matrices=False)[2]
    axes[2] *= np.linalg.det(axes)
    turn = _rotation(np.array([0.0123, 0.0345, 0.0567]))
    for _ in range(ATTEMPTS):
        flat = points @ (turn @ axes).T
        try:
            return _seen_from_above(flat[: len(curves[0])], flat[-len(curves[-1]) :], len(curves) == 1)
        except _Degenerate:
            turn = _rotation(rng.normal(size=3))
    raise ValueError("the curve meets itself: no projection of it is generic")


def _rotation(vector: np.ndarray) -> np.ndarray:
    """Rotation `[3, 3]` by |vector| radians about it (Rodrigues)."""
    angle = float(np.linalg.norm(vector))
    x, y, z = vector / angle
    k = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    return np.eye(3) + math.sin(angle) * k + (1 - math.cos(angle)) * (k @ k)


def _seen_from_above(a: np.ndarray, b: np.ndarray, same: bool) -> Crossings:
    """Crossings of the closed polygons a and b in the projection along z; `same`: they are one."""
    da, db = np.roll(a, -1, axis=0) - a, np.roll(b, -1, axis=0) - b
    gap = b[None] - a[:, None]
    cross = da[:, None, 0] * db[None, :, 1] - da[:, None, 1] * db[None, :, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        # a_i + s da_i = b_j + t db_j in the plane
        s = (gap[..., 0] * db[None, :, 1] - gap[..., 1] * db[None, :, 0]) / cross
        t = (gap[..., 0] * da[:, None, 1] - gap[..., 1] * da[:, None, 0]) / cross
        near = (s > -MARGIN) & (s < 1 + MARGIN) & (t > -MARGIN) & (t < 1 + MARGIN)
    if same:
        n = len(a)
        i, j = np.indices((n, n))
        near &= (j > i + 1) & ~((i == 0) & (j == n - 1))
    i, j = np.nonzero(near)
    s, t = s[i, j], t[i, j]
    height = (a[i, 2] + s * da[i, 2]) - (b[j, 2] + t * db[j, 2])
    edge = (np.minimum(s, 1 - s) < MARGIN) | (np.minimum(t, 1 - t) < MARGIN)
    if edge.any() or (np.abs(height) < MARGIN).any():
        raise _Degenerate
    above = height > 0
    # Looking down, turning the upper strand counterclockwise onto the lower one is right-handed
    # where (upper × lower) points up.
    sign = np.where(above, 1, -1) * np.sign(cross[i, j]).astype(int)
    over, under = np.where(above, i + s, j + t), np.where(above, j + t, i + s)
    if same and (np.diff(np.sort(np.concatenate([over, under]))) < MARGIN).any():
        raise _Degenerate  # three strands at one point
    return Crossings(over, under, sign)


def _determinant(found: Crossings, t: int) -> int:
    """|det| of a minor of the Alexander matrix at the integer t, which is ±tᵐ Δ(t)."""
    size = len(found.sign)
    if size < 3:
        return 1  # fewer than three crossings make no knot
    under = np.sort(found.under)
    # Arc k runs from underpass k to underpass k + 1; crossing c ends arc `rank − 1`, begins arc `rank`.
    rank = np.searchsorted(under, found.under)
    over = (np.searchsorted(under, found.over) - 1) % size
    before, after = (rank - 1) % size, rank
    right = found.sign > 0
    rows = np.arange(size)
    matrix = np.zeros((size, size), np.int64)
    np.add.at(matrix, (rows, over), 1 - t)
    np.add.at(matrix, (rows, before), np.where(right, -1, t))
    np.add.at(matrix, (rows, after), np.where(right, t, -1))
    return abs(_exact_determinant(matrix[1:, 1:]))


def _exact_determinant(matrix: np.ndarray) -> int:
    """Determinant of an integer matrix, from residues modulo enough primes for Hadamard's bound."""
    bits = 0.5 * np.log2(np.maximum((matrix**2).sum(1), 1)).sum() + 2
    number = math.ceil(bits / math.log2(PRIMES[-1]))
    primes = PRIMES[:number]
    if number > len(PRIMES):
        primes = _more_primes(number)
    modulus = math.prod(primes)
    value = 0
    for prime, residue in zip(primes, _residues(matrix, np.array(primes)), strict=True):
        rest = modulus // prime
        value += int(residue) * rest * pow(rest, -1, prime)
    value %= modulus
    return value - modulus if 2 * value > modulus else value


def _residues(matrix: np.ndarray, primes: np.ndarray) -> np.ndarray:
    """Determinants `[primes]` modulo each prime, by Gauss's elimination of all of them at once."""
    work = matrix[None] % primes[:, None, None]
    many = np.arange(len(primes))
    result = np.ones(len(primes), np.int64)
    for column in range(matrix.shape[0]):
        pivot = column + (work[:, column:, column] != 0).argmax(1)
        swap = pivot != column
        result = np.where(swap, -result, result) % primes
        top, low = work[many, pivot].copy(), work[:, column].copy()
        work[many, pivot], work[:, column] = low, top
        head = top[:, column]
        result = result * head % primes  # zero where there is no pivot: so is the determinant
        inverse = np.array([pow(int(h), -1, int(p)) if h else 0 for h, p in zip(head, primes, strict=True)])
        factor = work[:, column + 1 :, column] * inverse[:, None] % primes[:, None]
        part = factor[:, :, None] * top[:, None, column:] % primes[:, None, None]
        rest = work[:, column + 1 :, column:]
        work[:, column + 1 :, column:] = (rest - part) % primes[:, None, None]
    return result


def _more_primes(number: int) -> tuple[int, ...]:
    """The `number` largest primes below 2³⁰, for very many crossings."""
    limit = 2**30
    found: list[int] = []
    small = [p for p in range(3, 1 << 15, 2) if all(p % q for q in range(3, math.isqrt(p) + 1, 2))]
    candidate = limit - 1
    while len(found) < number:
        if all(candidate % p for p in small):
            found.append(candidate)
        candidate -= 2
    return tuple(found)
