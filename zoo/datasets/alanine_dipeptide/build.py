"""From options to a dataset folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from zoo import keys
from zoo.data.splits import SPLITS, Ranges, merge, split_runs
from zoo.data.store import Manifest, write_dataset
from zoo.data.system import System
from zoo.data.work import Work, work_folder
from zoo.datasets.alanine_dipeptide.forcefield import build_system, require_openmm
from zoo.datasets.alanine_dipeptide.molecule import ATOMS, BONDS, RESIDUES
from zoo.datasets.alanine_dipeptide.options import Options
from zoo.datasets.alanine_dipeptide.pool import run_all
from zoo.datasets.alanine_dipeptide.simulate import PIECE_STEPS, STARTS, Job
from zoo.errors import ConfigError
from zoo.version import __version__

UNITS = {
    keys.POSITIONS: "Å",
    keys.VELOCITIES: "Å/ps",
    keys.FORCES: "eV/Å",
    keys.ENERGIES: "eV",
    keys.RUN: "",
    keys.TIME: "ps",
}


def make(out: Path, *, frames: int, seed: int, options: Options) -> Path:
    """Simulate the dataset; see `AlanineDipeptide.make`."""
    require_openmm()
    import openmm

    runs = options.number_of_runs(frames)
    needed = runs if runs >= WHOLE_RUNS else 3 * runs
    if frames < needed:
        raise ConfigError(
            f"{frames} frames are too few for {runs} runs: ask for {needed} frames or more, "
            "or for fewer runs (--set runs=2)"
        )
    if seed < 0:
        raise ConfigError(f"the seed must not be negative, it is {seed}")
    per_run = np.full(runs, frames // runs)
    per_run[: frames % runs] += 1
    job = Job(
        system_xml=openmm.XmlSerializer.serialize(build_system(options.hydrogen_mass)),
        temperature=options.temperature,
        friction=options.friction,
        timestep=options.timestep / 1000,
        steps_per_frame=options.steps_per_frame,
        equilibration_steps=round(options.equilibration * 1000 / options.timestep),
        platform=options.platform,
        seed=seed,
        frames=tuple(per_run.tolist()),
    )
    request = job.to_json() | {
        "openmm": openmm.__version__,
        "starts": STARTS,
        "piece_steps": PIECE_STEPS,
    }
    with work_folder(out, request) as work:
        run_all(job, work, options.workers or _cores())
        arrays = _gather(job, work)
        manifest = Manifest(
            name="alanine-dipeptide",
            version=__version__,
            units="ase",
            temperature=options.temperature,
            system=_system(job).to_json(),
            splits=_splits(arrays[keys.RUN], gap=round(10 / options.interval)),
            provenance=_provenance(job, options, frames, openmm.__version__),
        )
        return write_dataset(out, manifest, arrays, UNITS)


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _gather(job: Job, work: Work) -> dict[str, np.ndarray]:
    names = (keys.POSITIONS, keys.VELOCITIES, keys.FORCES, keys.ENERGIES)
    parts: dict[str, list[np.ndarray]] = {name: [] for name in (*names, keys.RUN, keys.TIME)}
    for run, frames in enumerate(job.frames):
        for name, _ in job.pieces(run):
            piece = work.load(name)
            for key in names:
                parts[key].append(piece[key])
        steps = job.equilibration_steps + job.steps_per_frame * np.arange(1, frames + 1)
        parts[keys.TIME].append(steps * job.timestep)
        parts[keys.RUN].append(np.full(frames, run, np.int32))
    return {name: np.concatenate(arrays) for name, arrays in parts.items()}


def _system(job: Job) -> System:
    import openmm

    system = openmm.XmlSerializer.deserialize(job.system_xml)
    return System(
        types=np.array([number for _, _, number in ATOMS]),
        masses=np.array([system.getParticleMass(i)._value for i in range(len(ATOMS))]),
        type_names={1: "H", 6: "C", 7: "N", 8: "O"},
        bonds=np.array(BONDS),
        atom_names=tuple(name for _, name, _ in ATOMS),
        residue_names=tuple(residue for residue, _, _ in ATOMS),
        residues=np.array([RESIDUES.index(residue) for residue, _, _ in ATOMS]),
        parameters={
            "force_field": "AMBER ff96 + OBC1 (mbondi2 radii, ε 1 and 78.5) + ACE surface term",
            "masses": "as simulated: hydrogens made heavier, which changes no average over configurations",
            "openmm_system_xml": job.system_xml,
        },
    )


#: With this many runs every run goes whole into one split, and each split gets runs of both starts.
WHOLE_RUNS = 8


def _splits(run: np.ndarray, gap: int) -> dict[str, Ranges]:
    """Split by run in pairs of both starts; few runs are each cut into three blocks of time."""
    runs = int(run[-1]) + 1
    if runs >= WHOLE_RUNS:
        share = 2 * max(1, round(0.15 * runs / 2)) / runs
        return split_runs(run, (1 - 2 * share, share, share))
    splits: dict[str, Ranges] = {name: [] for name in SPLITS}
    for number in range(runs):
        start, frames = int(np.argmax(run == number)), int((run == number).sum())
        # Not more than a tenth of a short run is given up at each gap.
        blocks = split_runs(run[start : start + frames], gap=min(gap, frames // 10))
        for name in SPLITS:
            splits[name] += [(start + a, start + b) for a, b in blocks[name]]
    return {name: merge(ranges) for name, ranges in splits.items()}


def _provenance(job: Job, options: Options, frames: int, version: str) -> dict[str, Any]:
    changed = options.model_dump(exclude_defaults=True, exclude={"workers"})
    settings = "".join(f" --set {key}={value}" for key, value in changed.items())
    return {
        "engine": f"OpenMM {version}",
        "command": f"zoo data make alanine-dipeptide --frames {frames} --seed {job.seed}{settings}",
        "seed": job.seed,
        "options": options.model_dump(exclude={"workers"}) | {"runs": len(job.frames)},
        "integrator": "LangevinMiddle, no constraints; velocities are those of half a step before",
        "energies_and_forces": (
            "OpenMM Reference platform in double precision at the stored float32 positions; "
            "forces are −∂U/∂x alone, without thermostat"
        ),
        "starts": [
            {"run": r, "phi": STARTS[r % 2][0], "psi": STARTS[r % 2][1]} for r in range(len(job.frames))
        ],
        "populations": (
            "not those of equilibrium: every other run starts at φ > 0, which holds about 0.32 % "
            "at 300 K, and runs are too short to forget it"
        ),
        "splits": (
            "by whole run, each split with runs from both starts"
            if len(job.frames) >= WHOLE_RUNS
            else "by blocks of time within each run, about 10 ps left out between blocks"
        ),
    }
