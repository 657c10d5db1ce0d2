"""Inherent, cage and averaged positions of one configuration, computed with LAMMPS and kept in a cache."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from zoo.engines.mixture import MixtureEngine, maxwell, wrap
from zoo.engines.pair_potential import PairPotential
from zoo.files import write_bytes

#: Part of each key: to be raised when what is computed changes.
VERSION = 1


@dataclass(frozen=True)
class CageOptions:
    """How cage positions are averaged; as `zoo data make kob-andersen` does it.

    Args:
        time: τ that is averaged over.
        radius: σ from its inherent position that each particle may go.
        thermostat: relaxation time of Nosé-Hoover, τ.
    """

    time: float = 30.0
    radius: float = 0.4
    thermostat: float = 0.5


@dataclass(frozen=True)
class ShortRuns:
    """How averaged positions are averaged: over runs from the configuration with fresh velocities.

    Args:
        clones: runs.
        time: of each, τ; well below τα, so that little has rearranged.
        thermostat: relaxation time of Nosé-Hoover, τ.
        every: steps between two positions that are averaged.
    """

    clones: int = 4
    time: float = 30.0
    thermostat: float = 0.5
    every: int = 10


#: Columns of what is kept of each kind: positions, and of averaged ones the mean local energy.
COLUMNS = {"inherent": 3, "cage": 3, "averaged": 4}


@dataclass(frozen=True)
class Configuration:
    """One configuration of a mixture, and at which conditions it lives.

    Args:
        positions: `[particles, 3]` float64, σ.
        types: `[particles]`, from 0.
        box: edge of the cube (in two dimensions: of the square), σ.
        potential: between all pairs.
        dimensions: 2 or 3.
        temperature: ε/k_B; None where it is not known: there are no cages then.
        cages, runs: how cage and averaged positions are averaged.
    """

    positions: np.ndarray
    types: np.ndarray
    box: float
    potential: PairPotential
    dimensions: int
    temperature: float | None
    cages: CageOptions = CageOptions()
    runs: ShortRuns = ShortRuns()

    @property
    def timestep(self) -> float:
        """τ; half as long for a potential that is cut at its minimum, whose curvature jumps there."""
        return 0.0025 if self.potential.cutoff < 1.2 else 0.005

    @cached_property
    def _bytes(self) -> bytes:
        parts = (self.positions.astype("<f8"), self.types.astype("<i8"), self.potential.epsilon.astype("<f8"),
                 self.potential.sigma.astype("<f8"))  # fmt: skip
        record = [self.box, self.potential.cutoff, self.potential.tail, self.dimensions, VERSION]
        return b"".join(part.tobytes() for part in parts) + json.dumps(record).encode()

    def key(self, kind: str) -> str:
        """Return the SHA-256 of all that decides the positions of a kind."""
        known: dict[str, CageOptions | ShortRuns] = {"cage": self.cages, "averaged": self.runs}
        options = known.get(kind)
        own = json.dumps([kind] if options is None else [kind, self.temperature, asdict(options)])
        return hashlib.sha256(self._bytes + own.encode()).hexdigest()

    def engine(self) -> MixtureEngine:
        """Return LAMMPS at the configuration."""
        return MixtureEngine(
            self.positions, self.types, self.box, self.potential, self.dimensions, self.timestep
        )

    def find(self, kind: str) -> dict[str, np.ndarray]:
        """Return positions `[particles, 3]` float32, wrapped, σ: "inherent", and "cage" where asked for.

        Of "averaged" there are four columns: mean positions, and the mean local energy in ε.

        Cages as of R. M. Alkemade, F. Smallenburg, L. Filion, J. Chem. Phys. 158, 134512 (2023), by
        molecular dynamics; see `MixtureEngine.confined_mean`. Random numbers follow from the key.
        """
        if kind == "averaged":
            return {kind: self._averaged()}
        with self.engine() as engine:
            engine.minimize()
            centres = engine.unwrapped()
        found = {"inherent": self._wrapped(centres)}
        if kind == "cage":
            assert self.temperature is not None
            rng = np.random.default_rng(int(self.key(kind)[:16], 16))
            with self.engine() as engine:
                engine.set_velocities(maxwell(len(self.types), self.temperature, rng, self.dimensions))
                engine.thermostat(self.temperature, self.temperature, self.cages.thermostat)
                steps = round(self.cages.time / self.timestep)
                found["cage"] = self._wrapped(engine.confined_mean(steps, centres, self.cages.radius))
        return found

    def _averaged(self) -> np.ndarray:
        assert self.temperature is not None
        rng = np.random.default_rng(int(self.key("averaged")[:16], 16))
        total = np.zeros((len(self.types), 4))
        for _ in range(self.runs.clones):
            with self.engine() as engine:
                engine.set_velocities(maxwell(len(self.types), self.temperature, rng, self.dimensions))
                engine.thermostat(self.temperature, self.temperature, self.runs.thermostat)
                total += engine.mean_run(round(self.runs.time / self.timestep), self.runs.every)
        mean = total / self.runs.clones
        return np.column_stack([self._wrapped(mean[:, :3]), mean[:, 3].astype(np.float32)])

    def _wrapped(self, positions: np.ndarray) -> np.ndarray:
        positions = positions.astype(np.float32)
        positions[:, : self.dimensions] = wrap(positions[:, : self.dimensions], self.box)
        return positions


class Cache:
    """A folder of positions by key; what is damaged there counts as absent."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def load(self, key: str, particles: int, columns: int = 3) -> np.ndarray | None:
        """Return positions `[particles, columns]` float32, or None."""
        try:
            found = np.load(self.folder / f"{key}.npy", allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return None
        good = found.shape == (particles, columns) and found.dtype == np.float32 and np.isfinite(found).all()
        return found if good else None

    def save(self, key: str, positions: np.ndarray) -> None:
        """Write positions, whole or not at all."""
        self.folder.mkdir(parents=True, exist_ok=True)
        content = io.BytesIO()
        np.save(content, positions.astype(np.float32), allow_pickle=False)
        write_bytes(self.folder / f"{key}.npy", content.getvalue())
