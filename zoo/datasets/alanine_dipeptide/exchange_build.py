"""From options to a dataset folder, by replica exchange."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from zoo import keys
from zoo.data.splits import split_runs
from zoo.data.store import Manifest, write_dataset
from zoo.data.work import Work, work_folder
from zoo.datasets.alanine_dipeptide.build import STARTS, command, full_name, stored_system
from zoo.datasets.alanine_dipeptide.exchange import BINS, ExchangeJob
from zoo.datasets.alanine_dipeptide.forcefield import build_system
from zoo.datasets.alanine_dipeptide.molecule import build
from zoo.datasets.alanine_dipeptide.options import OF_OPENMM, Options
from zoo.datasets.alanine_dipeptide.populations import populations
from zoo.engines.openmm import UNITS, require_openmm
from zoo.engines.runs import Runs, cores, share
from zoo.errors import ConfigError
from zoo.units import BOLTZMANN_EV
from zoo.version import __version__

VARIANT = "replica-exchange"
#: Ensembles that go whole into the three splits.
FEWEST = 5
#: About this many energies are at stake when a process is killed: some 40 s of one core.
PIECE_ENERGIES = 2_000_000
#: Frames in memory at a time while the dataset is written, some 0.6 GB; all pieces are read once for each
#: so many.
CHUNK_FRAMES = 1_000_000
#: Samples of all temperatures that the populations are computed from; more are thinned.
MOST_SAMPLES = 4_000_000


def make_exchange(out: Path, *, frames: int, seed: int, options: Options) -> Path:
    """Simulate the dataset; see `AlanineDipeptide.make`."""
    require_openmm("alanine-dipeptide")
    import openmm
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
    xml = openmm.XmlSerializer.serialize(build_system(options.hydrogen_mass))
    system = stored_system(xml, VARIANT)
    job = _job(xml, system.masses, ensembles, seed, options)
    each = math.ceil(frames / ensembles)
    work_per_frame = options.steps_per_frame * options.levels * max(job.ensembles)
    simulation = Runs(
        label=full_name(VARIANT),
        target="zoo.datasets.alanine_dipeptide.exchange:ExchangeRun",
        job=vars(job),
        frames=(each,) * len(job.ensembles),
        piece=max(1, min(each, PIECE_ENERGIES // work_per_frame)),
    )
    versions = {"openmm": openmm.__version__, "torch": torch.__version__}
    with work_folder(out, simulation.request() | versions | {"kept": frames}) as work:
        simulation.execute(
            work,
            options.workers or (cores() if options.device == "cpu" else 1),
            lambda rate: f"{rate * options.levels * max(job.ensembles) * options.interval * 86.4:.4g} ns/day",
        )
        sizes = share(frames, ensembles)
        manifest = Manifest(
            name=full_name(VARIANT),
            version=__version__,
            units="ase",
            temperature=options.temperature,
            system=system.to_json(),
            splits=split_runs(np.repeat(np.arange(ensembles), sizes)),
            provenance={
                "engine": f"torch {torch.__version__}, energy of OpenMM {openmm.__version__}'s System",
                "command": command(full_name(VARIANT), options, frames, seed),
                "seed": seed,
                "options": options.model_dump(exclude={"workers", *OF_OPENMM}) | {"runs": ensembles},
                **_how(job),
                **_statistics(simulation, work, job),
            },
        )
        return write_dataset(out, manifest, _by_ensemble(simulation, work, job, sizes), UNITS)


def _job(xml: str, masses: np.ndarray, ensembles: int, seed: int, options: Options) -> ExchangeJob:
    steps = options.steps_per_exchange
    batches = math.ceil(ensembles / options.batch)
    return ExchangeJob(
        system_xml=xml,
        masses=masses.tolist(),
        starts=[build(*angles).tolist() for angles in STARTS],
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
    )


def _by_ensemble(
    simulation: Runs, work: Work, job: ExchangeJob, sizes: tuple[int, ...]
) -> Iterator[dict[str, np.ndarray]]:
    """Give the frames ensemble by ensemble, a limited number at a time."""
    first = 0
    names = (keys.POSITIONS, keys.FORCES, keys.ENERGIES, keys.TIME)
    for batch, ensembles in enumerate(job.ensembles):
        group = max(1, CHUNK_FRAMES // simulation.frames[batch])
        for start in range(0, ensembles, group):
            stop = min(start + group, ensembles)
            parts: dict[str, list[np.ndarray]] = {name: [] for name in names}
            for piece, _ in simulation.pieces(batch):
                for name, array in work.load(piece, *names).items():
                    parts[name].append(array if name == keys.TIME else array[:, start:stop])
            arrays = {name: np.concatenate(part) for name, part in parts.items()}
            time = arrays.pop(keys.TIME)
            for i in range(stop - start):
                number = first + start + i
                size = sizes[number]
                yield {
                    **{name: array[:size, i] for name, array in arrays.items()},
                    keys.TIME: time[:size],
                    keys.RUN: np.full(size, number, np.int32),
                }
        first += ensembles


def _how(job: ExchangeJob) -> dict[str, Any]:
    return {
        "integrator": "BAOAB Langevin in single precision, no constraints, then exchanges of neighbouring "
        "temperatures; no velocities are kept, since frames are not in the order of any dynamics",
        "energies_and_forces": "double precision at the stored float32 positions, no thermostat",
        "temperatures": [round(float(t), 2) for t in job.temperatures],
        "starts": "ensembles by turns at φ < 0 (extended) and at φ > 0 (C7ax), all peptide bonds in trans",
        "peptide_bonds": "ω is free: cis comes about at the high temperatures and, in a short run, is not "
        "yet at equilibrium; basins are shares of the frames in trans",
        "splits": "by whole ensemble",
    }


def _statistics(simulation: Runs, work: Work, job: ExchangeJob) -> dict[str, Any]:
    """Return the figures of the whole run, of which the stored frames are a part."""
    pieces = [(batch, name) for batch in range(len(job.ensembles)) for name, _ in simulation.pieces(batch)]
    exchanges = simulation.frames[0] * job.rounds
    thin = math.ceil(exchanges * sum(job.ensembles) * job.levels / MOST_SAMPLES)
    energies, basins = [], []
    counts = np.zeros((2, BINS, BINS), np.int64)
    for batch in range(len(job.ensembles)):
        own: list[dict[str, np.ndarray]] = []
        for name in [n for b, n in pieces if b == batch]:
            piece = work.load(name, "level_energies", "level_basins", "ramachandran")
            counts += piece["ramachandran"]
            own.append({k: piece[k][::thin] for k in ("level_energies", "level_basins")})
        energies.append(np.concatenate([p["level_energies"] for p in own]))
        basins.append(np.concatenate([p["level_basins"] for p in own]))
    ladder = [f"last_ladder_{name}" for name in ("accepted", "attempts", "round_trips")]
    last = [work.load(simulation.pieces(batch)[-1][0], *ladder) for batch in range(len(job.ensembles))]
    accepted, attempts = (
        np.sum([p[f"last_ladder_{name}"] for p in last], 0) for name in ("accepted", "attempts")
    )
    kT = BOLTZMANN_EV * job.temperatures
    energy, basin = np.concatenate(energies, 1), np.concatenate(basins, 1)
    half = len(energy) // 2
    return {
        "statistics": {
            "exchanges": exchanges,
            "ensembles": sum(job.ensembles),
            "ps_per_replica": exchanges * job.steps * job.timestep,
            "exchanges_accepted": (accepted / np.maximum(attempts, 1)).round(3).tolist(),
            "round_trips": int(sum(p["last_ladder_round_trips"].sum() for p in last)),
            "populations": populations(energy, basin, kT),
            "populations_of_starts": {
                "φ < 0": populations(energy[:, 0::2], basin[:, 0::2], kT)["φ>0"],
                "φ > 0": populations(energy[:, 1::2], basin[:, 1::2], kT)["φ>0"],
            },
            "populations_of_halves": [
                populations(energy[part], basin[part], kT)["φ>0"]
                for part in (slice(None, half), slice(half, None))
            ],
            "ramachandran": {
                "what": f"counts at the lowest temperature, {BINS} rows of φ and columns of ψ from −180° on, "
                "of even and of odd ensembles",
                "counts": [[" ".join(map(str, row)) for row in part] for part in counts.tolist()],
            },
        },
    }
