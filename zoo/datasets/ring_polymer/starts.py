"""Where chains begin: planar circles, alone or in stacks, without knots, links or overlaps.

A linear chain begins as the circle cut open. A melt begins as a stack of flat circles on a square
lattice of columns: no two rings are linked and none is knotted. The box is then compressed slowly
while the chains move; bonds that cannot cross each other keep it so.
"""

from __future__ import annotations

import math

import numpy as np

from zoo.datasets.ring_polymer.polymer import BOND, Polymer

#: Distance between circles in a stack and between columns, σ: just outside the repulsion.
GAP = 1.15


def radius(beads: int) -> float:
    """Radius of the circle on which neighbours are one bond length apart, σ."""
    return BOND / (2 * math.sin(math.pi / beads))


def circle(beads: int) -> np.ndarray:
    """Return the planar circle `[beads, 3]` around the origin, σ."""
    angle = 2 * np.pi * np.arange(beads) / beads
    return radius(beads) * np.stack([np.cos(angle), np.sin(angle), np.zeros(beads)], axis=1)


def stack(polymer: Polymer) -> tuple[np.ndarray, np.ndarray]:
    """Return positions `[particles, 3]` and the edges `[3]` of a box of stacked circles, σ.

    Columns and layers are chosen so that the box is as close to a cube as it goes.
    """
    width = 2 * radius(polymer.beads) + GAP
    columns = max(1, round((polymer.chains * GAP / width) ** (1 / 3)))
    layers = -(-polymer.chains // columns**2)
    number = np.arange(polymer.chains)
    column, layer = number // layers, number % layers
    centers = np.stack([(column % columns) * width, (column // columns) * width, layer * GAP], axis=1)
    edges = np.array([columns * width, columns * width, layers * GAP])
    middle = np.array([width / 2, width / 2, GAP / 2])
    positions = centers[:, None] + middle + circle(polymer.beads)
    return positions.reshape(-1, 3), edges


def maxwell(positions: np.ndarray, temperature: float, rng: np.random.Generator, still: str) -> np.ndarray:
    """Draw velocities `[particles, 3]`, σ/τ, of unit masses.

    Args:
        positions: `[particles, 3]` σ.
        temperature: ε/k_B.
        rng: random numbers.
        still: what they do not have: "nothing", "momentum", or "rotation" (nor momentum). Where
            something is taken out, the rest is scaled to the temperature exactly.
    """
    velocities = rng.normal(scale=math.sqrt(temperature), size=positions.shape)
    if still == "nothing":
        return velocities
    velocities -= velocities.mean(0)
    lost = 3
    if still == "rotation":
        velocities -= np.cross(spin(positions, velocities), positions - positions.mean(0))
        lost = 6
    freedom = velocities.size - lost
    return velocities * math.sqrt(freedom * temperature / np.sum(velocities**2))


def spin(positions: np.ndarray, velocities: np.ndarray) -> np.ndarray:
    """Return the angular velocity `[3]` of unit masses as a rigid body, 1/τ."""
    arm = positions - positions.mean(0)
    inertia = np.sum(arm**2) * np.eye(3) - arm.T @ arm
    return np.linalg.solve(inertia, np.cross(arm, velocities).sum(0))
