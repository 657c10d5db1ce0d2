"""The pieces of work that worker processes do. Each is a pure function of its arguments."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zoo.analysis.glass import p_hop
from zoo.datasets.kob_andersen.mixtures import Mixture, mixture_of
from zoo.engines.mixture import MixtureEngine, maxwell, wrap

#: Temperature at which a run starts and how long it stays there and cools down, in τ.
MELT, MELT_TIME, COOL_TIME = 2.0, 10.0, 20.0
#: A minimum for p_hop: with forces below this, ε/σ, one particle in a hundred is still off by 0.05 σ
#: or more, in half the time that a full minimum takes.
HOP_FORCE = 0.1
#: What a minimisation costs, in steps of dynamics.
MINIMUM_STEPS = 1000


@dataclass(frozen=True)
class Conditions:
    """What all pieces of one dataset share; see `KobAndersenOptions`."""

    particles: int
    box: float
    temperature: float
    timestep: float
    thermostat: float
    clone_ensemble: str
    cage_time: float
    cage_radius: float
    hop_window: float
    hop_spacing: float
    quiet_time: float
    seed: int
    variant: str = ""

    @property
    def mixture(self) -> Mixture:
        """What is simulated."""
        return mixture_of(self.variant)

    def engine(self, positions: np.ndarray) -> MixtureEngine:
        """Return LAMMPS with the mixture at `positions [particles, 3]`."""
        mixture = self.mixture
        types = mixture.composition(self.particles)
        return mixture.engine(positions.astype(np.float64), types, self.box, self.timestep)

    def velocities(self, rng: np.random.Generator, temperature: float | None = None) -> np.ndarray:
        """Draw Maxwell velocities `[particles, 3]`, σ/τ."""
        wanted = self.temperature if temperature is None else temperature
        return maxwell(self.particles, wanted, rng, self.mixture.dimensions)

    def rng(self, *key: int) -> np.random.Generator:
        """Return the random numbers of one piece; they depend on nothing but seed and key."""
        return np.random.default_rng([self.seed, *key])


def melt(at: Conditions, run: int) -> dict[str, np.ndarray]:
    """Start a run: random positions, energy minimum, liquid at T = 2, cooled to the temperature.

    Returns the state: `positions` (wrapped, float64) and `velocities`.
    """
    rng = at.rng(run, 0)
    hot = max(MELT, 2 * at.temperature)
    dimensions = at.mixture.dimensions
    start = np.zeros((at.particles, 3))
    start[:, :dimensions] = rng.uniform(0, at.box, (at.particles, dimensions))
    with at.engine(start) as engine:
        engine.minimize(force=1e-2)
        engine.set_velocities(at.velocities(rng, hot))
        engine.thermostat(hot, hot, at.thermostat)
        engine.run(round(MELT_TIME / at.timestep))
        engine.thermostat(hot, at.temperature, at.thermostat)
        engine.run(round(COOL_TIME / at.timestep))
        return _state(engine)


def segment(at: Conditions, state: dict[str, np.ndarray], steps: int) -> dict[str, np.ndarray]:
    """Go on at constant temperature (Nosé-Hoover, which starts afresh with each segment).

    Returns the new state and `notes [.., 2]`: potential energy per particle, temperature.
    """
    with at.engine(state["positions"]) as engine:
        engine.set_velocities(state["velocities"])
        engine.thermostat(at.temperature, at.temperature, at.thermostat)
        notes = engine.noted_run(steps)
        return {**_state(engine), "notes": notes}


def _state(engine: MixtureEngine) -> dict[str, np.ndarray]:
    return {
        "positions": wrap(engine.unwrapped(), engine.box),
        "velocities": engine.velocities(),
    }


def inherent(at: Conditions, positions: np.ndarray) -> dict[str, np.ndarray]:
    """Minimise the energy of a configuration; returns both local energies and the minimum."""
    with at.engine(positions) as engine:
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
    with at.engine(start) as engine:
        engine.set_velocities(at.velocities(at.rng(*key)))
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


def cage(at: Conditions, positions: np.ndarray, key: tuple[int, int, int]) -> dict[str, np.ndarray]:
    """Find the cage positions of a configuration: mean positions while rearrangements are forbidden.

    The idea and its use: R. M. Alkemade, F. Smallenburg, L. Filion, J. Chem. Phys. 158, 134512
    (2023), by Monte Carlo. Here by molecular dynamics at the same temperature (Nosé-Hoover):
    each particle starts at its place in the configuration and is reflected at a sphere of radius
    `cage_radius` around its place in the inherent structure; averaged over `cage_time`.

    Returns `positions_cage [particles, 3]`, σ, wrapped.
    """
    start = positions.astype(np.float64)
    with at.engine(start) as engine:
        engine.minimize()
        centres = engine.unwrapped()
    with at.engine(start) as engine:
        engine.set_velocities(at.velocities(at.rng(*key)))
        engine.thermostat(at.temperature, at.temperature, at.thermostat)
        mean = engine.confined_mean(round(at.cage_time / at.timestep), centres, at.cage_radius)
    return {"positions_cage": wrap(mean.astype(np.float32), at.box)}


def hops(at: Conditions, positions: np.ndarray, key: tuple[int, int, int]) -> dict[str, np.ndarray]:
    """Find who rearranges at a configuration, and how much each one does around it.

    The trajectory through the configuration without a thermostat, `hop_window` / 2 + `quiet_time`
    to either side: its past is that of reversed velocities. Every `hop_spacing` it is brought to
    its inherent structure.

    Returns `p_hop [particles]`, σ², at the configuration itself, and `p_hop_largest` within
    `quiet_time` before or after it.
    """
    half = round(at.hop_window / 2 / at.hop_spacing)
    reach = half + round(at.quiet_time / at.hop_spacing)
    velocities = at.velocities(at.rng(*key))
    past = _inherent_path(at, positions, -velocities, reach)
    future = _inherent_path(at, positions, velocities, reach)
    path = p_hop(np.concatenate([past[:0:-1], future]), half)
    return {
        "p_hop": path[len(path) // 2].astype(np.float32),
        "p_hop_largest": path.max(0).astype(np.float32),
    }


def _inherent_path(at: Conditions, positions: np.ndarray, velocities: np.ndarray, frames: int) -> np.ndarray:
    """Inherent positions `[frames + 1, particles, 3]`, unwrapped, from the configuration on."""
    steps = round(at.hop_spacing / at.timestep)
    path = []
    with at.engine(positions) as engine:
        engine.set_velocities(velocities)
        engine.conserve()
        for frame in range(frames + 1):
            if frame:
                engine.run(steps)
            now = engine.unwrapped()
            with at.engine(now) as quench:
                quench.minimize(HOP_FORCE)
                path.append(now + quench.unwrapped() - wrap(now, at.box))
    return np.array(path)
