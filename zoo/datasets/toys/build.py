"""From options to a dataset folder."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import numpy as np
import torch

from zoo import keys
from zoo.data.splits import split_runs
from zoo.data.store import Manifest, write_dataset
from zoo.data.system import System
from zoo.data.work import Work, work_folder
from zoo.datasets.toys.options import ToyOptions
from zoo.datasets.toys.simulate import TARGETS
from zoo.engines.runs import Runs, share
from zoo.errors import ConfigError
from zoo.physics.samplers import geometric_ladder
from zoo.version import __version__

UNITS = {keys.POSITIONS: "σ", keys.FORCES: "ε/σ", keys.ENERGIES: "ε", keys.RUN: ""}
#: Frames of each chain in one piece: what is at stake when a process is killed, some seconds of work.
PIECE_SWEEPS = 50


def make(
    out: Path,
    name: str,
    *,
    frames: int,
    seed: int,
    options: ToyOptions,
    parameters: dict[str, Any],
    note: str,
) -> Path:
    """Sample a toy target.

    Args:
        out: folder to make.
        name: of the entry, with its variant.
        frames: how many.
        seed: of everything random.
        options: how it is sampled.
        parameters: of the target's potential.
        note: what lengths and energies are measured in.

    Raises:
        ConfigError: fewer frames than runs, or a seed that is negative.
    """
    needed = options.runs if options.runs >= 5 else 3 * options.runs
    if frames < needed:
        raise ConfigError(
            f"{frames} frames are too few for {options.runs} runs: ask for {needed} frames or more, "
            "or for fewer runs (--set runs=2)"
        )
    if seed < 0:
        raise ConfigError(f"the seed must not be negative, it is {seed}")
    bare = name.partition("/")[0]
    sampling = options.model_dump(include=set(ToyOptions.model_fields) - {"workers", "runs"})
    per_run = share(frames, options.runs)
    runs = Runs(
        label=name,
        target="zoo.datasets.toys.simulate:ToySimulator",
        job={"target": bare, "parameters": parameters, "seed": seed, **sampling},
        frames=per_run,
        piece=PIECE_SWEEPS * options.chains,
    )
    target = TARGETS[bare](**parameters)
    with work_folder(out, runs.request() | {"torch": torch.__version__}) as work:
        runs.execute(work, options.workers)
        manifest = Manifest(
            name=name,
            version=__version__,
            units="lj",
            temperature=options.temperature,
            system=System(
                types=np.zeros(target.particles, np.int64),
                masses=np.ones(target.particles),
                type_names={0: "A"},
                parameters={"potential": target.formula, **target.parameters(), "units": note},
            ).to_json(),
            splits=split_runs(np.repeat(np.arange(options.runs), per_run)),
            provenance={
                "engine": f"zoo.physics.samplers, torch {torch.__version__}, float64",
                "command": _command(name, frames, seed, options),
                "seed": seed,
                "options": options.model_dump(exclude={"workers"}),
                "frames_of_a_run": f"{options.chains} independent chains in turn",
                "energies_and_forces": "in double precision at the stored float32 positions",
                "centre_of_mass": "zero in each frame",
                **_statistics(runs, work, options),
            },
        )
        return write_dataset(out, manifest, runs.chunks(work), UNITS)


def _command(name: str, frames: int, seed: int, options: ToyOptions) -> str:
    """The command line that makes this dataset again."""
    words = ["zoo", "data", "make", name, "--frames", str(frames), "--seed", str(seed)]
    for key, value in options.model_dump(exclude_defaults=True, exclude={"workers"}).items():
        words += ["--set", f"{key}={value}"]
    return shlex.join(words)


def _statistics(runs: Runs, work: Work, options: ToyOptions) -> dict[str, Any]:
    """Temperatures, time steps and what the exchanges did, from the state at the end of each run."""
    last = [work.load(runs.pieces(run)[-1][0]) for run in range(len(runs.frames))]
    kT = geometric_ladder(options.temperature, options.temperature * options.hottest, options.levels)
    record: dict[str, Any] = {"kT": [round(t, 6) for t in kT.tolist()]}
    steps = np.array(
        [
            np.broadcast_to(piece["last_timestep"], len(kT))
            if piece["last_timestep"].ndim == 0
            else piece["last_timestep"][: len(kT)]
            for piece in last
        ]
    )
    record["timestep"] = [round(float(h), 6) for h in steps.mean(0)]
    if len(kT) > 1:
        attempts, accepted = (
            sum(piece[f"last_ladder_{what}"] for piece in last) for what in ("attempts", "accepted")
        )
        record["exchanges_accepted"] = [round(float(a), 4) for a in accepted / np.maximum(attempts, 1)]
        record["round_trips"] = int(sum(piece["last_ladder_round_trips"].sum() for piece in last))
    return record
