"""From options of replica exchange to the frames of a dataset, and to the figures of the whole run."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from zoo import keys
from zoo.data.splits import Ranges, split_runs
from zoo.data.work import Work
from zoo.engines.exchange_options import ExchangeOptions
from zoo.engines.replica_exchange import BINS, ExchangeJob
from zoo.engines.runs import Runs, cores, share
from zoo.errors import ConfigError
from zoo.units import BOLTZMANN_EV

#: Ensembles that go whole into the three splits.
FEWEST = 5
#: About this many energies are at stake when a process is killed: some 40 s of one core.
PIECE_ENERGIES = 2_000_000
#: Frames in memory at a time while the dataset is written, some 0.6 GB; all pieces are read once for each
#: so many.
CHUNK_FRAMES = 1_000_000
#: Samples of all temperatures that the populations are computed from; more are thinned.
MOST_SAMPLES = 4_000_000


def number_of_ensembles(frames: int, seed: int, options: ExchangeOptions) -> int:
    """Return how many ensembles give so many frames.

    Raises:
        ConfigError: too few frames or ensembles, a negative seed, a ladder that goes down, or a
            device that is not there.
    """
    import torch

    ensembles = options.runs or min(64, max(FEWEST, frames // 8))
    if ensembles < FEWEST or frames < ensembles:
        raise ConfigError(
            f"{frames} frames of {ensembles} ensembles: replica exchange needs {FEWEST} ensembles or more "
            "(--set runs=…), and a frame of each"
        )
    if seed < 0:
        raise ConfigError(f"the seed must not be negative, it is {seed}")
    if options.highest <= options.temperature:
        raise ConfigError(f"highest={options.highest:g} K is not above temperature={options.temperature:g} K")
    if options.device != "cpu" and not torch.cuda.is_available():
        raise ConfigError(f"device={options.device}: torch sees no GPU here; use --set device=cpu")
    return ensembles


def exchange_job(
    system_xml: str,
    masses: np.ndarray,
    starts: list[np.ndarray],
    ensembles: int,
    seed: int,
    options: ExchangeOptions,
    **watched: Any,
) -> ExchangeJob:
    """Return the job of so many ensembles; `watched` are the arguments from `torsions` on."""
    steps = options.steps_per_exchange
    batches = math.ceil(ensembles / options.batch)
    return ExchangeJob(
        system_xml=system_xml,
        masses=masses.tolist(),
        starts=[np.asarray(start).tolist() for start in starts],
        lowest=options.temperature,
        highest=options.highest,
        levels=options.levels,
        timestep=options.timestep / 1000,
        friction=options.friction,
        steps=steps,
        rounds=options.steps_per_frame // steps,
        equilibration=math.ceil(options.equilibration * 1000 / options.timestep / steps),
        ensembles=list(share(ensembles, batches)),
        device=options.device,
        compile=options.compile,
        seed=seed,
        **watched,
    )


@dataclass(frozen=True)
class ExchangeFrames:
    """The runs of a job, and what comes of them.

    Args:
        label: the dataset's name.
        target: "module:Class", a subclass of `ExchangeRun`.
        job: what it is built from.
        frames: number of frames of all ensembles together.
    """

    label: str
    target: str
    job: ExchangeJob
    frames: int

    @property
    def runs(self) -> Runs:
        """The batches of ensembles as runs of pieces."""
        job = self.job
        each = math.ceil(self.frames / sum(job.ensembles))
        energies = (job.steps + job.pivots) * job.rounds * job.levels * max(job.ensembles)
        return Runs(
            label=self.label,
            target=self.target,
            job=vars(job),
            frames=(each,) * len(job.ensembles),
            piece=max(1, min(each, PIECE_ENERGIES // energies)),
        )

    def execute(self, work: Work, workers: int | None) -> None:
        """Simulate what is missing. Raises `RunFailed` where a simulation broke down."""
        job = self.job
        picoseconds = job.steps * job.rounds * job.timestep * job.levels * max(job.ensembles)
        self.runs.execute(
            work,
            workers or (cores() if job.device == "cpu" else 1),
            lambda rate: f"{rate * picoseconds * 86.4:.4g} ns/day",
        )

    @property
    def sizes(self) -> tuple[int, ...]:
        """Frames of each ensemble."""
        return share(self.frames, sum(self.job.ensembles))

    def splits(self) -> dict[str, Ranges]:
        """Splits by whole ensemble."""
        return split_runs(np.repeat(np.arange(len(self.sizes)), self.sizes))

    def chunks(self, work: Work) -> Iterator[dict[str, np.ndarray]]:
        """Give the frames ensemble by ensemble, a limited number at a time."""
        from zoo.engines.polish import Polish

        first, runs = 0, self.runs
        polish = Polish(self.job) if self.job.polish else None
        names = (keys.POSITIONS, keys.FORCES, keys.ENERGIES, keys.TIME)
        for batch, ensembles in enumerate(self.job.ensembles):
            group = max(1, CHUNK_FRAMES // runs.frames[batch])
            for start in range(0, ensembles, group):
                stop = min(start + group, ensembles)
                parts: dict[str, list[np.ndarray]] = {name: [] for name in names}
                for piece, _ in runs.pieces(batch):
                    for name, array in work.load(piece, *names).items():
                        parts[name].append(array if name == keys.TIME else array[:, start:stop])
                arrays = {name: np.concatenate(part) for name, part in parts.items()}
                time = arrays.pop(keys.TIME)
                for i in range(stop - start):
                    number = first + start + i
                    size = self.sizes[number]
                    frames = {name: array[:size, i] for name, array in arrays.items()}
                    yield {
                        **(polish(frames[keys.POSITIONS], number) if polish else frames),
                        keys.TIME: time[:size],
                        keys.RUN: np.full(size, number, np.int32),
                    }
            first += ensembles


#: Populations from `level_energies`, `level_basins` and kT `[levels]`.
Populations = Callable[[np.ndarray, np.ndarray, np.ndarray], dict[str, Any]]


def statistics(
    made: ExchangeFrames, work: Work, populations: Populations, starts: list[str]
) -> dict[str, Any]:
    """Return the figures of the whole run, of which the stored frames are a part.

    Args:
        made: all simulated.
        work: where it lies.
        populations: makes plain JSON of energies and codes.
        starts: name of each start, in the order in which ensembles take them.
    """
    job, runs = made.job, made.runs
    exchanges = runs.frames[0] * job.rounds
    thin = math.ceil(exchanges * sum(job.ensembles) * job.levels / MOST_SAMPLES)
    energies, codes = [], []
    counts = np.zeros((2, len(job.planes), BINS, BINS), np.int64)
    turned = np.zeros(job.levels, np.int64)
    last = []
    for batch in range(len(job.ensembles)):
        own: list[dict[str, np.ndarray]] = []
        for name, _ in runs.pieces(batch):
            piece = work.load(name, "level_energies", "level_basins", "planes", "pivots_accepted")
            counts += piece["planes"]
            turned += piece["pivots_accepted"]
            own.append({k: piece[k][::thin] for k in ("level_energies", "level_basins")})
        energies.append(np.concatenate([p["level_energies"] for p in own]))
        codes.append(np.concatenate([p["level_basins"] for p in own]))
        ladder = [f"last_ladder_{name}" for name in ("accepted", "attempts", "round_trips")]
        last.append(work.load(runs.pieces(batch)[-1][0], *ladder))
    accepted, attempts = (
        np.sum([p[f"last_ladder_{name}"] for p in last], 0) for name in ("accepted", "attempts")
    )
    kT = BOLTZMANN_EV * job.temperatures
    energy, code = np.concatenate(energies, 1), np.concatenate(codes, 1)
    half, kinds = max(1, len(energy) // 2), len(starts)
    found: dict[str, Any] = {
        "exchanges": exchanges,
        "ensembles": sum(job.ensembles),
        "ps_per_replica": exchanges * job.steps * job.timestep,
        "exchanges_accepted": (accepted / np.maximum(attempts, 1)).round(3).tolist(),
        "round_trips": int(sum(p["last_ladder_round_trips"].sum() for p in last)),
        "populations": populations(energy, code, kT),
        "populations_of_starts": {
            name: populations(energy[:, i::kinds], code[:, i::kinds], kT) for i, name in enumerate(starts)
        },
        "populations_of_halves": [
            populations(energy[part], code[part], kT) for part in (slice(None, half), slice(-half, None))
        ],
        "ramachandran": {
            "what": f"counts at the lowest temperature, {BINS} rows of φ and columns of ψ from −180° on, "
            "of even and of odd ensembles",
            "counts": [
                [[" ".join(map(str, row)) for row in plane] for plane in part] for part in counts.tolist()
            ],
        },
    }
    if job.pivots:
        tried = exchanges * sum(job.ensembles) * job.pivots
        found["pivots_accepted"] = (turned / tried).round(5).tolist()
    return found
