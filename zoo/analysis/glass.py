"""Statistics of slow dynamics: scattering function, overlap, relaxation time, hops, cages.

Plain functions on numpy arrays, for any glass former; lengths in the unit of the positions.
"""

from __future__ import annotations

import numpy as np

#: Wave number of the self-intermediate scattering function, σ⁻¹: motion by about one diameter.
WAVE_NUMBER = 2 * np.pi
#: A particle that moved less than this, σ, still overlaps with where it was.
OVERLAP = 0.3
#: p_hop above which a particle rearranges, and below which it rests, σ².
HOP, REST = 0.2, 0.05


def scattering(
    displacements: np.ndarray, wave_number: float = WAVE_NUMBER, dimensions: int = 3
) -> np.ndarray:
    """Return F_s(k, t) of |Δr|, averaged over the last axis; directions are averaged exactly.

    Args:
        displacements: `[..., particles]`, |Δr| at some time.
        wave_number: k.
        dimensions: of space: sin(x)/x in three, the Bessel function J0(x) in two.
    """
    x = wave_number * np.asarray(displacements, np.float64)
    if dimensions == 2:
        from scipy.special import j0

        return np.asarray(j0(x).mean(-1))
    return np.sinc(x / np.pi).mean(-1)


def overlap(displacements: np.ndarray, length: float = OVERLAP) -> np.ndarray:
    """Return Q(t): the share of particles, along the last axis, that moved less than `length`.

    N. Lačević, F. W. Starr, T. B. Schrøder, S. C. Glotzer, J. Chem. Phys. 119, 7372 (2003).
    """
    return (np.asarray(displacements) < length).mean(-1)


def relaxation_time(times: np.ndarray, values: np.ndarray, level: float = np.exp(-1)) -> float | None:
    """Return the time at which a correlation falls to `level`; None if it does not.

    Linear in the logarithm of time between the two times around it.
    """
    below = np.flatnonzero(values < level)
    if not below.size or below[0] == 0:
        return None
    i = below[0]
    share = (values[i - 1] - level) / (values[i - 1] - values[i])
    return float(np.exp(np.log(times[i - 1]) + share * np.log(times[i] / times[i - 1])))


def p_hop(positions: np.ndarray, half: int) -> np.ndarray:
    """Return p_hop(t) = √(⟨(r − ⟨r⟩_B)²⟩_A ⟨(r − ⟨r⟩_A)²⟩_B) of each particle, length².

    A and B are the windows before and after t, `half` frames each and t itself in both. A particle
    that rests, jumps by d at t and rests again has d² (half / (half + 1))^(3/2).
    R. Candelier et al., Phys. Rev. Lett. 105, 135702 (2010); A. Smessaert, J. Rottler, Phys. Rev. E
    88, 022314 (2013).

    Args:
        positions: `[frames, particles, dimensions]`, unwrapped, at equal steps of time; inherent
            positions leave the vibrations out.
        half: frames of half a window.

    Returns:
        `[frames − 2 half, particles]`; the first one is at frame `half`.

    Raises:
        ValueError: fewer than 2 half + 1 frames.
    """
    frames, width = len(positions), half + 1
    if half < 1 or frames < 2 * half + 1:
        raise ValueError(f"{frames} frames are too few for windows of 2 × {half} + 1")
    r = np.asarray(positions, np.float64) - positions[:1]  # small numbers: squares keep their digits
    mean = _window_mean(r, width)  # [frames − half, ...], of the window that begins at each frame
    square = _window_mean(np.sum(r**2, axis=-1), width)
    before, after = slice(0, frames - 2 * half), slice(half, None)
    apart = np.sum((mean[before] - mean[after]) ** 2, axis=-1)
    spread = square - np.sum(mean**2, axis=-1)  # ⟨(r − ⟨r⟩)²⟩ within each window
    a, b = np.maximum(spread[before], 0) + apart, np.maximum(spread[after], 0) + apart
    return np.sqrt(a * b)


def _window_mean(values: np.ndarray, width: int) -> np.ndarray:
    total = np.cumsum(np.concatenate([np.zeros_like(values[:1]), values]), axis=0)
    return (total[width:] - total[:-width]) / width


def hop_labels(now: np.ndarray, largest: np.ndarray, hop: float = HOP, rest: float = REST) -> np.ndarray:
    """Return what a softness classifier learns: int8, 1 rearranges, 0 rests long, −1 neither.

    S. S. Schoenholz, E. D. Cubuk, D. M. Sussman, E. Kaxiras, A. J. Liu, Nat. Phys. 12, 469 (2016).

    Args:
        now: p_hop at the moment of the configuration.
        largest: p_hop's largest value within a long time around it.
        hop, rest: the two thresholds, length².
    """
    return np.where(now > hop, 1, np.where(largest < rest, 0, -1)).astype(np.int8)


def cage_relative(displacements: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Return displacements less the mean of the neighbours': what the cage does not carry along.

    It takes out the long waves that shake a two-dimensional system. S. Mazoyer, F. Ebert, G. Maret,
    P. Keim, EPL 88, 66004 (2009).

    Args:
        displacements: `[..., particles, dimensions]`, vectors.
        pairs: `[pairs, 2]` neighbours at the first time, each pair once. A particle without any
            keeps its displacement.
    """
    moves = np.asarray(displacements, np.float64)
    n = moves.shape[-2]
    total, count = np.zeros_like(moves), np.zeros(n)
    for one, other in (pairs.T, pairs.T[::-1]):
        np.add.at(np.moveaxis(total, -2, 0), one, np.moveaxis(moves, -2, 0)[other])
        np.add.at(count, one, 1)
    return moves - total / np.maximum(count, 1)[:, None]
