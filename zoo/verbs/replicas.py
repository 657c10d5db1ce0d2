"""Many replicas of a molecule move by Langevin dynamics; those that break are counted and left behind."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from zoo import keys
from zoo.analysis.features import distances
from zoo.data.dataset import Dataset
from zoo.data.store import Manifest, dataset_writer
from zoo.errors import RunFailed
from zoo.physics.samplers import Langevin, State
from zoo.progress import progress

#: A bond is broken where it leaves its range in the data, widened about its middle by this factor …
BOND_RANGE = 2.0
#: … and a range reaches at least this share of the bond's length to each side.
LEAST_RANGE = 0.1
#: Rows of frames that are written at once.
ROWS = 4096


@dataclass(frozen=True)
class BondLimits:
    """Lengths of bonds within which a molecule is whole.

    Args:
        pairs: `[bonds, 2]`.
        low, high: `[bonds]` length.
    """

    pairs: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @classmethod
    def seen(cls, dataset: Dataset) -> BondLimits:
        """Twice the range of the training split about its middle; see `BOND_RANGE`."""
        pairs, frames = dataset.system.bonds, dataset.split("train")
        if not len(pairs):
            return cls(pairs, np.zeros(0), np.zeros(0))
        parts = [frames.index[i : i + ROWS] for i in range(0, len(frames), ROWS)]
        found = [distances(dataset.array(keys.POSITIONS, part), pairs) for part in parts]
        low, high = np.min([f.min(0) for f in found], 0), np.max([f.max(0) for f in found], 0)
        middle = (low + high) / 2
        reach = BOND_RANGE * np.maximum((high - low) / 2, LEAST_RANGE * middle)
        return cls(pairs, middle - reach, middle + reach)

    def whole(self, positions: np.ndarray) -> np.ndarray:
        """`[frames]` whether no bond of positions `[frames, particles, 3]` is broken; False where NaN."""
        r = distances(positions, self.pairs)
        return np.all((r > self.low) & (r < self.high), axis=1)


@dataclass(frozen=True)
class Schedule:
    """How long replicas move.

    Args:
        steps: time steps between two frames.
        equilibration: intervals that are thrown away.
        frames: `[replicas]` frames to keep of each.
        interval: time between two frames.
    """

    steps: int
    equilibration: int
    frames: np.ndarray
    interval: float


@dataclass(frozen=True)
class Moved:
    """Replicas that moved.

    Args:
        dataset: positions, energies, run (replica) and time of all kept frames, replica by replica.
        lost_at: `[replicas]` time from the start, equilibration included, when each was found broken;
            infinite for those that stayed whole.
        simulated: time of all replicas together.
    """

    dataset: Dataset
    lost_at: np.ndarray
    simulated: float

    @property
    def stability(self) -> float:
        """Share of replicas that stayed whole."""
        return float(np.isinf(self.lost_at).mean())


def move(
    langevin: Langevin, starts: torch.Tensor, schedule: Schedule, limits: BondLimits, like: Dataset,
    temperature: float, generator: torch.Generator, folder: Path,
) -> Moved:  # fmt: skip
    """Simulate replicas and write their frames as a dataset.

    A replica is lost when its energy is not finite or a bond is broken, which is looked at whenever a frame
    is kept; it moves no further, and its frames before that stay.

    Args:
        langevin: the dynamics.
        starts: `[replicas, particles, 3]`.
        schedule: how long.
        limits: of bonds.
        like: dataset of the same particles.
        temperature: of the dynamics, for the manifest.
        generator: of velocities and noise.
        folder: of the dataset to make.

    Raises:
        RunFailed: every replica was lost, or a start has no energy.
    """
    replicas, (most, shape) = len(starts), (int(schedule.frames.max()), starts.shape[1:])
    folder.mkdir(parents=True)
    path = folder / "positions.npy"
    kept = np.lib.format.open_memmap(path, "w+", np.float32, (replicas, most, *shape))
    energies = np.zeros((replicas, most))
    taken = np.zeros(replicas, np.int64)
    lost_at = np.full(replicas, math.inf)
    alive = np.arange(replicas)
    state = langevin.start(starts, generator)
    simulated = 0.0
    rounds = schedule.equilibration + most
    with progress("simulating", rounds * schedule.interval, like.units.time) as bar:
        for number in range(rounds):
            if not len(alive):
                break
            state = langevin.unchecked(state, schedule.steps, generator)
            simulated += len(alive) * schedule.interval
            x = state.positions.cpu().numpy()
            good = torch.isfinite(state.energies).cpu().numpy() & limits.whole(x)
            lost_at[alive[~good]] = (number + 1) * schedule.interval
            if not good.all():
                alive, state, x = alive[good], _rows(state, good), x[good]
            frame = number - schedule.equilibration
            if frame >= 0:
                wanted = frame < schedule.frames[alive]
                kept[alive[wanted], frame] = x[wanted]
                energies[alive[wanted], frame] = state.energies.cpu().numpy()[wanted]
                taken[alive[wanted]] += 1
            bar.advance(schedule.interval, note=f"{len(alive)} of {replicas} replicas whole")
    if not len(alive):
        raise RunFailed(
            f"every replica broke down, half of them within {np.median(lost_at):.4g} {like.units.time}: "
            "train the potential further or with priors, or try a shorter --timestep"
        )
    data = _written(folder / "frames", kept, energies, taken, schedule, like, temperature)
    del kept
    path.unlink()
    return Moved(data, lost_at, simulated)


def _rows(state: State, rows: np.ndarray) -> State:
    pick = torch.from_numpy(rows).to(state.energies.device)
    return State(state.positions[pick], state.velocities[pick], state.forces[pick], state.energies[pick])


def _written(
    folder: Path, positions: np.ndarray, energies: np.ndarray, taken: np.ndarray, schedule: Schedule,
    like: Dataset, temperature: float,
) -> Dataset:  # fmt: skip
    units = like.units
    manifest = Manifest(
        name=like.name, version="simulated", units=like.manifest.units, temperature=temperature,
        system=like.system.to_json(), splits={},
    )  # fmt: skip
    named = {keys.POSITIONS: units.length, keys.ENERGIES: units.energy, keys.RUN: "1", keys.TIME: units.time}
    with dataset_writer(folder, named) as writer:
        for replica, frames in enumerate(taken.tolist()):
            for start in range(0, frames, ROWS):
                stop = min(start + ROWS, frames)
                writer.append(
                    {
                        keys.POSITIONS: positions[replica, start:stop],
                        keys.ENERGIES: energies[replica, start:stop],
                        keys.RUN: np.full(stop - start, replica, np.int32),
                        keys.TIME: schedule.interval * np.arange(start + 1, stop + 1),
                    }
                )
        writer.finish(manifest)
    return Dataset(folder)
