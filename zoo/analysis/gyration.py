"""Shape of a conformation from the eigenvalues of its gyration tensor.

D. N. Theodorou, U. W. Suter, Macromolecules 18, 1206 (1985).
"""

from __future__ import annotations

import numpy as np

from zoo.analysis.polymers import gyration_tensor


def asphericity(positions: np.ndarray) -> np.ndarray:
    """Return b = λ₁ − (λ₂ + λ₃)/2 `[frames]`, in the square of the unit of length; 0 for a sphere or a cube.

    Args:
        positions: `[frames, particles, 3]` of equal particles. In the plane, b = λ₁ − λ₂.
    """
    values = np.linalg.eigvalsh(gyration_tensor(positions))
    return np.asarray(values[:, -1] - values[:, :-1].mean(1))


def shape_anisotropy(positions: np.ndarray) -> np.ndarray:
    """Return κ² `[frames]`: 0 where all directions are alike, ¼ for a flat disc, 1 for a rod.

    κ² = d/(d − 1) · Σ (λ − λ̄)² / (Σ λ)² in d dimensions; 1 − 3 (λ₁λ₂ + λ₂λ₃ + λ₃λ₁)/(Σ λ)² in three.

    Args:
        positions: `[frames, particles, 3]` of equal particles, not all in one point.
    """
    values = np.linalg.eigvalsh(gyration_tensor(positions))
    d = values.shape[1]
    off = ((values - values.mean(1, keepdims=True)) ** 2).sum(1)
    return np.asarray(d / (d - 1) * off / np.maximum(values.sum(1) ** 2, np.finfo(float).tiny))
