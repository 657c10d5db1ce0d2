"""From options to a dataset folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from zoo import keys
from zoo.data.splits import SPLITS, Ranges, merge, split_runs
from zoo.data.store import Manifest, write_dataset
from zoo.data.system import System
from zoo.data.work import work_folder
from zoo.datasets.alanine_dipeptide.forcefield import build_system, force_field
from zoo.datasets.alanine_dipeptide.molecule import ATOMS, BONDS, RESIDUES, build
from zoo.datasets.alanine_dipeptide.options import OF_EXCHANGE, Options
from zoo.engines.openmm import UNITS, langevin_runs, pace, require_openmm
from zoo.errors import ConfigError
from zoo.version import __version__

#: Starting structures (φ, ψ in degrees), taken in turn: extended, and C7ax, the main basin at φ > 0.
STARTS = ((-120.0, 150.0), (60.0, -60.0))


def make(out: Path, *, variant: str | None, frames: int, seed: int, options: Options) -> Path:
    """Simulate the dataset by plain dynamics; see `AlanineDipeptide.make`."""
    require_openmm("alanine-dipeptide")
    import openmm

    runs = options.number_of_runs(frames)
    needed = runs if runs >= WHOLE_RUNS else 3 * runs
    if frames < needed:
        raise ConfigError(
            f"{frames} frames are too few for {runs} runs: ask for {needed} frames or more, "
            "or for fewer runs (--set runs=2)"
        )
    name = full_name(variant)
    xml = openmm.XmlSerializer.serialize(build_system(options.hydrogen_mass, variant))
    simulation = langevin_runs(
        name, xml, [build(*angles) for angles in STARTS], options, frames=frames, seed=seed
    )
    with work_folder(out, simulation.request() | {"openmm": openmm.__version__}) as work:
        simulation.execute(work, options.workers, pace(options))
        arrays = simulation.gather(work)
        manifest = Manifest(
            name=name,
            version=__version__,
            units="ase",
            temperature=options.temperature,
            system=stored_system(xml, variant).to_json(),
            splits=_splits(arrays[keys.RUN], gap=round(10 / options.interval)),
            provenance=_provenance(name, options, frames, runs, seed, openmm.__version__),
        )
        return write_dataset(out, manifest, arrays, UNITS)


def full_name(variant: str | None) -> str:
    """Return the dataset's name."""
    return "alanine-dipeptide" + (f"/{variant}" if variant else "")


def command(name: str, options: Options, frames: int, seed: int) -> str:
    """Return the command that makes these frames again."""
    changed = options.model_dump(exclude_defaults=True, exclude={"workers"})
    settings = "".join(f" --set {key}={value}" for key, value in changed.items())
    return f"zoo data make {name} --frames {frames} --seed {seed}{settings}"


def stored_system(xml: str, variant: str | None) -> System:
    """Return the constant part of the dataset, which holds the OpenMM System too."""
    import openmm

    system = openmm.XmlSerializer.deserialize(xml)
    return System(
        types=np.array([number for _, _, number in ATOMS]),
        masses=np.array([system.getParticleMass(i)._value for i in range(len(ATOMS))]),
        type_names={1: "H", 6: "C", 7: "N", 8: "O"},
        bonds=np.array(BONDS),
        atom_names=tuple(name for _, name, _ in ATOMS),
        residue_names=tuple(residue for residue, _, _ in ATOMS),
        residues=np.array([RESIDUES.index(residue) for residue, _, _ in ATOMS]),
        parameters={
            "force_field": force_field(variant).text,
            "masses": "as simulated: hydrogens made heavier, which changes no average over configurations",
            "openmm_system_xml": xml,
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


def _provenance(
    name: str, options: Options, frames: int, runs: int, seed: int, version: str
) -> dict[str, Any]:
    return {
        "engine": f"OpenMM {version}",
        "command": command(name, options, frames, seed),
        "seed": seed,
        "options": options.model_dump(exclude={"workers", *OF_EXCHANGE}) | {"runs": runs},
        "integrator": "LangevinMiddle, no constraints; velocities are those of half a step before",
        "energies_and_forces": (
            "OpenMM Reference platform in double precision at the stored float32 positions; "
            "forces are −∂U/∂x alone, without thermostat"
        ),
        "starts": [{"run": r, "phi": STARTS[r % 2][0], "psi": STARTS[r % 2][1]} for r in range(runs)],
        "populations": (
            "not those of equilibrium: every other run starts at φ > 0, and runs are too short to "
            "forget it; alanine-dipeptide/replica-exchange has the true weights of ff96 + OBC1"
        ),
        "splits": (
            "by whole run, each split with runs from both starts"
            if runs >= WHOLE_RUNS
            else "by blocks of time within each run, about 10 ps left out between blocks"
        ),
    }
