"""Whether two latent spaces hold the same: centred kernel alignment and Procrustes distance.

S. Kornblith et al., ICML 2019, arXiv:1905.00414; F. Ding, J.-S. Denain, J. Steinhardt, NeurIPS 2021,
arXiv:2108.01661.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from zoo.analysis.latent.information import shuffled_order
from zoo.errors import DataError

#: Shuffled copies of the null, and resamplings of the error.
NULLS, DRAWS = 50, 200


@dataclass(frozen=True)
class Similarity:
    """A measure with its error and its null.

    Args:
        value: of the rows as they are.
        error: bootstrap over blocks; NaN for fewer than three.
        null: mean over shuffled rows.
        null_spread: standard deviation over shuffles.
    """

    value: float
    error: float
    null: float
    null_spread: float


def linear_cka(x: np.ndarray, y: np.ndarray) -> float:
    """Return linear centred kernel alignment, 1 where x and y are the same up to rotation, shift and scale.

    ‖YᵀX‖² / (‖XᵀX‖ ‖YᵀY‖) of centred columns, Frobenius norms. With fewer rows than columns it is large
    for anything: see `similarity` for the null. NaN where one side does not vary.

    Args:
        x, y: `[n, a]`, `[n, b]`, the same samples in the same order.

    Raises:
        DataError: numbers of rows differ.
    """
    x, y = _centered(x, y)
    norm = np.linalg.norm(x.T @ x) * np.linalg.norm(y.T @ y)
    return float(np.linalg.norm(y.T @ x) ** 2 / norm) if norm > 0 else np.nan


def procrustes_distance(x: np.ndarray, y: np.ndarray) -> float:
    """Return 1 − (Σσ)², σ the singular values of XᵀY of centred x, y scaled to norm 1.

    The share of the variance of one that remains when the other is shifted, turned (or reflected) and
    scaled onto it: 0 the same, 1 nothing in common. NaN where one side does not vary.

    Args:
        x, y: see `linear_cka`.
    """
    x, y = _centered(x, y)
    norm = np.linalg.norm(x) * np.linalg.norm(y)
    if norm == 0:
        return float("nan")
    overlap = float(np.linalg.svd(x.T @ y, compute_uv=False).sum() / norm)
    return max(0.0, 1 - overlap**2)


def similarity(
    measure: Callable[[np.ndarray, np.ndarray], float],
    x: np.ndarray,
    y: np.ndarray,
    blocks: np.ndarray,
    *,
    free: bool = False,
    seed: int = 0,
) -> Similarity:
    """Evaluate `linear_cka` or `procrustes_distance` with error and null.

    Args:
        measure: of two arrays of the same rows.
        x, y: `[n, a]`, `[n, b]`.
        blocks: `[n]` block of time of each row.
        free: exchange single rows for the null, not whole blocks.
        seed: of shuffles and resamplings.
    """
    rng = np.random.default_rng(seed)
    nulls = np.array([measure(x, y[shuffled_order(blocks, rng, free=free)]) for _ in range(NULLS)])
    parts = [np.flatnonzero(blocks == b) for b in np.unique(blocks)]
    error = np.nan
    if len(parts) > 2:
        drawn = [
            np.concatenate([parts[i] for i in rng.integers(len(parts), size=len(parts))])
            for _ in range(DRAWS)
        ]
        error = float(np.nanstd([measure(x[rows], y[rows]) for rows in drawn], ddof=1))
    return Similarity(measure(x, y), error, float(nulls.mean()), float(nulls.std(ddof=1)))


def _centered(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if len(x) != len(y):
        raise DataError(f"latents of {len(x)} and {len(y)} samples cannot be compared: take the same frames")
    return x - x.mean(0), y - y.mean(0)
