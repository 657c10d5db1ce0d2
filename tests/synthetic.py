"""Small datasets made in a moment, for tests of the machinery; the physics is exact but simple."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from zoo.data.splits import split_runs
from zoo.data.store import Manifest, write_dataset
from zoo.data.system import System

BONDS = [(0, 1), (1, 2), (2, 3), (3, 4)]
STIFFNESS, LENGTH = 5.0, 1.5  # eV/Å², Å


def chain(out: Path, frames: int = 60, seed: int = 0, **changes: object) -> Path:
    """A chain of five carbons and oxygens with harmonic bonds, U = ½ k (r − r₀)², Boltzmann-like."""
    rng = np.random.default_rng(seed)
    start = np.zeros((5, 3))
    start[:, 0] = LENGTH * np.arange(5)
    start[1::2, 1] = 0.5
    positions = (start + 0.08 * rng.standard_normal((frames, 5, 3))).astype(np.float32)
    forces = np.zeros_like(positions)
    energies = np.zeros(frames)
    for i, j in BONDS:
        r = (positions[:, j] - positions[:, i]).astype(np.float64)
        d = np.linalg.norm(r, axis=-1, keepdims=True)
        energies += 0.5 * STIFFNESS * ((d - LENGTH) ** 2)[:, 0]
        pull = STIFFNESS * (d - LENGTH) * r / d
        forces[:, i] += pull
        forces[:, j] -= pull
    system = System(
        types=np.array([6, 8, 6, 8, 6]),
        masses=np.array([12.0, 16, 12, 16, 12]),
        type_names={6: "C", 8: "O"},
        bonds=np.array(BONDS),
    )
    run = np.repeat(np.arange(6), -(-frames // 6))[:frames].astype(np.int32)
    arrays = {"positions": positions, "forces": forces, "energies": energies, "run": run}
    units = {"positions": "Å", "forces": "eV/Å", "energies": "eV", "run": ""}
    manifest = Manifest(
        name="chain", version="1", units="ase", temperature=300.0,
        system=system.to_json(), splits=split_runs(run), provenance={"seed": seed},
    )  # fmt: skip
    for key, value in changes.items():
        setattr(manifest, key, value)
    return write_dataset(out, manifest, arrays, units)


def glass(out: Path, frames: int = 8, particles: int = 60, seed: int = 0) -> Path:
    """Random periodic mixtures whose target is the number of B neighbours within 1.4, plus noise."""
    rng = np.random.default_rng(seed)
    side = (particles / 1.2) ** (1 / 3)
    types = np.array([0] * (particles * 4 // 5) + [1] * (particles - particles * 4 // 5))
    positions = (rng.random((frames, particles, 3)) * side).astype(np.float32)
    r = positions[:, :, None].astype(np.float64) - positions[:, None]
    r -= side * np.round(r / side)
    close = (np.linalg.norm(r, axis=-1) < 1.4) & ~np.eye(particles, dtype=bool)
    count = close[:, :, types == 1].sum(-1)
    clones = count[:, None, None] * 0.1 + 0.3 * rng.random((frames, 2, 8, particles)) + 0.2
    clones[:, 1] *= 2
    system = System(types=types, masses=np.ones(particles), type_names={0: "A", 1: "B"}, pbc=(True,) * 3)
    arrays = {
        "positions": positions,
        "cell": np.tile(np.eye(3) * side, (frames, 1, 1)),
        "targets": clones.mean(2).transpose(0, 2, 1).astype(np.float32),
        "clone_displacements": clones.astype(np.float16),
        "run": np.arange(frames, dtype=np.int32),
    }
    units = {"positions": "σ", "cell": "σ", "targets": "σ", "clone_displacements": "σ", "run": ""}
    manifest = Manifest(
        name="glass", version="1", units="lj", temperature=0.5,
        system=system.to_json(), splits=split_runs(arrays["run"]),
        target_names=["t=1", "t=2"], target_times=[1.0, 2.0],
    )  # fmt: skip
    return write_dataset(out, manifest, arrays, units)
