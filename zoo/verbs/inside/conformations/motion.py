"""Conformations of a potential: the simulation that `zoo sample` has kept, or else a short one."""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path

import numpy as np
import torch

from zoo import keys
from zoo.analysis.flags import Flag
from zoo.errors import DataError, RunError, RunFailed
from zoo.models.base import ZooModel
from zoo.models.potential import GraphPotential
from zoo.physics.samplers import Langevin, inertia
from zoo.physics.vibrations import shortest_period
from zoo.verbs.inside.conformations.made import made
from zoo.verbs.inside.conformations.sample import MOST, Sample
from zoo.verbs.inside.subject import Subject
from zoo.verbs.replicas import BOND_RANGE, BondLimits, Schedule, move
from zoo.verbs.simulate import FRICTION, LOOKED_AT, SIMULATION, STEPS_PER_PERIOD

#: A short simulation, where none was made by `zoo sample`: replicas, frames of each, time steps between two
#: frames, frames thrown away.
REPLICAS, FRAMES, STEPS, DISCARDED = 16, 25, 50, 10


def simulated(subject: Subject, model: ZooModel, frames: int | None, seed: int) -> Sample:
    """Return the simulation that `zoo sample` has kept, or else make a short one of so many frames."""
    data = subject.data
    kept = None if subject.folder is None else subject.folder / SIMULATION
    if kept is not None and kept.is_file() and frames is None:
        return _kept(subject, kept)
    _refuse_still(subject)
    generator = torch.Generator().manual_seed(seed)
    potential = GraphPotential(model, data.system.types)
    n = frames or REPLICAS * FRAMES
    replicas = min(REPLICAS, n)
    train = data.split("train" if "train" in data.manifest.splits else "all").index
    picked = train[np.linspace(0, len(train) - 1, replicas).round().astype(int)]
    starts = torch.from_numpy(data.array(keys.POSITIONS, picked).astype(np.float64))
    masses = inertia(data.system.masses, data.units)
    period = shortest_period(potential, starts[:LOOKED_AT], masses, generator)
    if not np.isfinite(period):
        raise RunFailed(f"the potential of {subject.label} has no force that would bring anything back")
    timestep = period / STEPS_PER_PERIOD
    each = np.full(replicas, n // replicas)
    each[: n % replicas] += 1
    schedule = Schedule(STEPS, DISCARDED, each, STEPS * timestep)
    assert data.temperature is not None
    langevin = Langevin(potential, masses, data.units.boltzmann * data.temperature, timestep, FRICTION)
    with tempfile.TemporaryDirectory(prefix="zoo-") as folder:
        moved = move(
            langevin, starts, schedule, BondLimits.seen(data), data, data.temperature, generator,
            Path(folder) / "moved",
        )  # fmt: skip
        x = np.array(moved.dataset.array(keys.POSITIONS))
        run = np.array(moved.dataset.runs())
    time = schedule.interval * (DISCARDED + max(each))
    what = f"a short simulation, {replicas} replicas of {time:.3g} {data.units.time} from frames of the data"
    out = made(subject, x, what, "")
    out.run, out.spacing = run, schedule.interval
    out.facts |= {"timestep": timestep, "interval": schedule.interval, "replicas": replicas}
    lost = int(np.isfinite(moved.lost_at).sum())
    if lost:
        out.flags.append(
            Flag(
                "broken",
                f"{lost} of {replicas} replicas broke down (energy not finite, or a bond beyond "
                f"{BOND_RANGE:g} times its range in the data): train the potential further or with priors",
            )
        )
    return out


def _refuse_still(subject: Subject) -> None:
    data = subject.data
    if data.system.periodic:
        raise DataError(
            f"{data.name} is periodic; conformations are those of molecules in open space. "
            "zoo.calculator(RUN) gives the potential to ASE"
        )
    if data.temperature is None or not (data.system.masses > 0).all():
        raise DataError(f"{data.name} states no temperature or no masses: its particles cannot be simulated")


def _kept(subject: Subject, path: Path) -> Sample:
    try:
        with np.load(path, allow_pickle=False) as file:
            x, run, time = (file[k] for k in ("positions", "replica", "time"))
    except (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise RunError(f"{path} cannot be read: {error}; `zoo sample` makes it anew") from error
    order = np.lexsort((time, run))[:MOST]
    x, run, time = x[order], run[order], time[order]
    steps = np.diff(time)[np.diff(run) == 0]
    even = len(steps) > 0 and steps.min() > 0 and np.ptp(steps) <= 1e-3 * steps.max()
    out = made(subject, x, "the simulation that zoo sample has kept", "")
    out.run, out.spacing = run, float(steps.mean()) if even else None
    out.no_time = "" if even else "the frames kept of the simulation are not equally spaced"
    return out
