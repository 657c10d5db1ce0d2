"""Structure of a mixture, from positions alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zoo.datasets.kob_andersen.potential import pairs

#: Distances at which g(r) is measured, σ: edges of the bins.
EDGES = np.arange(0.0, 2.5 + 1e-9, 0.02)


@dataclass(frozen=True)
class RadialDistribution:
    """g_ab(r) of one pair of species.

    Args:
        r: `[bins]` middles of the bins, σ.
        g: `[bins]`, 1 where nothing is correlated.
        closest: smallest distance found, σ; infinite where none is below the last bin.
    """

    r: np.ndarray
    g: np.ndarray
    closest: float

    def first_peak(self, below: float = 1.6) -> float:
        """Return the position of the highest peak below some distance: a parabola of five bins, σ."""
        near = self.g[self.r < below]
        top = int(np.clip(near.argmax(), 2, len(near) - 3))
        curve = np.polyfit(self.r[top - 2 : top + 3], self.g[top - 2 : top + 3], 2)
        return float(-curve[1] / (2 * curve[0]))


def radial_distribution(
    positions: np.ndarray, types: np.ndarray, box: np.ndarray, a: int, b: int, edges: np.ndarray = EDGES
) -> RadialDistribution:
    """Return g_ab(r), averaged over frames.

    Args:
        positions: `[frames, particles, dimensions]`, σ.
        types: `[particles]`.
        box: `[frames, dimensions]`, edges of the box, each more than twice the last bin.
        a, b: species.
        edges: `[bins + 1]` of the bins, σ.
    """
    dimensions = positions.shape[-1]
    power = edges**dimensions * (np.pi if dimensions == 2 else 4 / 3 * np.pi)
    here, there = int((types == a).sum()), int((types == b).sum())
    number = here * (here - 1) / 2 if a == b else here * there
    total, closest = np.zeros(len(edges) - 1), np.inf
    for frame, lengths in zip(positions, box, strict=True):
        index, vectors = pairs(frame, lengths, edges[-1])
        mine = (np.sort(types[index], axis=1) == sorted((a, b))).all(1)
        r = np.linalg.norm(vectors[mine], axis=1)
        ideal = number * np.diff(power) / np.prod(lengths)
        total += np.histogram(r, edges)[0] / ideal
        closest = min(closest, float(r.min(initial=np.inf)))
    return RadialDistribution((edges[1:] + edges[:-1]) / 2, total / len(positions), closest)
