"""How far two samples' histograms of torsions differ, beside what chance alone would give."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zoo.analysis.weights import ess

#: Added to densities per rad², as FAB (Midgley et al., 2023) does: an empty bin costs, but not infinitely.
EPSILON = 1e-10


@dataclass(frozen=True)
class Divergence:
    """Distance of a model's histogram of (φ, ψ) from the reference's.

    Args:
        kl: Kullback-Leibler divergence of the reference from the model, nats.
        tv: total variation distance, between 0 and 1.
        kl_floor, tv_floor: means of the same between two samples of one density, of the same sizes.
        bins: along each axis.
        reference_size, model_size: effective numbers of independent samples.
    """

    kl: float
    tv: float
    kl_floor: float
    tv_floor: float
    bins: int
    reference_size: float
    model_size: float


def ramachandran_divergence(
    reference: np.ndarray,
    model: np.ndarray,
    weights: np.ndarray | None = None,
    bins: int = 64,
    *,
    reference_weights: np.ndarray | None = None,
    resamples: int = 20,
    seed: int = 0,
) -> Divergence:
    """Compare two samples of (φ, ψ) on a grid over the torus.

    Raw numbers mean little: a finite sample differs from its own density. The floor is found by
    resampling both sizes from the reference's histogram (parametric bootstrap), which lacks the bins that
    the reference never came to: below some samples a bin it is too low.

    Args:
        reference, model: `[n, 2]` and `[m, 2]` φ and ψ in radians.
        weights, reference_weights: `[m]` and `[n]`, not negative; None: equal. Their effective size by Kish
            takes the place of the count.
        bins: along each axis; 64 is FAB's, 100 is TA-BG's.
        resamples: pairs of samples for the floor.
        seed: of the floor.
    """
    p, q = plane(reference, bins, reference_weights).ravel(), plane(model, bins, weights).ravel()
    n, m = _size(reference, reference_weights), _size(model, weights)
    cell = (2 * np.pi / bins) ** 2
    rng = np.random.default_rng(seed)
    pairs = [
        [rng.multinomial(max(round(k), 1), p) / max(round(k), 1) for k in (n, m)] for _ in range(resamples)
    ]
    return Divergence(
        kl=kl(p, q, cell),
        tv=total_variation(p, q),
        kl_floor=float(np.mean([kl(a, b, cell) for a, b in pairs])),
        tv_floor=float(np.mean([total_variation(a, b) for a, b in pairs])),
        bins=bins,
        reference_size=n,
        model_size=m,
    )


def plane(angles: np.ndarray, bins: int, weights: np.ndarray | None = None) -> np.ndarray:
    """Return `[bins of φ, bins of ψ]` shares, from −π on, of angles `[n, 2]` in radians."""
    rows, columns = circle_bins(angles, bins).T
    counts = np.bincount(rows * bins + columns, weights, minlength=bins * bins).reshape(bins, bins)
    return np.asarray(counts / max(float(counts.sum()), np.finfo(float).tiny))


def circle(angles: np.ndarray, bins: int, weights: np.ndarray | None = None) -> np.ndarray:
    """Return `[bins]` shares, from −π on, of angles `[n]` in radians."""
    counts = np.bincount(circle_bins(angles, bins), weights, minlength=bins)
    return np.asarray(counts / max(float(counts.sum()), np.finfo(float).tiny))


def circle_bins(angles: np.ndarray, bins: int) -> np.ndarray:
    """Return the number of the bin of each angle; any multiple of 2π may be added to an angle."""
    return np.floor((np.asarray(angles, np.float64) / (2 * np.pi) + 0.5) * bins).astype(np.int64) % bins


def kl(p: np.ndarray, q: np.ndarray, cell: float = 1.0) -> float:
    """Return Σ p ln((p/cell + ε) / (q/cell + ε)) of shares p and q, nats; `cell` is a bin's size."""
    return float((p * np.log((p / cell + EPSILON) / (q / cell + EPSILON))).sum())


def total_variation(p: np.ndarray, q: np.ndarray) -> float:
    """Return ½ Σ |p − q| of shares."""
    return float(np.abs(p - q).sum() / 2)


def jensen_shannon(p: np.ndarray, q: np.ndarray) -> float:
    """Return the Jensen-Shannon divergence of shares, nats: 0 for equal ones, ln 2 for disjoint ones."""
    middle = (p + q) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = [np.where(x > 0, x * np.log(x / middle), 0.0).sum() for x in (p, q)]
    return float(sum(parts) / 2)


def torsion_divergences(
    reference: np.ndarray,
    model: np.ndarray,
    weights: np.ndarray | None = None,
    bins: int = 60,
    *,
    reference_weights: np.ndarray | None = None,
) -> np.ndarray:
    """Return `[torsions]` the Jensen-Shannon divergence of each torsion's marginal, nats.

    Two samples of one density differ by about (bins − 1)/8 · (1/n + 1/m).

    Args:
        reference, model: `[n, torsions]` and `[m, torsions]` in radians.
        weights, reference_weights: `[m]` and `[n]`, or None for equal ones.
        bins: of the circle.
    """
    return np.array(
        [
            jensen_shannon(circle(a, bins, reference_weights), circle(b, bins, weights))
            for a, b in zip(reference.T, model.T, strict=True)
        ]
    )


def _size(sample: np.ndarray, weights: np.ndarray | None) -> float:
    return float(len(sample)) if weights is None else len(sample) * ess(weights)
