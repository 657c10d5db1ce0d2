"""The dataset entry: made in numpy, checked against ASE and Rahman."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from pydantic import BaseModel

from molzoo_megnet.argon.options import CUTOFF, EPSILON, MASS, SIGMA, ArgonOptions
from molzoo_megnet.argon.simulation import HOT, State, lennard_jones
from zoo import keys
from zoo.data.dataset import Dataset
from zoo.data.entry import Check, DatasetEntry, RawData
from zoo.data.splits import split_runs
from zoo.data.store import Manifest, write_dataset
from zoo.data.system import System
from zoo.data.work import Work, work_folder
from zoo.errors import DataError
from zoo.progress import progress

#: Frames of each run that are saved together: what a kill costs, a few seconds.
PIECE = 10
FRAMES = 320
VERSION = "1"
UNITS = {
    keys.POSITIONS: "Å", keys.VELOCITIES: "Å/ps", keys.FORCES: "eV/Å", keys.ENERGIES: "eV",
    keys.CELLS: "Å", keys.RUN: "", keys.TIME: "ps",
}  # fmt: skip


class Argon(DatasetEntry):
    """Liquid argon; positions are unwrapped, so that displacements can be read off them."""

    tiny: ClassVar[Mapping[str, Any]] = {"runs": 6, "equilibration": 0.2, "interval": 0.05}

    def make(self, out: Path, *, frames: int | None, seed: int, options: BaseModel) -> Path:
        """Simulate `frames` frames (default 320) into the folder `out`; continues after a kill.

        Raises:
            DataError: `out` exists, or there are too few frames for three splits.
        """
        assert isinstance(options, ArgonOptions)
        frames = FRAMES if frames is None else frames
        each = math.ceil(frames / options.runs)
        run = np.repeat(np.arange(options.runs), each)[:frames].astype(np.int32)
        if len(np.unique(run)) < options.runs:
            raise DataError(f"{frames} frames are too few for {options.runs} runs; --set runs=…")
        splits = split_runs(run)
        request = {"version": VERSION, "frames": frames, "seed": seed, **options.model_dump()}
        with work_folder(Path(out), request) as work:
            pieces = _simulate(options, each, seed, work)
            arrays = {
                name: np.concatenate([piece[name] for piece in pieces], axis=1).reshape(
                    options.runs * each, *pieces[0][name].shape[2:]
                )[:frames]
                for name in (keys.POSITIONS, keys.VELOCITIES)
            }
            # labels belong to the positions as stored, in single precision
            energies, forces = _labels(arrays[keys.POSITIONS], options.box)
            arrays |= {
                keys.FORCES: forces.astype(np.float32),
                keys.ENERGIES: energies,
                keys.CELLS: np.repeat(options.box * np.eye(3)[None], frames, axis=0),
                keys.RUN: run,
                keys.TIME: np.tile(np.arange(1, each + 1) * options.interval, options.runs)[:frames],
            }
            return write_dataset(Path(out), self._manifest(options, frames, seed, splits), arrays, UNITS)

    def _manifest(
        self, options: ArgonOptions, frames: int, seed: int, splits: dict[str, list[tuple[int, int]]]
    ) -> Manifest:
        words = ["zoo", "data", "make", self.name, "--frames", str(frames), "--seed", str(seed)]
        for key, value in options.model_dump(exclude_defaults=True).items():
            words += ["--set", f"{key}={value}"]
        system = System(
            types=np.full(options.particles, 18),
            masses=np.full(options.particles, MASS),
            type_names={18: "Ar"},
            pbc=(True, True, True),
            parameters={"potential": "lj/cut, shifted", "epsilon": EPSILON, "sigma": SIGMA, "cutoff": CUTOFF},
        )
        return Manifest(
            name=self.name,
            version=VERSION,
            units="ase",
            temperature=options.temperature,
            system=system.to_json(),
            splits=splits,
            provenance={
                "engine": f"molzoo-megnet, numpy {np.__version__}",
                "seed": seed,
                "command": shlex.join(words),
                "options": options.model_dump(),
                "protocol": (
                    f"fcc crystal, {options.equilibration / 4:g} ps at {max(HOT, options.temperature):g} K, "
                    f"{options.equilibration * 3 / 4:g} ps at {options.temperature:g} K (friction 1/ps), "
                    f"then frames every {options.interval:g} ps (friction {options.friction:g}/ps); BAOAB, "
                    f"{options.timestep * 1000:g} fs"
                ),
            },
        )

    def complete(self, raw: RawData) -> RawData:
        """Raise `DataError` if the files hold anything but argon in Å and eV."""
        if raw.units != "ase" or set(raw.system.types.tolist()) != {18}:
            raise DataError(
                "these files do not hold argon alone in units=ase; import them under another NAME"
            )
        return raw

    def checks(self, dataset: Dataset) -> list[Check]:
        """Energies recomputed by ASE, two thermometers, density, g(r), diffusion; see `checks.py`."""
        from molzoo_megnet.argon.checks import all_checks

        return all_checks(dataset)


def _simulate(options: ArgonOptions, each: int, seed: int, work: Work) -> list[dict[str, np.ndarray]]:
    """Do the pieces that are not done yet; random numbers depend on seed and piece alone."""
    steps = round(options.interval / options.timestep)
    settle = round(options.equilibration / options.timestep)
    counts = [min(PIECE, each - start) for start in range(0, each, PIECE)]
    pieces: list[dict[str, np.ndarray]] = []
    with progress(f"simulating {options.runs} boxes", settle + each * steps, "steps") as bar:
        for number, count in enumerate(counts):
            name, rng = f"piece-{number:05d}", np.random.default_rng([seed, number])
            if name in work:
                bar.resume(bar.done + count * steps + (settle if number == 0 else 0))
                pieces.append(work.load(name))
                continue
            if number == 0:
                state = State.crystal(options, rng)
                hot = max(HOT, options.temperature)
                state.run(options, settle // 4, rng, temperature=hot, friction=1.0)
                state.run(options, settle - settle // 4, rng, friction=1.0)
                bar.advance(settle)
            else:
                last = pieces[-1]
                state = State(last["last_positions"].copy(), last["last_velocities"].copy())
            kept: dict[str, list[np.ndarray]] = {keys.POSITIONS: [], keys.VELOCITIES: []}

            def keep(state: State, kept: dict[str, list[np.ndarray]] = kept) -> None:
                kept[keys.POSITIONS].append(state.positions.astype(np.float32))
                kept[keys.VELOCITIES].append(state.velocities.astype(np.float32))
                bar.advance(steps)

            state.run(options, count * steps, rng, each=steps, keep=keep)
            piece = {name: np.stack(frames, axis=1) for name, frames in kept.items()}
            last = {"last_positions": state.positions, "last_velocities": state.velocities}
            work.save(name, **piece, **last)
            pieces.append({**piece, **last})
    return pieces


def _labels(positions: np.ndarray, box: float) -> tuple[np.ndarray, np.ndarray]:
    """Energies and forces of stored frames, a few at a time."""
    parts = [
        lennard_jones(positions[i : i + 16].astype(np.float64), box)[:2] for i in range(0, len(positions), 16)
    ]
    return np.concatenate([e for e, _ in parts]), np.concatenate([f for _, f in parts])
