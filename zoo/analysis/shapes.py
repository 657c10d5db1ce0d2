"""Size, bonds and contacts of polymers and proteins in two samples, and how far the two differ."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import wasserstein_distance

from zoo.analysis.polymers import gyration_radius_squared

#: Values that a distance is computed from, at most.
MOST = 200_000


@dataclass(frozen=True)
class Compared:
    """One quantity in a model's draws and in the reference.

    Args:
        reference, model: means.
        reference_spread, model_spread: standard deviations over all values.
        distance: Wasserstein distance of the two distributions, in the quantity's unit: how far a value
            must be moved on average to turn one into the other.
        floor: the same between the two halves of the reference's frames: what its own sampling leaves open.
    """

    reference: float
    model: float
    reference_spread: float
    model_spread: float
    distance: float
    floor: float


def compare_shapes(
    model: np.ndarray,
    reference: np.ndarray,
    bonds: np.ndarray,
    contact: float,
    weights: np.ndarray | None = None,
) -> dict[str, Compared]:
    """Compare two samples of conformations.

    Args:
        model, reference: `[n, particles, 3]` and `[m, particles, 3]`, in one unit; the latter in order of
            time.
        bonds: `[bonds, 2]`; may be empty.
        contact: distance below which two particles touch whose numbers differ by 3 or more.
        weights: of the reference's frames `[m]`; None: equal.

    Returns:
        `radius_of_gyration`, `contacts` (of a frame) and, where there are bonds, `bond_length`.
    """
    w = np.ones(len(reference)) if weights is None else np.asarray(weights, np.float64)
    both = (np.asarray(model), np.asarray(reference))
    quantities = {
        "radius_of_gyration": [np.sqrt(gyration_radius_squared(x))[:, None] for x in both],
        "contacts": [contact_counts(x, contact)[:, None] for x in both],
    }
    if len(bonds):
        quantities["bond_length"] = [bond_lengths(x, bonds) for x in both]
    return {name: _compared(drawn, known, w) for name, (drawn, known) in quantities.items()}


def bond_lengths(positions: np.ndarray, bonds: np.ndarray) -> np.ndarray:
    """Return lengths `[frames, bonds]` of the pairs `bonds [bonds, 2]`."""
    bonds = np.asarray(bonds, np.int64).reshape(-1, 2)
    x = np.asarray(positions, np.float64)
    return np.asarray(np.linalg.norm(x[:, bonds[:, 0]] - x[:, bonds[:, 1]], axis=-1))


def contact_counts(positions: np.ndarray, cutoff: float, apart: int = 3) -> np.ndarray:
    """Return how many pairs of particles, at least `apart` in number, are nearer than `cutoff` `[frames]`."""
    x = np.asarray(positions, np.float64)
    i, j = np.triu_indices(x.shape[1], apart)
    # frame by frame: all pairs of all frames at once would fill the memory
    return np.array([np.sum(((y[i] - y[j]) ** 2).sum(-1) < cutoff**2) for y in x], np.float64)


def _compared(model: np.ndarray, reference: np.ndarray, w: np.ndarray) -> Compared:
    each = np.broadcast_to(w[:, None], reference.shape)
    mean = float(np.average(reference, weights=each))
    half = len(reference) // 2
    return Compared(
        reference=mean,
        model=float(model.mean()),
        reference_spread=float(np.sqrt(np.average((reference - mean) ** 2, weights=each))),
        model_spread=float(model.std()),
        distance=_distance(model, reference, None, each),
        floor=_distance(reference[:half], reference[half:], each[:half], each[half:]),
    )


def _distance(a: np.ndarray, b: np.ndarray, wa: np.ndarray | None, wb: np.ndarray) -> float:
    a, b, wb = _thin(a), _thin(b), _thin(wb)
    return float(wasserstein_distance(a, b, None if wa is None else _thin(wa), wb))


def _thin(values: np.ndarray) -> np.ndarray:
    flat = values.ravel()
    return flat[:: -(-len(flat) // MOST)]
