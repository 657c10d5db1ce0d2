"""One sound dataset, and what can be wrong with how it is made."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from pydantic import BaseModel, Field

from zoo.config import Strict
from zoo.data.entry import Check, DatasetEntry
from zoo.data.splits import split_runs
from zoo.data.store import Manifest, write_dataset
from zoo.data.system import System
from zoo.data.work import work_folder

UNITS = {
    "positions": "Å", "velocities": "Å/ps", "forces": "eV/Å", "energies": "eV", "run": "", "cell": "Å"
}  # fmt: skip
BOLTZMANN, KINETIC = 8.617333e-5, 1.0364270e-4  # eV/K; amu Å²/ps² in eV


class Options(Strict):
    stiffness: float = Field(2.0, gt=0)
    particles: int = Field(4, ge=2)


class Sound(DatasetEntry):
    """Particles on springs around the corners of a lattice, at 300 K, drawn exactly."""

    def arrays(self, frames: int, rng: np.random.Generator, options: Options) -> dict[str, np.ndarray]:
        n, k, t = options.particles, options.stiffness, BOLTZMANN * 300
        corners = 3.0 * np.stack(np.unravel_index(np.arange(n), (n, 1, 1)), axis=1)
        away = rng.normal(size=(frames, n, 3)) * np.sqrt(t / k)
        return {
            "positions": (corners + away).astype(np.float32),
            "velocities": (rng.normal(size=away.shape) * np.sqrt(t / KINETIC / 12)).astype(np.float32),
            "forces": (-k * away).astype(np.float32),
            "energies": 0.5 * k * (away**2).sum((1, 2)),
            "cell": np.broadcast_to(3.0 * n * np.eye(3), (frames, 3, 3)),
            "run": np.repeat(np.arange(6), -(-frames // 6))[:frames].astype(np.int32),
        }

    def rng(self, seed: int) -> np.random.Generator:
        return np.random.default_rng(seed)

    def make(self, out: Path, *, frames: int | None, seed: int, options: BaseModel) -> Path:
        frames = frames or 24
        with work_folder(out, {"seed": seed, "frames": frames, **options.model_dump()}):
            arrays = self.arrays(frames, self.rng(seed), options)
            manifest = Manifest(
                name=self.name, version="1", units="ase", temperature=300.0,
                system=System([6] * options.particles, [12.0] * options.particles, {6: "C"},
                              pbc=(True, True, True)).to_json(),
                splits=split_runs(arrays["run"]), provenance={"engine": "numpy", "seed": seed},
            )  # fmt: skip
            return write_dataset(out, manifest, arrays, UNITS)

    def checks(self, dataset) -> list[Check]:
        value = float(np.mean(dataset.array("energies")))
        return [Check("mean energy", "3/2 kT a particle", "equipartition", value, "eV", ok=value > 0)]


class FailsItsChecks(Sound):
    def checks(self, dataset) -> list[Check]:
        return [Check("mean energy", "0", "a wrong book", 1.0, "eV", ok=np.float64(1.0) < 0)]  # numpy's False


class NoChecks(Sound):
    def checks(self, dataset) -> list[Check]:
        return []


class OtherEachTime(Sound):
    def rng(self, seed: int) -> np.random.Generator:
        return np.random.default_rng(time.perf_counter_ns())


class DeafToSeeds(Sound):
    def rng(self, seed: int) -> np.random.Generator:
        return np.random.default_rng(0)


class LeavesLitter(Sound):
    def make(self, out: Path, *, frames: int | None, seed: int, options: BaseModel) -> Path:
        (out.parent / "log.txt").write_text("step 1")
        return super().make(out, frames=frames, seed=seed, options=options)


class Overwrites(Sound):
    def make(self, out: Path, *, frames: int | None, seed: int, options: BaseModel) -> Path:
        if out.is_dir():
            for path in out.iterdir():
                path.unlink()
            out.rmdir()
        return super().make(out, frames=frames, seed=seed, options=options)


class NoEntry:
    def __init__(self, spec, variant=None) -> None:
        self.spec = spec


class Lenient(BaseModel):
    stiffness: float = 2.0
    particles: int = 4


class Forgetful(Options):
    stiffness: float = Field(2.0, gt=0, exclude=True)
