"""Langevin dynamics of one molecule with OpenMM, in runs and pieces (`zoo.engines.runs`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from zoo import keys
from zoo.engines.langevin import LangevinOptions
from zoo.engines.runs import Runs, share
from zoo.errors import ConfigError, EntryError
from zoo.units import ANGSTROM_PER_NM, EV_PER_KJ_MOL

#: Name of the kinetic energies `[frames]` of all atoms, also of those that are not stored.
KINETIC = "kinetic_energies"
#: eV per amu (Å/ps)².
EV_PER_AMU = EV_PER_KJ_MOL / ANGSTROM_PER_NM**2
#: Units of the arrays of a dataset that OpenMM made.
UNITS = {
    keys.POSITIONS: "Å",
    keys.VELOCITIES: "Å/ps",
    keys.FORCES: "eV/Å",
    keys.ENERGIES: "eV",
    KINETIC: "eV",
    keys.RUN: "",
    keys.TIME: "ps",
}
#: About this many time steps are at stake when a process is killed: some 15 s for a small molecule.
PIECE_STEPS = 50_000
#: kJ/mol per amu (nm/ps)² is 1, so k_B T / m is in (nm/ps)² with this constant.
BOLTZMANN_KJ_MOL = 8.31446261815324e-3


def require_openmm(entry: str) -> None:
    """Raise `EntryError` with the line to install where OpenMM is missing."""
    try:
        import openmm  # noqa: F401
    except ImportError as error:
        raise EntryError(
            f"{entry} is simulated with OpenMM, which is not installed: pip install 'molzoo[simulate]'"
        ) from error


@dataclass(frozen=True)
class OpenMMJob:
    """What all runs share; plain values, so that it travels as JSON.

    Args:
        system_xml: the OpenMM System.
        starts: `[starts][atoms][3]` starting positions in nm, taken in turn by the runs.
        temperature, friction, timestep: K, 1/ps, ps.
        steps_per_frame, equilibration_steps: time steps.
        platform: on which the dynamics runs.
        label_platform: on which energies and forces are computed; "Reference" is in double precision.
        seed: of everything random.
        frames_per_piece: see `Runs`.
        minimize: relax the starting positions first.
        keep: atoms whose positions and velocities are stored; empty: all.
        group: number of the stored atom that takes up each atom's force, −1 for none; empty: its own.
        kinetic: store the kinetic energy of all atoms in place of velocities: those of some atoms
            whose bonds are rigid tell no temperature.
    """

    system_xml: str
    starts: list[list[list[float]]]
    temperature: float
    friction: float
    timestep: float
    steps_per_frame: int
    equilibration_steps: int
    platform: str
    seed: int
    frames_per_piece: int
    label_platform: str = "Reference"
    minimize: bool = True
    keep: list[int] = field(default_factory=list)
    group: list[int] = field(default_factory=list)
    kinetic: bool = False

    def random(self, run: int, piece: int, purpose: int) -> np.random.Generator:
        """Random numbers of one purpose (0 thermostat, 1 first velocities) in one piece."""
        return np.random.default_rng([self.seed, run, piece, purpose])


def langevin_runs(
    entry: str,
    system_xml: str,
    starts: Sequence[np.ndarray],
    options: LangevinOptions,
    *,
    frames: int,
    seed: int,
    **more: Any,
) -> Runs:
    """Return the runs of a molecule.

    Args:
        entry: name of the dataset's entry.
        system_xml: the OpenMM System.
        starts: positions `[atoms, 3]` in Å, taken in turn by the runs.
        options: see `LangevinOptions`.
        frames: of all runs together.
        seed: of everything random.
        more: further fields of `OpenMMJob`.

    Raises:
        EntryError: OpenMM is not installed.
        ConfigError: a negative seed.
    """
    require_openmm(entry)
    if seed < 0:
        raise ConfigError(f"the seed must not be negative, it is {seed}")
    piece = max(1, PIECE_STEPS // options.steps_per_frame)
    job = OpenMMJob(
        system_xml=system_xml,
        starts=[(np.asarray(start, np.float64) / ANGSTROM_PER_NM).tolist() for start in starts],
        temperature=options.temperature,
        friction=options.friction,
        timestep=options.timestep / 1000,
        steps_per_frame=options.steps_per_frame,
        equilibration_steps=round(options.equilibration * 1000 / options.timestep),
        platform=options.platform,
        seed=seed,
        **{"frames_per_piece": piece, **more},
    )
    return Runs(
        label=entry,
        target="zoo.engines.openmm:OpenMMRun",
        job=vars(job),
        frames=share(frames, options.number_of_runs(frames)),
        piece=job.frames_per_piece,
    )


def pace(options: LangevinOptions) -> Callable[[float], str]:
    """Words for a rate in frames per second."""
    return lambda rate: f"{rate * options.interval * 86.4:.4g} ns/day"


class OpenMMRun:
    """Langevin dynamics (LangevinMiddle); labels are of the potential alone, at the stored positions.

    Velocities are those of half a step before the positions (Zhang et al., J. Phys. Chem. A 123,
    6056 (2019)). Where all atoms are stored, energies and forces are those of the stored float32
    positions, so that anybody can compute them again.
    """

    def __init__(self, job: dict[str, Any]) -> None:
        import openmm

        self.job = OpenMMJob(**job)
        self.system = openmm.XmlSerializer.deserialize(self.job.system_xml)
        atoms = self.system.getNumParticles()
        self.masses = np.array([self.system.getParticleMass(i)._value for i in range(atoms)])
        self.integrator = openmm.LangevinMiddleIntegrator(
            self.job.temperature, self.job.friction, self.job.timestep
        )
        self.context = make_context(self.system, self.integrator, self.job.platform)
        # Labels without thermostat, by default in double precision.
        self.label = make_context(self.system, openmm.VerletIntegrator(0.001), self.job.label_platform)

    def advance(
        self,
        run: int,
        piece: int,
        frames: int,
        state: dict[str, np.ndarray] | None,
        tell: Callable[[], None],
    ) -> dict[str, np.ndarray]:
        """Simulate one piece; see `zoo.engines.runs.Simulator`."""
        from openmm import unit

        job = self.job
        seed = int(job.random(run, piece, 0).integers(1, 2**31 - 1))  # 0 would mean "any"
        self.integrator.setRandomNumberSeed(seed)
        self.context.reinitialize()
        if state is None:
            self._start(run)
        else:
            self.context.setPositions(state["last_positions"])
            self.context.setVelocities(state["last_velocities"])
        motion = KINETIC if job.kinetic else keys.VELOCITIES
        kept: dict[str, list[np.ndarray]] = {
            name: [] for name in (keys.POSITIONS, motion, keys.FORCES, keys.ENERGIES)
        }
        for _ in range(frames):
            self.integrator.step(job.steps_per_frame)
            now = self.context.getState(positions=True, velocities=True)
            positions = now.getPositions(asNumpy=True).value_in_unit(unit.nanometer)
            velocities = now.getVelocities(asNumpy=True).value_in_unit(unit.nanometer / unit.picosecond)
            stored = (positions * ANGSTROM_PER_NM).astype(np.float32)
            energy, forces = evaluate(self.label, stored)
            kept[keys.POSITIONS].append(self._kept(stored))
            kept[motion].append(self._motion(velocities * ANGSTROM_PER_NM))
            kept[keys.FORCES].append(self._grouped(forces).astype(np.float32))
            kept[keys.ENERGIES].append(np.array(energy))
            tell()
        number = piece * job.frames_per_piece + np.arange(1, frames + 1)
        steps = job.equilibration_steps + job.steps_per_frame * number
        return {
            **{name: np.stack(values) for name, values in kept.items()},
            keys.TIME: steps * job.timestep,
            "last_positions": np.array(positions),
            "last_velocities": np.array(velocities),
        }

    def _start(self, run: int) -> None:
        """Relax the starting structure, draw velocities, and run the part that is thrown away."""
        import openmm

        job = self.job
        self.context.setPositions(np.array(job.starts[run % len(job.starts)]))
        if job.minimize:
            openmm.LocalEnergyMinimizer.minimize(self.context)
        width = np.sqrt(BOLTZMANN_KJ_MOL * job.temperature / self.masses)[:, None]
        self.context.setVelocities(width * job.random(run, 0, 1).standard_normal((len(self.masses), 3)))
        if self.system.getNumConstraints():
            tolerance = self.integrator.getConstraintTolerance()
            self.context.applyConstraints(tolerance)
            self.context.applyVelocityConstraints(tolerance)
        self.integrator.step(job.equilibration_steps)

    def _motion(self, velocities: np.ndarray) -> np.ndarray:
        if self.job.kinetic:
            return np.array(0.5 * EV_PER_AMU * (self.masses @ velocities**2).sum())
        return self._kept(velocities.astype(np.float32))

    def _kept(self, array: np.ndarray) -> np.ndarray:
        return array[self.job.keep] if self.job.keep else array

    def _grouped(self, forces: np.ndarray) -> np.ndarray:
        if not self.job.group:
            return self._kept(forces)
        group = np.array(self.job.group)
        summed = np.zeros((len(self.job.keep), 3))
        np.add.at(summed, group[group >= 0], forces[group >= 0])
        return summed


def make_context(system: Any, integrator: Any, platform: str) -> Any:
    """Return a context of one thread: on small molecules more threads cost more than the work."""
    import openmm

    properties = {"Threads": "1", "DeterministicForces": "true"} if platform == "CPU" else {}
    return openmm.Context(system, integrator, openmm.Platform.getPlatformByName(platform), properties)


def evaluate(context: Any, positions: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the energy (eV) and forces `[atoms, 3]` (eV/Å) of positions in Å."""
    context.setPositions(np.asarray(positions, np.float64) / ANGSTROM_PER_NM)
    state = context.getState(energy=True, forces=True)
    energy = state.getPotentialEnergy()._value * EV_PER_KJ_MOL
    forces = state.getForces(asNumpy=True)._value * (EV_PER_KJ_MOL / ANGSTROM_PER_NM)
    return energy, np.asarray(forces)
