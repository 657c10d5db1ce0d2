"""Chains: size, bending, Rouse modes, and how they move.

M. Doi, S. F. Edwards, The Theory of Polymer Dynamics (Oxford 1986), chapter 4. All functions are
on arrays whose first axis is frames; frames of a run are equally spaced in time and not wrapped.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np


def gyration_tensor(positions: np.ndarray) -> np.ndarray:
    """Return the gyration tensors `[frames, 3, 3]` of equal beads `[frames, beads, 3]`."""
    arm = np.asarray(positions, np.float64)
    arm = arm - arm.mean(1, keepdims=True)
    return np.einsum("fia,fib->fab", arm, arm) / positions.shape[1]


def gyration_radius_squared(positions: np.ndarray) -> np.ndarray:
    """Return Rg² `[frames]` of equal beads `[frames, beads, 3]`."""
    return np.trace(gyration_tensor(positions), axis1=1, axis2=2)


def inertia_weight(positions: np.ndarray) -> np.ndarray:
    """Return √det I `[frames]`, I the tensor of inertia of beads of mass 1 `[frames, beads, 3]`.

    Dynamics without angular momentum visits a configuration with a probability that is smaller
    than Boltzmann's by 1/√det I, which is what the integral over momenta with L = 0 leaves. These
    weights give back the averages of equilibrium.
    """
    gyration = gyration_tensor(positions)
    trace = np.trace(gyration, axis1=1, axis2=2)[:, None, None]
    inertia = positions.shape[1] * (trace * np.eye(3) - gyration)
    return np.sqrt(np.linalg.det(inertia))


def bond_vectors(positions: np.ndarray, ring: bool) -> np.ndarray:
    """Return r_(i+1) − r_i `[frames, bonds, 3]` along a chain; a ring has the one that closes it."""
    positions = np.asarray(positions, np.float64)
    ahead = np.roll(positions, -1, axis=1) if ring else positions[:, 1:]
    return ahead - positions[:, : ahead.shape[1]]


def bend_cosines(positions: np.ndarray, ring: bool) -> np.ndarray:
    """Return cos θ `[frames, angles]` between consecutive bonds; 1 where the chain is straight."""
    bonds = bond_vectors(positions, ring)
    bonds /= np.linalg.norm(bonds, axis=-1, keepdims=True)
    after = np.roll(bonds, -1, axis=1) if ring else bonds[:, 1:]
    return np.sum(bonds[:, : after.shape[1]] * after, axis=-1)


def rouse_modes(positions: np.ndarray, ring: bool, modes: Iterable[int]) -> np.ndarray:
    """Return the Rouse modes X_p `[frames, modes, 3]` of a chain, complex for a ring.

    Ring: X_p = (1/N) Σ_n r_n exp(2π i p n / N). Linear: X_p = (1/N) Σ_n r_n cos(π p (n + ½) / N),
    n from 0. X_0 is the centre of mass.
    """
    beads = positions.shape[1]
    p, n = np.array(list(modes))[:, None], np.arange(beads)
    basis = np.exp(2j * np.pi * p * n / beads) if ring else np.cos(np.pi * p * (n + 0.5) / beads)
    return (basis / beads) @ np.asarray(positions, np.float64)


def rouse_amplitude(beads: int, ring: bool, mode: int, bond_squared: float = 1.0) -> float:
    """Return ⟨|X_p|²⟩ of an ideal chain with independent bonds of mean square `bond_squared`.

    b² / (4 N sin²(πp/N)) of a ring, with N − 1 for N where its closure is the only correlation of
    its bonds; b² / (8 N sin²(πp/2N)) of a linear chain. Exact for any distribution of the bonds.
    """
    if ring:
        return bond_squared / (4 * (beads - 1) * np.sin(np.pi * mode / beads) ** 2)
    return bond_squared / (8 * beads * np.sin(np.pi * mode / (2 * beads)) ** 2)


def rouse_time(amplitude: float, beads: int, ring: bool, friction: float, temperature: float) -> float:
    """Return the relaxation time of a mode by Rouse's model from its mean square amplitude.

    τ_p = ζ N ⟨|X_p|²⟩ / (3 k_B T) for a ring, twice that for a linear chain. In overdamped dynamics
    it is exact for the initial decay of ⟨X_p(t) X_p(0)⟩, whatever the potential, and so a lower
    bound of the relaxation time.

    Args:
        amplitude: ⟨|X_p|²⟩.
        beads: N.
        ring: closed or linear.
        friction: ζ of a bead: mass over time.
        temperature: k_B T.
    """
    return friction * beads * amplitude / (3 * temperature) * (1 if ring else 2)


def rouse_displacement_squared(
    time: float, amplitudes: np.ndarray, beads: int, ring: bool, friction: float, temperature: float
) -> float:
    """Return the mean square displacement of beads relative to the centre of mass, by Rouse's model.

    Σ_p c ⟨|X_p|²⟩ (1 − exp(−t/τ_p)) over p = 1 … N − 1, c = 2 for a ring and 4 for a linear chain.
    In overdamped dynamics it is an upper bound whatever the potential: each correlation function is
    a mixture of exponentials, and falls no faster than it begins to (Jensen's inequality).

    Args:
        time: t.
        amplitudes: `[N − 1]` ⟨|X_p|²⟩ from p = 1 on, as measured.
        beads, ring, friction, temperature: see `rouse_time`.
    """
    taus = np.array([rouse_time(a, beads, ring, friction, temperature) for a in amplitudes])
    return float((2 if ring else 4) * np.sum(amplitudes * -np.expm1(-time / taus)))


def ideal_ring_gyration(beads: int, bond_squared: float) -> float:
    """Return ⟨Rg²⟩ = b² (N + 1) / 12 of a phantom ring with freely jointed bonds: exact.

    ⟨b_i · b_j⟩ = −b²/(N − 1) for any two bonds, since all are alike and their sum is zero.
    """
    return bond_squared * (beads + 1) / 12


def ideal_linear_gyration(beads: int, bond_squared: float) -> float:
    """Return ⟨Rg²⟩ = b² (N² − 1) / (6 N) of a phantom linear chain with freely jointed bonds: exact."""
    return bond_squared * (beads**2 - 1) / (6 * beads)


def displacement_squared(positions: np.ndarray, lag: int) -> np.ndarray:
    """Return |r(t + lag) − r(t)|² `[times]` of one run `[frames, 3]` or of its beads, averaged.

    Args:
        positions: `[frames, 3]` or `[frames, beads, 3]`.
        lag: frames.
    """
    moved = np.asarray(positions[lag:], np.float64) - np.asarray(positions[:-lag], np.float64)
    squared = np.sum(moved**2, axis=-1)
    return squared if squared.ndim == 1 else squared.mean(1)


def free_displacement_squared(time: np.ndarray, diffusion: float, rate: float) -> np.ndarray:
    """Return ⟨|Δr|²⟩ = 6 D (t − (1 − e^(−γt)) / γ) of a free Langevin particle: exact.

    Args:
        time: t.
        diffusion: D = k_B T / (m γ); of the centre of mass of N beads, k_B T / (N ζ).
        rate: γ, friction over mass.
    """
    return 6 * diffusion * (time + np.expm1(-rate * time) / rate)


def correlation(values: np.ndarray, lags: Iterable[int]) -> np.ndarray:
    """Return Re ⟨X(t + lag) · X*(t)⟩ `[lags]` of one run `[frames, 3]`, no mean subtracted."""
    frames = len(values)
    return np.array(
        [np.sum(values[lag:] * values[: frames - lag].conj()).real / (frames - lag) for lag in lags]
    )


def decay_time(times: np.ndarray, correlation: np.ndarray, level: float = np.exp(-1)) -> float | None:
    """Return the time of an exponential through the points above `level` of a normalised correlation.

    A least-squares line through ln C(t) that starts at C(0) = 1. None where C has not fallen
    to `level` within the times, or has at the first of them already.

    Args:
        times: `[lags]`, the first one 0.
        correlation: `[lags]`, the first one 1.
        level: what is below is noise.
    """
    below = np.flatnonzero(correlation < level)
    if not len(below) or below[0] < 2:
        return None
    t, c = times[1 : below[0]], correlation[1 : below[0]]
    return float(-np.sum(t**2) / np.sum(t * np.log(c)))
