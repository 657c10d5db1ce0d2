"""Pair potentials of Lennard-Jones mixtures.

All are U(r) = 4 ε [(σ/r)¹² − (σ/r)⁶ + c0 + c2 (r/σ)² + c4 (r/σ)⁴] below a cutoff in units of each
pair's σ, and zero beyond. The polynomial lets the energy (c0), or the energy and its first two
derivatives, vanish at the cutoff. Units: σ_AA, ε_AA, mass 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class PairPotential:
    """One pair potential for all pairs of species.

    Args:
        epsilon, sigma: `[species, species]`, ε and σ of each pair.
        cutoff: in units of each pair's σ.
        tail: c0, c2, c4 of the polynomial.
        form: the potential in words.
    """

    epsilon: np.ndarray
    sigma: np.ndarray
    cutoff: float
    tail: tuple[float, float, float]
    form: str

    @property
    def range(self) -> float:
        """Largest cutoff of any pair, σ."""
        return self.cutoff * float(self.sigma.max())

    def energy(self, x2: np.ndarray) -> np.ndarray:
        """Return U / ε at (r/σ)² = `x2` below the cutoff."""
        c0, c2, c4 = self.tail
        s6 = x2**-3.0
        return 4 * (s6**2 - s6 + c0 + c2 * x2 + c4 * x2**2)

    def force(self, x2: np.ndarray) -> np.ndarray:
        """Return −U′ / r in ε/σ² at (r/σ)² = `x2`, for σ = ε = 1."""
        _, c2, c4 = self.tail
        s6 = x2**-3.0
        return (24 * (2 * s6**2 - s6) - 8 * c2 * x2 - 16 * c4 * x2**2) / x2

    def laplacian(self, x2: np.ndarray, dimensions: int) -> np.ndarray:
        """Return U″ + (dimensions − 1) U′ / r at (r/σ)² = `x2`, for σ = ε = 1."""
        _, c2, c4 = self.tail
        s6 = x2**-3.0
        second = 4 * (156 * s6**2 - 42 * s6 + 2 * c2 * x2 + 12 * c4 * x2**2) / x2
        return second - (dimensions - 1) * self.force(x2)


def shifted(cutoff: float) -> tuple[float, float, float]:
    """Return the constant that makes the energy vanish at the cutoff."""
    return (cutoff**-6.0 - cutoff**-12.0, 0.0, 0.0)


def smooth(cutoff: float) -> tuple[float, float, float]:
    """Return the polynomial that makes energy, force and its derivative vanish at the cutoff."""
    x = cutoff
    matrix = np.array([[1, x**2, x**4], [0, 2 * x, 4 * x**3], [0, 2, 12 * x**2]])
    values = [x**-12.0 - x**-6.0, -12 * x**-13.0 + 6 * x**-7.0, 156 * x**-14.0 - 42 * x**-8.0]
    c0, c2, c4 = np.linalg.solve(matrix, -np.array(values)).tolist()
    return (c0, c2, c4)
