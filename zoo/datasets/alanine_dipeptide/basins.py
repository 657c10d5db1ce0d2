"""Basins of the Ramachandran plane, and their populations with errors."""

from __future__ import annotations

import numpy as np

#: Share of each basin at 300 K, from data-free flows that agree with each other and from frames of
#: long runs; the shares of φ > 0 are those of reweighted samples.
REFERENCE = {"αR": 0.117, "C7ax": 0.00265, "αL": 0.00057, "φ>0": 0.0032}

#: A mean may be off by so many standard errors: 1 in 16,000 by chance if Gaussian.
SIGMAS = 4.0


def basins(phi: np.ndarray, psi: np.ndarray) -> dict[str, np.ndarray]:
    """Return `[frames]` membership of each basin; φ and ψ in radians.

    φ < 0: "αR" where ψ is in (−120°, 50°), else "C7eq" where φ > −100° and ψ is in (50°, 110°),
    else "C5/PII", the extended region. φ > 0: "αL" where ψ is in (0°, 120°), else "C7ax".
    """
    phi, psi = np.degrees(phi), np.degrees(psi)
    left = phi < 0
    helix = left & (psi > -120) & (psi < 50)
    ring = left & (phi > -100) & (psi >= 50) & (psi < 110)
    helix_left = ~left & (psi > 0) & (psi < 120)
    return {
        "αR": helix,
        "C7eq": ring,
        "C5/PII": left & ~helix & ~ring,
        "αL": helix_left,
        "C7ax": ~left & ~helix_left,
        "φ>0": ~left,
    }


def mean_and_error(values: np.ndarray, run: np.ndarray, blocks: int = 8) -> tuple[float, float]:
    """Return the mean of `values` `[frames]` and its standard error between independent parts.

    Parts are whole runs; where there are fewer than `blocks`, each run is cut into equal blocks of
    time. The error is never below that of independent frames.
    """
    values = np.asarray(values, np.float64)
    runs = np.unique(run)
    cuts = -(-blocks // len(runs))
    parts = [p for r in runs for p in np.array_split(values[run == r], cuts) if len(p)]
    means = np.array([p.mean() for p in parts])
    weights = np.array([len(p) for p in parts]) / len(values)
    mean = float(values.mean())
    n = len(parts)
    between = n / max(n - 1, 1) * float((weights**2 * (means - mean) ** 2).sum())
    independent = float(values.var()) / max(len(values) - 1, 1)
    return mean, float(np.sqrt(max(between, independent)))
