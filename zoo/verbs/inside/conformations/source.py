"""Conformations of a subject: a density draws, an autoencoder decodes or draws, a potential moves."""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path

import numpy as np
import torch

from zoo import keys
from zoo.analysis.flags import Flag
from zoo.analysis.weights import clipped, ess, log_weights, normalised
from zoo.data.potential import has_potential, potential_of
from zoo.errors import ConfigError, DataError, RunError, RunFailed
from zoo.models.autoencoder import AutoencoderModel
from zoo.models.base import ZooModel
from zoo.models.density import DensityModel
from zoo.models.potential import GraphPotential
from zoo.physics.samplers import Langevin, inertia
from zoo.physics.vibrations import shortest_period
from zoo.progress import progress
from zoo.tasks.density.predictions import scored
from zoo.verbs.drawing import chunks
from zoo.verbs.inside.conformations.options import Options
from zoo.verbs.inside.conformations.sample import DRAWN, MOST, Sample, of_dataset
from zoo.verbs.inside.subject import Subject
from zoo.verbs.replicas import BOND_RANGE, BondLimits, Schedule, move
from zoo.verbs.simulate import FRICTION, LOOKED_AT, SIMULATION, STEPS_PER_PERIOD

#: A short simulation, where none was made by `zoo sample`: replicas, frames of each, time steps between two
#: frames, frames thrown away.
REPLICAS, FRAMES, STEPS, DISCARDED = 16, 25, 50, 10


def conformations_of(subject: Subject, options: Options, frames: int | None, seed: int) -> Sample:
    """Return what there is to look at.

    Args:
        subject: run, dataset or file.
        options: of the look.
        frames: how many; by default all of a dataset, 2000 draws of a network.
        seed: of draws.

    Raises:
        ConfigError: the run makes no conformations.
        DataError: periodic data, or positions that are not finite.
        RunFailed: no draw is finite, or every replica broke down.
    """
    data = subject.data
    if subject.task is None:
        return of_dataset(data, data.split("all"), subject.label, frames, options.spacing)
    model = subject.model.eval()
    kind = model.info.interface
    if kind == "node":
        raise ConfigError(
            f"{subject.label} predicts targets of particles and makes no conformations: look at "
            f"`zoo analyze {subject.folder or subject.label} latent`, or layers"
        )
    if isinstance(model, DensityModel):
        return _drawn(subject, model, options, frames or DRAWN, seed)
    if options.reweight:
        raise ConfigError(f"reweight is for draws of a density, and {subject.label} is none")
    if isinstance(model, AutoencoderModel):
        sample = getattr(model, "sample", None)
        if sample is None:
            return _decoded(subject, model, frames)
        generator = torch.Generator().manual_seed(seed)
        n = frames or DRAWN
        x = sample(n, generator).cpu().numpy()
        return _made(subject, x, f"{n} structures from latents of the prior", "draws have no time")
    return _simulated(subject, model, frames, seed)


def reference_of(
    subject: Subject, against: Subject | None, options: Options, frames: int | None, seed: int
) -> Sample | None:
    """Return what the subject is compared with: `against`, or the split of a run's own data.

    Raises:
        DataError: it is of other particles.
    """
    if against is not None:
        own = options.model_copy(update={"reweight": options.reweight and against.task is not None})
        found = conformations_of(against, own, frames if against.task is not None else None, seed + 1)
    elif subject.task is not None:
        data = subject.data
        split = subject.split if subject.split in data.manifest.splits else "all"
        found = of_dataset(data, data.split(split), f"{data.name}, {split} split", None, options.spacing)
    else:
        return None
    same = found.system.types.tolist() == subject.data.system.types.tolist()
    if not same or found.units.name != subject.data.units.name:
        raise DataError(f"{found.label} is not of the particles of {subject.label}: they cannot be compared")
    return found


# --- what networks make -----------------------------------------------------------------------------


def _drawn(subject: Subject, model: DensityModel, options: Options, n: int, seed: int) -> Sample:
    data = subject.data
    kT = None if data.temperature is None else data.units.boltzmann * data.temperature
    if options.reweight and (kT is None or not has_potential(data)):
        raise ConfigError(f"reweight needs an energy function and a temperature, and {data.name} lacks one")
    potential = potential_of(data) if options.reweight else None
    like = next(t for t in [*model.parameters(), *model.buffers()] if t.is_floating_point())
    generator = torch.Generator(device=like.device).manual_seed(seed)
    nothing = np.zeros((0, 4), np.int64)
    parts: list[dict[str, np.ndarray]] = []
    with progress("drawing", n, "draws") as bar:
        for rows in chunks(n, data.system.num_particles):
            x, log_prob = model.sample(len(rows), generator)
            part = {"positions": x.cpu().numpy()}
            if potential is not None:
                part |= scored(model, x, log_prob, potential, nothing)
            parts.append(part)
            bar.advance(len(rows))
    found = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    weights = None
    what = f"{n} draws"
    if kT is not None and options.reweight:
        weights = clipped(
            normalised(log_weights(found["energy"], found["log_volume"], found["log_prob"], kT))
        )
        if not weights.any():
            raise RunFailed(f"no draw of {subject.label} has a finite energy: leave reweight out")
        what += f" with importance weights (effective share {ess(weights):.2g})"
    return _made(subject, found["positions"], what, "draws have no time", weights=weights)


def _decoded(subject: Subject, model: AutoencoderModel, frames: int | None) -> Sample:
    data = subject.data
    split = subject.split if subject.split in data.manifest.splits else "all"
    originals = of_dataset(data, data.split(split), subject.label, frames)
    like = next((t for t in [*model.parameters(), *model.buffers()] if t.is_floating_point()), torch.zeros(1))
    parts = []
    with torch.no_grad():
        for i in range(0, len(originals), 256):
            x = torch.from_numpy(originals.positions[i : i + 256].astype(np.float64)).to(like)
            parts.append(model.reconstruct(x - x.mean(1, keepdim=True)).cpu().numpy())
    return _made(
        subject, np.concatenate(parts), f"decoded frames of the {split} split",
        "decoded frames move as the originals do", originals.run, originals.weights,
    )  # fmt: skip


def _made(
    subject: Subject, x: np.ndarray, what: str, no_time: str, run: np.ndarray | None = None,
    weights: np.ndarray | None = None,
) -> Sample:  # fmt: skip
    """A sample of what a network made, without what is not finite, which is flagged."""
    good = np.isfinite(x).all((1, 2))
    if not good.any():
        raise RunFailed(
            f"nothing that {subject.label} makes is finite; its weights are spoilt: train it anew"
        )
    data = subject.data
    facts = {"made": what, "dataset": data.name, "frames": int(good.sum())}
    out = Sample(
        subject.label, what, data.system, data.units, x[good], None if run is None else run[good], None,
        None if weights is None else weights[good], no_time, facts,
    )  # fmt: skip
    if not good.all():
        out.flags.append(
            Flag(
                "NaN",
                f"{(~good).sum()} of {len(x)} structures are not finite and are left out: lower optim.lr, or "
                "look for weights that have become infinite with `zoo analyze RUN layers`",
            )
        )
    return out


def _simulated(subject: Subject, model: ZooModel, frames: int | None, seed: int) -> Sample:
    """The simulation that `zoo sample` has kept, or else a short one."""
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
    out = _made(subject, x, what, "")
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
    out = _made(subject, x, "the simulation that zoo sample has kept", "")
    out.run, out.spacing = run, float(steps.mean()) if even else None
    out.no_time = "" if even else "the frames kept of the simulation are not equally spaced"
    return out
