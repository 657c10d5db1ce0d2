"""The collapse of the circle by an integrator that shares nothing with LAMMPS."""

from __future__ import annotations

import numpy as np
import pytest

from zoo.datasets.ring_polymer.polymer import Polymer
from zoo.datasets.ring_polymer.potential import energy_and_forces
from zoo.datasets.ring_polymer.structure import COLLAPSE


def forces_on(rings: np.ndarray) -> np.ndarray:
    """Forces on flexible rings `[rings, beads, 3]`: all pairs, written as a symmetric matrix."""
    n = rings.shape[1]
    square = np.sum(rings**2, axis=-1)
    r2 = square[:, :, None] + square[:, None, :] - 2 * rings @ rings.transpose(0, 2, 1)
    r2[:, np.arange(n), np.arange(n)] = 9.0
    near = r2 < 2 ** (1 / 3)
    inverse = 1 / r2[near]
    pull = np.zeros_like(r2)  # −F / r of each pair
    pull[near] = -24 * (2 * inverse**6 - inverse**3) * inverse
    here = np.arange(n)
    after = np.roll(here, -1)
    bond = 30 / (1 - r2[:, here, after] / 1.5**2)
    pull[:, here, after] += bond
    pull[:, after, here] += bond
    return pull @ rings - pull.sum(-1, keepdims=True) * rings


def collapse(rings: int, until: float, step: float, seed: int) -> dict[float, np.ndarray]:
    """Rg² `[rings]` at each 5 τ: velocity Verlet with a Nosé-Hoover thermostat (one, mass N_f T τ²)."""
    n = 70
    angle = 2 * np.pi * np.arange(n) / n
    one = 0.97 / (2 * np.sin(np.pi / n)) * np.stack([np.cos(angle), np.sin(angle), 0 * angle], -1)
    x = np.repeat(one[None], rings, 0)
    v = np.random.default_rng(seed).normal(size=x.shape)
    v -= v.mean(1, keepdims=True)
    for k in range(rings):
        inertia = np.sum(x[k] ** 2) * np.eye(3) - x[k].T @ x[k]
        omega = np.linalg.solve(inertia, np.cross(x[k], v[k]).sum(0))
        v[k] -= np.cross(omega, x[k])
    freedom = 3 * n - 6
    v *= np.sqrt(freedom / np.sum(v**2, axis=(1, 2), keepdims=True))
    friction = np.zeros((rings, 1, 1))
    found, force = {}, forces_on(x)
    for number in range(1, round(until / step) + 1):
        friction += step / 2 * (np.sum(v**2, axis=(1, 2), keepdims=True) / freedom - 1)
        v = v * np.exp(-friction * step / 2) + force * step / 2
        x = x + v * step
        force = forces_on(x)
        v = (v + force * step / 2) * np.exp(-friction * step / 2)
        friction += step / 2 * (np.sum(v**2, axis=(1, 2), keepdims=True) / freedom - 1)
        if number % round(5 / step) == 0:
            arm = x - x.mean(1, keepdims=True)
            found[round(number * step, 6)] = np.sum(arm**2, axis=(1, 2)) / n
    return found


def test_these_forces_are_the_other_ones() -> None:
    rng = np.random.default_rng(0)
    angle = 2 * np.pi * np.arange(12) / 12
    ring = 1.9 * np.stack([np.cos(angle), np.sin(angle), 0 * angle], -1) + rng.normal(0, 0.05, (12, 3))
    np.testing.assert_allclose(
        forces_on(ring[None])[0], energy_and_forces(ring, Polymer(12))[1], rtol=1e-9, atol=1e-9
    )


def test_the_collapse_that_the_checks_expect() -> None:
    found = collapse(rings=24, until=10.0, step=0.01, seed=5)
    for time in (5.0, 10.0):
        expected, error = COLLAPSE[time]
        mine = found[time].std(ddof=1) / np.sqrt(24)
        assert found[time].mean() == pytest.approx(expected, abs=4 * np.hypot(error, mine))
