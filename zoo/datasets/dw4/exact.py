"""Averages of four particles in the plane by quadrature, with no sampling at all."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from zoo.physics.toys import DoubleWells


@dataclass(frozen=True)
class Exact:
    """What is known of DW4 to about ten digits; energies in the unit of kT.

    Args:
        distance: `[points]` pair distances, evenly spaced.
        density: `[points]` of any pair's distance.
        mean_energy: ⟨U⟩.
        variance_energy: ⟨U²⟩ − ⟨U⟩².
        log_z: ln ∫ exp(−U/kT) over the six coordinates orthogonal to the centre of mass.
    """

    distance: np.ndarray
    density: np.ndarray
    mean_energy: float
    variance_energy: float
    log_z: float

    @property
    def entropy(self) -> float:
        """Differential entropy ⟨U⟩/kT + ln Z: the least negative log-likelihood that a model can have.

        Only where kT = 1, the temperature of the literature.
        """
        return self.mean_energy + self.log_z


@lru_cache(maxsize=8)
def exact(kT: float) -> Exact:
    """Integrate over everything: see `_integrate`; the variance is kT² d⟨U⟩/dT."""
    distance, density, log_z = _integrate(kT)
    step = 1e-3 * kT
    low, high = (_mean(*_integrate(kT + s)[:2]) for s in (-step, step))
    return Exact(
        distance=distance,
        density=density,
        mean_energy=_mean(distance, density),
        variance_energy=kT**2 * (high - low) / (2 * step),
        log_z=log_z,
    )


def _integrate(kT: float) -> tuple[np.ndarray, np.ndarray, float]:
    """Return distances, their density and ln Z.

    With particles 1 and 2 at distance d, each of the others feels w(x) = exp(−(u₁ₓ + u₂ₓ)/kT), and
    they feel each other by e(r) = exp(−u/kT): p(d) ∝ d e(d) ∬ w(x) e(|x − y|) w(y), a convolution
    in the plane. The integrands are smooth and vanish at the edges, so that the trapezoidal rule
    and the Fourier transform converge faster than any power of the spacing.
    """
    reach = _reach(kT)
    spacing = 0.1 * min(1.0, kT**0.5)
    # Differences of x and y go up to 2 · reach; the images of a period of 3 · reach do not touch.
    points = int(np.ceil(3.1 * reach / spacing))
    line = (np.arange(points) - points // 2) * spacing
    r2 = line[:, None] ** 2 + line**2
    kernel = np.fft.rfft2(np.fft.ifftshift(_boltzmann(r2, kT)))
    distance = np.arange(1, int(reach / spacing)) * spacing
    weight = np.zeros(len(distance))
    for i, d in enumerate(distance):
        first, second = ((line[:, None] + sign * d / 2) ** 2 + line**2 for sign in (-1, 1))
        w = _boltzmann(first, kT) * _boltzmann(second, kT)
        both = np.fft.irfft2(np.fft.rfft2(w) * kernel, s=w.shape)
        weight[i] = d * _boltzmann(d * d, kT) * (w * both).sum() * spacing**4
    total = weight.sum() * spacing
    # 2π of the direction of the pair; 1/N for each dimension's root: relative to orthonormal coordinates.
    log_z = float(np.log(2 * np.pi * total / 4) - 6 * _LOWEST / kT)
    return distance, weight / total, log_z


_TARGET = DoubleWells()
#: Energy of a pair at the bottom of a well, b²/4c below zero.
_LOWEST = -(_TARGET.b**2) / (4 * _TARGET.c)


def pair_energy(distance: np.ndarray | float) -> np.ndarray:
    """Return u(r), written out anew; not the code that made the samples."""
    x = np.asarray(distance) - 4.0
    return 0.9 * x**4 - 4.0 * x**2


def _boltzmann(r2: np.ndarray | float, kT: float) -> np.ndarray:
    return np.exp(-(pair_energy(np.sqrt(r2)) - _LOWEST) / kT)


def _reach(kT: float) -> float:
    """Distance beyond which a pair's Boltzmann factor is under e⁻⁴⁵ of the largest."""
    r = np.linspace(4, 40, 3601)
    return float(r[(pair_energy(r) - _LOWEST) / kT < 45].max())


def _mean(distance: np.ndarray, density: np.ndarray) -> float:
    """⟨U⟩ = 6 ⟨u⟩: all pairs are alike."""
    return float(6 * (density * pair_energy(distance)).sum() / density.sum())
