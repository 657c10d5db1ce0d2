"""The noise in forces on beads, below which no potential of the beads can bring the loss.

Force matching minimises ⟨‖F − F̂(z)‖²⟩ = ⟨‖F − F̄(z)‖²⟩ + ⟨‖F̄(z) − F̂(z)‖²⟩, F̄ being the mean force on beads
at z (Noid et al., J. Chem. Phys. 128, 244114 (2008); Wang et al., ACS Cent. Sci. 5, 755 (2019)). The first
part, the noise floor, is most of it; the second, the excess, is what a model is at fault for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.spatial import cKDTree

from zoo.physics.superpose import centered, rotation_onto

#: Partners of each frame.
PARTNERS = 4
#: Frames that are given partners at most, and stretches that errors come from.
MOST_FRAMES, STRETCHES = 8192, 16
#: Stretches that a single run is cut into, between which partners are sought.
PIECES = 10
#: Partners of more than so many times the median squared distance are left out.
FAR = 4.0
#: Fewer frames say nothing.
LEAST_FRAMES = 64


@dataclass(frozen=True)
class NoiseFloor:
    """Parts of a mean square residual per component, energy²/length², with their standard errors."""

    floor: float
    floor_error: float
    excess: float
    excess_error: float


def noise_floor(positions: np.ndarray, residuals: np.ndarray, runs: np.ndarray) -> NoiseFloor | None:
    """Estimate how much of ⟨‖F − F̂(z)‖²⟩ is noise, from frames whose beads are nearly in one place.

    Their noises are independent, their mean forces nearly equal: of two residuals δ = F − F̂, one turned as
    its beads are onto the other's, half the mean square of the difference is the floor. It is extrapolated to
    distance zero by a straight line in the squared distance. Any F̂ will do, as it drops out of the floor; the
    nearer to F̄ the better, for what is left of F̄ − F̂ and changes faster than partners are apart is taken for
    noise: the floor is then too high.

    A frame's partners are of other runs (or of other tenths of a single one): neighbours in time share their
    noise.

    Args:
        positions: `[frames, beads, 3]`.
        residuals: `[frames, beads, 3]`, forces less those of any model that turns with the beads; or plain
            forces.
        runs: `[frames]` number of each frame's independent run; frames of a run stand in their order.

    Returns:
        Errors are by leaving out one of some stretches of time at a time. None for too few frames or beads.
    """
    if len(positions) < LEAST_FRAMES or positions.shape[1] < 2:
        return None
    thin = np.unique(np.linspace(0, len(positions) - 1, min(len(positions), MOST_FRAMES)).astype(int))
    positions, residuals, runs = positions[thin], residuals[thin], runs[thin]
    first, second = _partners(_descriptors(positions), _apart(runs))
    if not len(first):
        return None
    distance, difference = _compared(positions, residuals, first, second)
    square = (residuals**2).mean((1, 2))
    stretch = np.arange(len(positions)) * STRETCHES // len(positions)
    excess, floor = np.empty(STRETCHES + 1), np.empty(STRETCHES + 1)
    for left_out in range(STRETCHES + 1):  # the last time nothing is
        kept = (stretch[first] != left_out) & (stretch[second] != left_out)
        floor[left_out] = _at_zero(distance[kept], difference[kept])
        excess[left_out] = square[stretch != left_out].mean() - floor[left_out]
    return NoiseFloor(floor[-1], _jackknife(floor[:-1]), excess[-1], _jackknife(excess[:-1]))


def _descriptors(positions: np.ndarray) -> np.ndarray:
    """Distances between beads `[frames, pairs]`, which neither turning nor moving changes."""
    i, j = np.triu_indices(positions.shape[1], 1)
    return np.linalg.norm(positions[:, i] - positions[:, j], axis=-1)


def _apart(runs: np.ndarray) -> np.ndarray:
    """Number the parts of the data that are independent of each other, `[frames]`."""
    if len(np.unique(runs)) > 1:
        return np.unique(runs, return_inverse=True)[1].reshape(-1)
    return np.arange(len(runs)) * PIECES // len(runs)


def _partners(descriptors: np.ndarray, part: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The nearest frames of other parts, as pairs of frames."""
    first, second = [], []
    for number in np.unique(part):
        own, others = np.flatnonzero(part == number), np.flatnonzero(part != number)
        wanted = min(PARTNERS, len(others))
        near = cKDTree(descriptors[others]).query(descriptors[own], k=np.arange(1, wanted + 1))[1]
        first.append(np.repeat(own, wanted))
        second.append(others[near.reshape(-1)])
    return np.concatenate(first), np.concatenate(second)


def _compared(
    positions: np.ndarray, residuals: np.ndarray, first: np.ndarray, second: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Mean square distance after superposition, and half that of residuals per component, of pairs."""
    x = centered(torch.from_numpy(positions))
    r = torch.from_numpy(residuals)
    distance, difference = [], []
    for a, b in zip(torch.from_numpy(first).split(4096), torch.from_numpy(second).split(4096), strict=True):
        turn = rotation_onto(x[b], x[a])
        distance.append((x[b] @ turn.mT - x[a]).square().mean((1, 2)))
        difference.append(0.5 * (r[a] - r[b] @ turn.mT).square().mean((1, 2)))
    return torch.cat(distance).numpy(), torch.cat(difference).numpy()


def _at_zero(distance: np.ndarray, difference: np.ndarray) -> float:
    """Value at zero of the line through all pairs but those that are far, such as mirror images."""
    near = distance <= FAR * np.median(distance)
    if near.sum() < 3 or np.ptp(distance[near]) == 0:
        return float(difference[near].mean())
    return float(np.polynomial.polynomial.polyfit(distance[near], difference[near], 1)[0])


def _jackknife(values: np.ndarray) -> float:
    n = len(values)
    return float(np.sqrt((n - 1) / n * ((values - values.mean()) ** 2).sum()))
