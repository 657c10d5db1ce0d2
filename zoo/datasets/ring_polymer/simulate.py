"""One run of some chains, in pieces: what `zoo.engines.runs` asks of a simulator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from zoo import keys
from zoo.analysis.polymers import inertia_weight
from zoo.datasets.ring_polymer.engine import Engine
from zoo.datasets.ring_polymer.options import RingPolymerOptions
from zoo.datasets.ring_polymer.starts import circle, maxwell, stack

#: Time over which a melt is compressed from stacked circles to its density, τ.
COMPRESSION = 500.0


class ChainRun:
    """Langevin or Nosé-Hoover dynamics; labels are of the potential alone, at the stored positions.

    Args:
        job: `options` (settled `RingPolymerOptions`), `thermostat` ("langevin" or "nose-hoover"),
            `equilibrium` and `seed`.
    """

    def __init__(self, job: dict[str, Any]) -> None:
        self.options = RingPolymerOptions.model_validate(job["options"])
        self.thermostat, self.equilibrium, self.seed = job["thermostat"], job["equilibrium"], job["seed"]
        self.frames_per_piece: int = job["frames_per_piece"]
        self.polymer = self.options.polymer()
        self.periodic = self.polymer.chains > 1
        assert self.options.interval is not None and self.options.equilibration is not None
        self.interval, self.equilibration = self.options.interval, self.options.equilibration

    def advance(
        self,
        run: int,
        piece: int,
        frames: int,
        state: dict[str, np.ndarray] | None,
        tell: Callable[[], None],
    ) -> dict[str, np.ndarray]:
        """Simulate one piece; see `zoo.engines.runs.Simulator`."""
        if state is None:
            positions, velocities = self._begin(run)
        else:
            positions, velocities = state["last_positions"], state["last_velocities"]
        box, step = self._box(), self.options.timestep
        per_frame = round(self.interval / step)
        kept: dict[str, list[np.ndarray]] = {
            key: [] for key in (keys.POSITIONS, keys.FORCES, keys.ENERGIES)
        }  # fmt: skip
        with (
            Engine(self.polymer, positions, box, step) as engine,
            Engine(self.polymer, positions, box, step) as label,
        ):
            engine.set_velocities(velocities)
            self._couple(engine, self._seed(run, piece, 0))
            if state is None and self.equilibration:
                engine.run(round(self.equilibration / step))
            for frame in range(frames):
                engine.run(per_frame, fresh=frame == 0)
                stored = engine.positions().astype(np.float32)
                energy, forces = label.evaluate(stored)
                kept[keys.POSITIONS].append(stored)
                kept[keys.FORCES].append(forces.astype(np.float32))
                kept[keys.ENERGIES].append(np.array(energy))
                tell()
            last = {"last_positions": engine.positions(), "last_velocities": engine.velocities()}
        arrays = {key: np.stack(values) for key, values in kept.items()}
        number = piece * self.frames_per_piece + np.arange(1, frames + 1)
        arrays[keys.TIME] = self.equilibration + self.interval * number
        if box is not None:
            arrays[keys.CELLS] = np.repeat(np.diag(box)[None], frames, axis=0)
        elif self.thermostat == "nose-hoover" and self.equilibrium:
            arrays[keys.WEIGHTS] = inertia_weight(arrays[keys.POSITIONS])
        return {**arrays, **last}

    def _seed(self, run: int, piece: int, purpose: int) -> int:
        """Seed of LAMMPS's random numbers (Marsaglia's: 1 to 9 × 10⁸) for one piece."""
        return int(np.random.default_rng([self.seed, run, piece, purpose]).integers(1, 900_000_000))

    def _box(self) -> np.ndarray | None:
        if not self.periodic:
            return None
        return np.full(3, (self.polymer.particles / self.options.density) ** (1 / 3))

    def _couple(self, engine: Engine, seed: int) -> None:
        if self.thermostat == "langevin":
            engine.langevin(self.options.temperature, self.options.friction, seed)
        else:
            engine.nose_hoover(self.options.temperature, self.options.damping, 3 if self.periodic else 6)

    def _begin(self, run: int) -> tuple[np.ndarray, np.ndarray]:
        """Positions and velocities before the equilibration."""
        temperature = self.options.temperature
        rng = np.random.default_rng([self.seed, run, 0, 1])
        if self.periodic:
            positions = self._compressed(run, rng)
        else:
            positions = circle(self.polymer.beads)
        still = "nothing"
        if self.thermostat == "nose-hoover":
            still = "momentum" if self.periodic else "rotation"
        return positions, maxwell(positions, temperature, rng, still)

    def _compressed(self, run: int, rng: np.random.Generator) -> np.ndarray:
        """Stacked circles, compressed to the melt's box with a Langevin thermostat."""
        positions, edges = stack(self.polymer)
        box = self._box()
        assert box is not None
        with Engine(self.polymer, positions, edges, self.options.timestep) as engine:
            engine.set_velocities(maxwell(positions, self.options.temperature, rng, "momentum"))
            engine.langevin(self.options.temperature, self.options.friction, self._seed(run, 0, 2))
            engine.compress(box, round(COMPRESSION / self.options.timestep))
            return engine.positions()
