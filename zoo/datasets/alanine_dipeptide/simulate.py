"""One run of Langevin dynamics, in pieces that survive a kill.

Each piece starts from the positions and velocities saved with the one before, in a new context,
with random numbers that depend on (seed, run, piece) alone. A run that was killed and continued is
therefore the very same run, bit for bit, as one that was not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from zoo.data.work import Work
from zoo.datasets.alanine_dipeptide.molecule import build
from zoo.units import ANGSTROM_PER_NM, EV_PER_KJ_MOL

#: Starting structures (φ, ψ in degrees), taken in turn: extended, and C7ax, the main basin at φ > 0.
STARTS = ((-120.0, 150.0), (60.0, -60.0))
#: About this many time steps are at stake when a process is killed: some 15 s of work.
PIECE_STEPS = 50_000
#: kJ/mol per amu (nm/ps)² is 1, so k_B T / m is in (nm/ps)² with this constant.
BOLTZMANN_KJ_MOL = 8.31446261815324e-3


@dataclass(frozen=True)
class Job:
    """What all runs of one dataset share; plain values, so that it travels as JSON.

    Lengths in nm, times in ps, as in OpenMM. `frames` holds the number of frames of each run.
    """

    system_xml: str
    temperature: float
    friction: float
    timestep: float
    steps_per_frame: int
    equilibration_steps: int
    platform: str
    seed: int
    frames: tuple[int, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON; `Job(**record)` is the way back."""
        return asdict(self) | {"frames": list(self.frames)}

    def pieces(self, run: int) -> list[tuple[str, int]]:
        """Name of each piece of a run, and how many frames it holds."""
        size = max(1, PIECE_STEPS // self.steps_per_frame)
        full, rest = divmod(self.frames[run], size)
        sizes = [size] * full + ([rest] if rest else [])
        return [(f"run-{run:04d}-{i:06d}", n) for i, n in enumerate(sizes)]

    def random(self, run: int, piece: int, purpose: int) -> np.random.Generator:
        """Random numbers of one purpose (0 thermostat, 1 first velocities) in one piece."""
        return np.random.default_rng([self.seed, run, piece, purpose])


def simulate(job: Job, run: int, work: Work, tell: Callable[[], None]) -> None:
    """Simulate what is missing of a run; `tell` is called after each frame."""
    import openmm
    from openmm import unit

    system = openmm.XmlSerializer.deserialize(job.system_xml)
    integrator = openmm.LangevinMiddleIntegrator(job.temperature, job.friction, job.timestep)
    context = openmm.Context(
        system, integrator, openmm.Platform.getPlatformByName(job.platform), _properties(job.platform)
    )
    # Labels come from Reference, in double precision, at the positions as they are stored.
    label = openmm.Context(
        system, openmm.VerletIntegrator(0.001), openmm.Platform.getPlatformByName("Reference")
    )
    masses = np.array([system.getParticleMass(i)._value for i in range(system.getNumParticles())])
    state: dict[str, np.ndarray] | None = None
    for number, (name, frames) in enumerate(job.pieces(run)):
        if name in work:
            state = work.load(name)
            continue
        seed = int(job.random(run, number, 0).integers(1, 2**31 - 1))  # 0 would mean "any"
        integrator.setRandomNumberSeed(seed)
        context.reinitialize()
        if state is None:
            _start(job, run, context, masses)
        else:
            context.setPositions(state["last_positions"])
            context.setVelocities(state["last_velocities"])
        kept: dict[str, list[np.ndarray]] = {
            "positions": [], "velocities": [], "forces": [], "energies": []
        }  # fmt: skip
        for _ in range(frames):
            integrator.step(job.steps_per_frame)
            now = context.getState(positions=True, velocities=True)
            positions = now.getPositions(asNumpy=True).value_in_unit(unit.nanometer)
            velocities = now.getVelocities(asNumpy=True).value_in_unit(unit.nanometer / unit.picosecond)
            stored = (positions * ANGSTROM_PER_NM).astype(np.float32)
            energy, forces = evaluate(label, stored)
            kept["positions"].append(stored)
            kept["velocities"].append((velocities * ANGSTROM_PER_NM).astype(np.float32))
            kept["forces"].append(forces.astype(np.float32))
            kept["energies"].append(np.array(energy))
            tell()
        arrays = {key: np.stack(values) for key, values in kept.items()}
        state = {"last_positions": np.array(positions), "last_velocities": np.array(velocities)}
        work.save(name, **arrays, **state)


def evaluate(context: Any, positions: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the energy (eV) and forces `[atoms, 3]` (eV/Å) of positions in Å."""
    context.setPositions(np.asarray(positions, np.float64) / ANGSTROM_PER_NM)
    state = context.getState(energy=True, forces=True)
    energy = state.getPotentialEnergy()._value * EV_PER_KJ_MOL
    forces = state.getForces(asNumpy=True)._value * (EV_PER_KJ_MOL / ANGSTROM_PER_NM)
    return energy, np.asarray(forces)


def _properties(platform: str) -> dict[str, str]:
    """One thread: on 22 atoms more threads cost more than the work."""
    return {"Threads": "1", "DeterministicForces": "true"} if platform == "CPU" else {}


def _start(job: Job, run: int, context: Any, masses: np.ndarray) -> None:
    """Relax the starting structure, draw velocities, and run the part that is thrown away."""
    import openmm

    context.setPositions(build(*STARTS[run % len(STARTS)]) / ANGSTROM_PER_NM)
    openmm.LocalEnergyMinimizer.minimize(context)
    width = np.sqrt(BOLTZMANN_KJ_MOL * job.temperature / masses)[:, None]
    context.setVelocities(width * job.random(run, 0, 1).standard_normal((len(masses), 3)))
    context.getIntegrator().step(job.equilibration_steps)
