"""The pieces of work that worker processes do. Each is a pure function of its arguments."""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import dataclass

import numpy as np

from zoo.datasets.kob_andersen.engine import Engine, maxwell, wrap
from zoo.datasets.kob_andersen.potential import composition

#: Temperature at which a run starts and how long it stays there and cools down, in τ.
MELT, MELT_TIME, COOL_TIME = 2.0, 10.0, 20.0


@dataclass(frozen=True)
class Conditions:
    """What all pieces of one dataset share; see `KobAndersenOptions`."""

    particles: int
    box: float
    temperature: float
    timestep: float
    thermostat: float
    clone_ensemble: str
    seed: int

    def rng(self, *key: int) -> np.random.Generator:
        """Return the random numbers of one piece; they depend on nothing but seed and key."""
        return np.random.default_rng([self.seed, *key])


def start_worker(parent: int) -> None:
    """Prepare a worker process: quiet, one thread, and it ends when its parent is gone."""
    os.environ["OMP_NUM_THREADS"] = "1"
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends it at once, without a traceback

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def melt(at: Conditions, run: int) -> dict[str, np.ndarray]:
    """Start a run: random positions, energy minimum, liquid at T = 2, cooled to the temperature.

    Returns the state: `positions` (wrapped, float64) and `velocities`.
    """
    rng = at.rng(run, 0)
    hot = max(MELT, 2 * at.temperature)
    start = rng.uniform(0, at.box, (at.particles, 3))
    with Engine(start, composition(at.particles), at.box, at.timestep) as engine:
        engine.minimize(force=1e-2)
        engine.set_velocities(maxwell(at.particles, hot, rng))
        engine.thermostat(hot, hot, at.thermostat)
        engine.run(round(MELT_TIME / at.timestep))
        engine.thermostat(hot, at.temperature, at.thermostat)
        engine.run(round(COOL_TIME / at.timestep))
        return _state(engine)


def segment(at: Conditions, state: dict[str, np.ndarray], steps: int) -> dict[str, np.ndarray]:
    """Go on at constant temperature (Nosé-Hoover, which starts afresh with each segment).

    Returns the new state and `notes [.., 2]`: potential energy per particle, temperature.
    """
    types = composition(at.particles)
    with Engine(state["positions"], types, at.box, at.timestep) as engine:
        engine.set_velocities(state["velocities"])
        engine.thermostat(at.temperature, at.temperature, at.thermostat)
        notes = engine.noted_run(steps)
        return {**_state(engine), "notes": notes}


def _state(engine: Engine) -> dict[str, np.ndarray]:
    return {
        "positions": wrap(engine.unwrapped(), engine.box),
        "velocities": engine.velocities(),
    }


def inherent(at: Conditions, positions: np.ndarray) -> dict[str, np.ndarray]:
    """Minimise the energy of a configuration; returns both local energies and the minimum."""
    types = composition(at.particles)
    with Engine(positions.astype(np.float64), types, at.box, at.timestep) as engine:
        thermal = engine.energies()
        engine.minimize()
        return {
            "particle_energies": thermal,
            "positions_inherent": wrap(engine.unwrapped().astype(np.float32), at.box),
            "particle_energies_inherent": engine.energies(),
        }


def clone(
    at: Conditions, positions: np.ndarray, steps: list[int], key: tuple[int, int, int]
) -> dict[str, np.ndarray]:
    """Run one clone from a configuration with fresh Maxwell velocities.

    Returns `displacements [times, particles]`, σ: |Δr| after each of the ascending `steps`.
    """
    start = positions.astype(np.float64)
    with Engine(start, composition(at.particles), at.box, at.timestep) as engine:
        engine.set_velocities(maxwell(at.particles, at.temperature, at.rng(*key)))
        if at.clone_ensemble == "nvt":
            engine.thermostat(at.temperature, at.temperature, at.thermostat)
        else:
            engine.conserve()
        out, done = [], 0
        for step in steps:
            engine.run(step - done)
            done = step
            out.append(np.linalg.norm(engine.unwrapped() - start, axis=1))
    return {"displacements": np.array(out, np.float32)}
