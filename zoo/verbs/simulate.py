"""`sample` of a potential: batched Langevin dynamics, what it lost, and how near it is to its data.

Beside the trajectory stands `STEM.simulation.json`: settings, stability, comparison. A run directory also
keeps `simulation.npz`, which a report is drawn from; see `zoo.verbs.simulation_scores`.
"""

from __future__ import annotations

import io
import math
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from zoo import keys
from zoo.data.dataset import Dataset
from zoo.data.export import export
from zoo.errors import ConfigError, DataError, RunFailed
from zoo.files import write_bytes, write_json
from zoo.models.base import ZooModel
from zoo.models.potential import GraphPotential
from zoo.physics.samplers import Langevin, inertia
from zoo.physics.vibrations import shortest_period
from zoo.run import CONFIG
from zoo.tasks.metrics import Metric, metric
from zoo.verbs.replicas import BOND_RANGE, BondLimits, Moved, Schedule, move
from zoo.verbs.samples import Sample, output_files, put_in_place
from zoo.verbs.simulation_scores import compared

COMPANION = ".simulation.json"
SIMULATION = "simulation.npz"
#: Time steps in the shortest period of the potential: ω Δt = 0.79, where 2 is the limit.
STEPS_PER_PERIOD = 8
#: Starting frames whose vibrations are looked at for the time step.
LOOKED_AT = 16
#: Frames of a replica, replicas, and particles of all replicas together, where none are asked for.
FRAMES_EACH, MOST_REPLICAS, MOST_PARTICLES = 50, 128, 8000
#: Friction, 1/ps or 1/τ, as in the zoo's own simulations.
FRICTION = 1.0
#: Times 1/friction that are thrown away at the start.
EQUILIBRATION = 10.0
#: Time between frames where the data states none, and at most: ps, or τ.
INTERVAL = {"ase": 1.0, "lj": 10.0}


@dataclass(frozen=True)
class Dynamics:
    """Settings of the dynamics; None: see the defaults.

    Args:
        replicas: independent copies of the molecule, started from frames of the training split that are
            spread out. By default one for each 50 frames, 8 to 128.
        timestep: ps or τ; by default an eighth of the shortest period of vibration that the potential has
            at the starting frames.
        friction: of the Langevin thermostat, 1/ps or 1/τ; by default 1.
        interval: time between two kept frames; by default that of the data, at most 1 ps or 10 τ.
        equilibrate: time at the start that is thrown away; by default 10 / friction.
    """

    replicas: int | None = None
    timestep: float | None = None
    friction: float | None = None
    interval: float | None = None
    equilibrate: float | None = None


def simulate(
    model: ZooModel,
    data: Dataset,
    n: int,
    out: Path,
    dynamics: Dynamics,
    folder: Path,
    *,
    seed: int = 0,
    temperature: float | None = None,
    overwrite: bool = False,
) -> Sample:
    """Simulate a potential, write n frames, and compare them with all frames of its data.

    Args:
        model: a potential.
        data: what it was trained on: starts, masses, bonds, and the reference of the comparison.
        n: frames to keep in all.
        out: file to make; its ending names the format.
        dynamics: settings.
        folder: of the model; a run directory keeps `simulation.npz`.
        seed: of velocities and noise.
        temperature: the dataset's if None; at another one nothing is compared.
        overwrite: replace files that are there.

    Raises:
        ConfigError: a setting out of range.
        DataError: a file exists; the dataset is periodic or has no temperature or masses.
        RunFailed: no replica stayed whole.
    """
    files = output_files(out, COMPANION, overwrite)
    _check(data, dynamics)
    warm = data.temperature if temperature is None else temperature
    if warm is None:
        raise DataError(f"{data.name} states no temperature: add --temperature")
    generator = torch.Generator().manual_seed(seed)
    potential = GraphPotential(model, data.system.types)
    starts = _starts(data, _replicas(n, data, dynamics))
    masses = inertia(data.system.masses, data.units)
    timestep, period = dynamics.timestep, math.nan
    if timestep is None:
        period = shortest_period(potential, starts[:LOOKED_AT], masses, generator)
    friction = FRICTION if dynamics.friction is None else dynamics.friction
    schedule = _schedule(data, n, len(starts), timestep or period / STEPS_PER_PERIOD, friction, dynamics)
    timestep = schedule.interval / schedule.steps
    langevin = Langevin(potential, masses, data.units.boltzmann * warm, timestep, friction)
    limits = BondLimits.seen(data)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as name:
        work = Path(name)
        moved = move(langevin, starts, schedule, limits, data, warm, generator, work / "moved")
        metrics, notes = _stability(moved, data, schedule)
        record: dict[str, Any] = {
            "settings": {
                "replicas": len(starts), "timestep": timestep, "friction": friction,
                "interval": schedule.interval, "equilibrate": schedule.equilibration * schedule.interval,
                "temperature": warm, "seed": seed, "frames": len(moved.dataset), "model": str(folder),
                "dataset": data.name, "units": asdict(data.units),
                "shortest_period": None if math.isnan(period) else period,
            },
            "lost_at": [None if math.isinf(t) else t for t in moved.lost_at.tolist()],
        }  # fmt: skip
        arrays: dict[str, np.ndarray] = {}
        if warm == data.temperature:
            found = compared(data, moved.dataset, schedule.interval, seed)
            metrics, notes, arrays = metrics | found.metrics, notes + found.notes, found.arrays
            record["comparison"] = found.record
        else:
            notes.append("not compared with the data, which is not of this temperature")
        record |= {"metrics": metrics, "notes": notes}
        made = work / "made"
        made.mkdir()
        export(moved.dataset.split("all"), made / out.name)
        write_json(made / files[-1].name, record)
        output_files(out, COMPANION, overwrite)  # another process may have made one meanwhile
        put_in_place(made, files)
        if (folder / CONFIG).is_file():
            _keep(folder / SIMULATION, arrays)
    return Sample(files, metrics, notes)


def _check(data: Dataset, dynamics: Dynamics) -> None:
    if data.system.periodic:
        raise DataError(
            f"{data.name} is periodic; zoo sample simulates molecules and clusters in open space. "
            "zoo.calculator(RUN) gives its potential to ASE"
        )
    if not (data.system.masses > 0).all():
        raise DataError(f"{data.name} has particles without mass: they cannot be simulated")
    for name, value in asdict(dynamics).items():
        least = 0 if name == "equilibrate" else math.ulp(0)
        if value is not None and not least <= value < math.inf:
            raise ConfigError(f"--{name} takes a positive number, got {value:g}")


def _replicas(n: int, data: Dataset, dynamics: Dynamics) -> int:
    if dynamics.replicas is not None:
        return min(dynamics.replicas, n)
    most = min(MOST_REPLICAS, max(8, MOST_PARTICLES // data.system.num_particles))
    return min(n, most, max(8, n // FRAMES_EACH))


def _starts(data: Dataset, replicas: int) -> torch.Tensor:
    """Frames of the training split, spread out, `[replicas, particles, 3]` in float64."""
    frames = data.split("train" if "train" in data.manifest.splits else "all")
    picked = frames.index[np.linspace(0, len(frames) - 1, replicas).round().astype(int)]
    return torch.from_numpy(np.stack([data.array(keys.POSITIONS)[i] for i in picked]).astype(np.float64))


def _schedule(
    data: Dataset, n: int, replicas: int, timestep: float, friction: float, dynamics: Dynamics
) -> Schedule:
    """Whole numbers of time steps in an interval, the step no longer than asked for."""
    if math.isinf(timestep):
        raise RunFailed("the potential has no force that would bring anything back: give a --timestep")
    interval = dynamics.interval or min(_spacing(data) or math.inf, INTERVAL[data.units.name])
    steps = max(1, math.ceil(interval / timestep - 1e-6))
    time = EQUILIBRATION / friction if dynamics.equilibrate is None else dynamics.equilibrate
    each = np.full(replicas, n // replicas)
    each[: n % replicas] += 1
    return Schedule(steps, math.ceil(time / interval - 1e-6), each, interval)


def _spacing(data: Dataset) -> float | None:
    """Time between the first two frames of a run."""
    if keys.TIME not in data.arrays or len(data) < 2:
        return None
    time = np.diff(data.array(keys.TIME)[:2])[0]
    return float(time) if time > 0 else None


def _stability(moved: Moved, data: Dataset, schedule: Schedule) -> tuple[dict[str, Metric], list[str]]:
    lost, unit = moved.lost_at[np.isfinite(moved.lost_at)], data.units.time
    metrics = {"stability": metric(moved.stability, "1"), "simulated_time": metric(moved.simulated, unit)}
    if not len(lost):
        return metrics, []
    metrics["lost_after"] = metric(float(np.median(lost)), unit)
    return metrics, [
        f"{len(lost)} of {len(moved.lost_at)} replicas broke down (energy not finite, or a bond beyond "
        f"{BOND_RANGE:g} times its range in the data), the first after {lost.min():.4g} {unit}; "
        f"{len(moved.dataset)} frames are left"
    ]


def _keep(path: Path, arrays: dict[str, np.ndarray]) -> None:
    if arrays:
        buffer = io.BytesIO()
        np.savez_compressed(buffer, allow_pickle=False, **arrays)
        write_bytes(path, buffer.getvalue())
