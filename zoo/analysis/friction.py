"""Friction on coarse beads from the noise of their forces.

What coarse-graining leaves out acts on the beads as noise δF = F_inst − F_mean(z), and by the
fluctuation-dissipation theorem as the friction

    Γ_I = 1/(3 kT) ∫₀^∞ ⟨δF_I(0) · δF_I(t)⟩ dt

(R. Kubo, Rep. Prog. Phys. 29, 255 (1966); C. Hijón et al., Faraday Discuss. 144, 301 (2010)). In free
dynamics the integral of a finite system goes back to zero at long times: what counts is its plateau, reached
when the noise has decayed and the beads have hardly moved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

#: The noise is resolved where its correlation is still above this after one frame.
RESOLVED = 0.5
#: The correlation has decayed where it is first below this.
DECAYED = 0.0


@dataclass(frozen=True)
class Friction:
    """Friction of each bead.

    Args:
        gamma: `[beads]` Γ, energy · time / length²; over the bead's mass it is a rate. NaN where the noise
            does not decay within the data.
        error: `[beads]` standard error between runs.
        integral: `[lags, beads]` running integral, to see the plateau.
        correlation: `[lags, beads]` ⟨δF(0)·δF(t)⟩ over its start.
        decay: `[beads]` time at which the correlation has first gone down to 0; NaN: never.
        resolved: whether frames are close enough in time; where not, `gamma` is an upper bound of little use.
    """

    gamma: np.ndarray
    error: np.ndarray
    integral: np.ndarray
    correlation: np.ndarray
    decay: np.ndarray
    resolved: bool


def noise_friction(runs: Sequence[np.ndarray], spacing: float, kT: float, lags: int) -> Friction:
    """Return the friction from residual forces.

    The integral (trapezoids) ends where the correlation of all beads' noise first is 0.

    Args:
        runs: each `[frames, beads, 3]`, δF = instantaneous force on the beads − mean force there; equally
            long, equally spaced.
        spacing: time between frames; a few fs for molecules: with 1 ps nothing is resolved, and `resolved`
            says so.
        kT: energy.
        lags: frames to integrate over at most.
    """
    each = np.array([_correlations(np.asarray(r, np.float64), lags) for r in runs])  # [runs, lags, beads]
    mean = each.mean(0)
    running = _integral(each, spacing) / (3 * kT)
    shape = mean / mean[0]
    ends = [np.flatnonzero(shape[:, b] <= DECAYED) for b in range(shape.shape[1])]
    gamma, error, decay = (np.full(shape.shape[1], np.nan) for _ in range(3))
    for bead, end in enumerate(ends):
        if len(end):
            found = running[:, end[0], bead]
            gamma[bead], decay[bead] = found.mean(), end[0] * spacing
            error[bead] = found.std(ddof=1) / np.sqrt(len(found)) if len(found) > 1 else np.nan
    resolved = bool(len(shape) > 1 and (shape[1] > RESOLVED).all())
    return Friction(gamma, error, running.mean(0), shape, decay, resolved)


def _correlations(noise: np.ndarray, lags: int) -> np.ndarray:
    """⟨δF(0)·δF(t)⟩ of each bead, `[lags + 1, beads]`; no mean is subtracted."""
    n = len(noise)
    lags = min(lags, n - 1)
    f = np.fft.rfft(noise, 2 * n, axis=0)
    total = np.fft.irfft(f * f.conj(), 2 * n, axis=0)[: lags + 1].sum(-1)
    return total / (n - np.arange(lags + 1))[:, None]


def _integral(values: np.ndarray, spacing: float) -> np.ndarray:
    """Running integral along the second axis by trapezoids."""
    steps = (values[:, 1:] + values[:, :-1]) / 2 * spacing
    return np.concatenate([np.zeros_like(values[:, :1]), np.cumsum(steps, axis=1)], axis=1)
