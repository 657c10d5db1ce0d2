"""Shares at the lowest temperature from samples of all temperatures, with errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


def mbar_log_weights(energies: np.ndarray, kT: np.ndarray, iterations: int = 200) -> np.ndarray:
    """Return the log weight of each sample in averages at the lowest temperature.

    Multistate Bennett acceptance ratio (Shirts, Chodera, J. Chem. Phys. 129, 124105 (2008), eqs. 11
    and 12) for temperatures: each sample counts for the mixture of all levels.

    Args:
        energies: `[samples, levels]`, those seen at each level; all levels equally often.
        kT: `[levels]`, the lowest first.

    Returns:
        `[samples, levels]`, up to a constant.
    """
    beta = 1 / kT
    shifted = np.asarray(energies, np.float64) - energies.mean()
    # As a histogram of narrow bins: 1/1000 of the range, where β changes by 30/eV and the range is
    # some eV. Sums over a million samples become sums over a thousand bins.
    edges = np.linspace(shifted.min(), shifted.max(), 2001)
    count = np.histogram(shifted, edges)[0]
    middle = 0.5 * (edges[1:] + edges[:-1])[count > 0]
    count = count[count > 0]
    free = np.zeros(len(beta))
    for _ in range(iterations):
        mixture = _logsumexp(free - middle[:, None] * beta, 1)  # [bins], log Σ_l exp(f_l − β_l U)
        new = -_logsumexp(np.log(count)[:, None] - middle[:, None] * beta - mixture[:, None], 0)
        new -= new[0]
        done = np.abs(new - free).max() < 1e-10
        free = new
        if done:
            break
    log_mixture = np.full(shifted.shape, -np.inf)
    for f, b in zip(free, beta, strict=True):
        log_mixture = np.logaddexp(log_mixture, f - b * shifted)
    return -beta[0] * shifted - log_mixture


def _logsumexp(values: np.ndarray, axis: int) -> np.ndarray:
    top = values.max(axis, keepdims=True)
    return np.log(np.exp(values - top).sum(axis)) + top.squeeze(axis)


def shares(
    energies: np.ndarray, kT: np.ndarray, members: Mapping[str, tuple[np.ndarray, np.ndarray]]
) -> dict[str, Any]:
    """Return shares of states at the lowest temperature, as plain JSON.

    Args:
        energies: `[samples, ensembles, levels]`; ensembles are independent of each other.
        kT: `[levels]`, the lowest first, in the unit of the energies.
        members: for each state, whether a sample belongs to it and among which samples it is counted,
            both boolean arrays of the energies' shape.

    Returns:
        For each state the share by all levels (`mbar`) and by counting at the lowest (`direct`), each
        with its standard error between ensembles.
    """
    log_weight = mbar_log_weights(energies.reshape(-1, len(kT)), kT).reshape(energies.shape)
    weight = np.exp(log_weight - log_weight.max())
    found: dict[str, Any] = {}
    for name, (member, among) in members.items():
        all_levels = ratio_and_error(weight * (member & among), weight * among)
        lowest = ratio_and_error((member & among)[..., :1].astype(float), among[..., :1].astype(float))
        found[name] = {
            "mbar": [_rounded(v) for v in all_levels],
            "direct": [_rounded(v) for v in lowest],
        }
    return found


def ratio_and_error(above: np.ndarray, below: np.ndarray) -> tuple[float, float]:
    """Return Σ above / Σ below and its standard error between ensembles (axis 1), linearised."""
    a, b = above.sum((0, 2)), below.sum((0, 2))
    ratio = float(a.sum() / b.sum())
    n = len(a)
    rest = (a - ratio * b) / b.sum()
    return ratio, float(np.sqrt(n / max(n - 1, 1) * (rest**2).sum()))


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")
