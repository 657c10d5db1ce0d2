"""Conformations whose two degrees of freedom are known: a zigzag that stretches and bends."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from zoo.data.splits import split_runs
from zoo.data.store import Manifest, write_dataset
from zoo.data.system import System

ATOMS, RUNS = 8, 12


def slow(rng: np.random.Generator, frames: int, tau: float) -> np.ndarray:
    """A time series of unit variance that forgets itself within `tau` frames."""
    step = np.exp(-1 / tau)
    out = rng.standard_normal(frames)
    for i in range(1, frames):
        out[i] = step * out[i - 1] + np.sqrt(1 - step**2) * out[i]
    return out


def zigzag(stretch: np.ndarray, bend: np.ndarray) -> np.ndarray:
    """Positions `[frames, ATOMS, 3]` in Å, planar but for a fixed kink that gives them a hand."""
    along = np.arange(ATOMS) - (ATOMS - 1) / 2
    x = np.zeros((len(stretch), ATOMS, 3))
    x[:, :, 0] = 1.3 * along * (1 + 0.12 * stretch[:, None])
    x[:, 1::2, 1] = 0.6
    x[:, :, 1] += 0.05 * bend[:, None] * (along**2 - (along**2).mean())
    x[:, 2, 2] = 0.9
    return x


def zigzags(out: Path, frames: int = 480, noise: float = 0.01, shift: float = 0.0, seed: int = 0) -> Path:
    """A dataset of them, in `RUNS` runs, each frame moved and turned at random.

    Args:
        out: folder to make.
        frames: in all runs together.
        noise: of each coordinate, Å.
        shift: added to the stretch.
        seed: of everything.
    """
    rng = np.random.default_rng(seed)
    each = frames // RUNS
    stretch = np.concatenate([slow(rng, each, 4) for _ in range(RUNS)]) + shift
    bend = np.concatenate([slow(rng, each, 2) for _ in range(RUNS)])
    x = zigzag(stretch, bend) + noise * rng.standard_normal((frames, ATOMS, 3))
    turn = np.linalg.qr(rng.standard_normal((frames, 3, 3)))[0]
    turn *= np.linalg.det(turn)[:, None, None]
    x = x @ turn + rng.standard_normal((frames, 1, 3))
    run = np.repeat(np.arange(RUNS), each).astype(np.int32)
    system = System(
        types=np.full(ATOMS, 6), masses=np.full(ATOMS, 12.0), type_names={6: "C"},
        bonds=np.array([(i, i + 1) for i in range(ATOMS - 1)]),
    )  # fmt: skip
    arrays = {
        "positions": x.astype(np.float32), "run": run, "energies": rng.standard_normal(frames),
        "time": np.tile(np.arange(each, dtype=np.float64), RUNS),
    }  # fmt: skip
    units = {"positions": "Å", "run": "", "energies": "eV", "time": "ps"}
    manifest = Manifest(
        name=f"zigzag{shift:g}", version="1", units="ase", temperature=300.0,
        system=system.to_json(), splits=split_runs(run), provenance={"seed": seed},
    )  # fmt: skip
    return write_dataset(out, manifest, arrays, units)
