"""Structure and relaxation of a mixture, from positions and displacements alone."""

from __future__ import annotations

import numpy as np

from zoo.datasets.kob_andersen.potential import CUTOFF, EPSILON, SIGMA, pairs

#: Wave number of the self-intermediate scattering function, σ⁻¹: motion by about one diameter.
WAVE_NUMBER = 2 * np.pi


def scattering(displacements: np.ndarray, wave_number: float = WAVE_NUMBER) -> np.ndarray:
    """Return F_s(k, t) of |Δr| in σ, averaged over the last axis; directions are averaged exactly."""
    x = wave_number * np.asarray(displacements, np.float64)
    return np.sinc(x / np.pi).mean(-1)


def relaxation(times: np.ndarray, values: np.ndarray, level: float = np.exp(-1)) -> float | None:
    """Return the time at which F_s falls to `level`, log-linear between times; None if it does not."""
    below = np.flatnonzero(values < level)
    if not below.size or below[0] == 0:
        return None
    i = below[0]
    share = (values[i - 1] - level) / (values[i - 1] - values[i])
    return float(np.exp(np.log(times[i - 1]) + share * np.log(times[i] / times[i - 1])))


def first_peak(
    positions: np.ndarray, types: np.ndarray, box: np.ndarray, a: int, b: int
) -> tuple[float, float]:
    """Return the position in σ of the first peak of g_ab(r), and the smallest r / σ_ab found.

    Args:
        positions: `[frames, particles, 3]`, σ.
        types: `[particles]`.
        box: `[frames, 3]`, edges.
    """
    edges = np.arange(0.0, 1.5 + 1e-9, 0.02)
    counts = np.zeros(len(edges) - 1)
    closest = np.inf
    for frame, lengths in zip(positions, box, strict=True):
        index, vectors = pairs(frame, lengths, edges[-1])
        kinds = np.sort(types[index], axis=1)
        mine = (kinds == sorted((a, b))).all(1)
        r = np.linalg.norm(vectors[mine], axis=1)
        counts += np.histogram(r, edges)[0]
        closest = min(closest, float(r.min(initial=np.inf)))
    middle = (edges[1:] + edges[:-1]) / 2
    density = counts / middle**2
    top = int(np.clip(density.argmax(), 2, len(density) - 3))
    curve = np.polyfit(middle[top - 2 : top + 3], density[top - 2 : top + 3], 2)
    return float(-curve[1] / (2 * curve[0])), closest / float(SIGMA[a, b])


def configurational_temperature(
    positions: np.ndarray, types: np.ndarray, box: np.ndarray, forces: np.ndarray
) -> float:
    """Return ⟨|∇U|²⟩ / ⟨∇²U⟩ of one configuration, ε/k_B: the temperature, from positions alone.

    H. H. Rugh, Phys. Rev. Lett. 78, 772 (1997). The jump of the force at the cutoff is left out of
    ∇²U, below 1 % of it.
    """
    index, vectors = pairs(positions, box, CUTOFF * SIGMA.max())
    a, b = types[index[:, 0]], types[index[:, 1]]
    r2 = np.sum(vectors**2, axis=1)
    inside = r2 < (CUTOFF * SIGMA[a, b]) ** 2
    a, b, r2 = a[inside], b[inside], r2[inside]
    s6 = (SIGMA[a, b] ** 2 / r2) ** 3
    # u'' + 2 u'/r of 4 ε (s¹² − s⁶), for both particles of each pair.
    laplacian = 2 * 4 * EPSILON[a, b] * (132 * s6**2 - 30 * s6) / r2
    return float(np.sum(forces**2) / laplacian.sum())
