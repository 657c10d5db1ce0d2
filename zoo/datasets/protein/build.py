"""From an all-atom model to a dataset folder: the path that `protein` and `insulin` share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zoo import keys
from zoo.data.splits import Ranges, split_runs
from zoo.data.store import Manifest, sha256, write_dataset
from zoo.data.work import work_folder
from zoo.datasets.protein import forcefield
from zoo.datasets.protein.options import ProteinOptions
from zoo.datasets.protein.resolution import MEANING, mapping, stored_system
from zoo.datasets.protein.structure import Structure, disulfides
from zoo.engines.openmm import UNITS, langevin_runs, pace
from zoo.engines.runs import share
from zoo.errors import ConfigError
from zoo.version import __version__

#: Energies of all atoms are no function of coarse positions: no model is to learn them by mistake.
ALL_ATOM_ENERGIES = "energies_all_atoms"
#: Atoms times time steps that are at stake when a process is killed: some 20 s of work.
PIECE = 1_500_000


def simulate(
    out: Path,
    name: str,
    path: Path,
    structure: Structure,
    options: ProteinOptions,
    *,
    frames: int,
    seed: int,
    minimize: bool,
) -> Path:
    """Simulate a protein into the folder `out`; continues after a kill.

    Args:
        out: the dataset's folder.
        name: of the entry.
        path: file that the structure comes from, for the provenance.
        structure: where all runs start, each with velocities and noise of its own.
        options: how, and what is stored.
        frames: of all runs together.
        seed: of everything random.
        minimize: relax the structure first.

    Raises:
        ConfigError: too few frames for the number of runs, or a negative seed.
        DataError: the force field lacks parameters, or `out` exists.
        RunFailed: a simulation broke down.
    """
    import openmm

    splits = _splits(share(frames, options.number_of_runs(frames)), options.interval)
    system = forcefield.build_system(structure.topology, options.hydrogen_mass)
    chosen = mapping(structure.topology, options.resolution)
    whole = options.resolution == "all"
    runs = langevin_runs(
        name,
        openmm.XmlSerializer.serialize(system),
        [structure.positions],
        options,
        frames=frames,
        seed=seed,
        frames_per_piece=max(1, PIECE // (system.getNumParticles() * options.steps_per_frame)),
        minimize=minimize,
        keep=[] if whole else chosen.keep.tolist(),
        group=[] if whole else chosen.group.tolist(),
        kinetic=True,
    )
    masses = np.array([system.getParticleMass(i)._value for i in range(system.getNumParticles())])
    labels = [f"{r.chain.id}{r.id}{r.insertionCode.strip()}" for r in structure.topology.residues()]
    parameters = {
        "force_field": forcefield.NAME,
        "resolution": options.resolution,
        "forces": MEANING[options.resolution],
        "masses": "of each particle's group of atoms, as simulated",
        "hydrogen_mass": options.hydrogen_mass,
        "atoms": len(masses),
        "degrees_of_freedom": 3 * len(masses) - system.getNumConstraints(),
        "disulfides": [[a.residue.index, b.residue.index] for a, b in disulfides(structure.topology)],
        "residue_labels": labels,
        "structure": structure.positions[chosen.keep].round(3).tolist(),
    }
    stored = stored_system(structure.topology, masses, options.resolution, parameters)
    with work_folder(out, runs.request() | {"openmm": openmm.__version__}) as work:
        runs.execute(work, options.workers, pace(options))
        manifest = Manifest(
            name=name,
            version=__version__,
            units="ase",
            temperature=options.temperature,
            system=stored.to_json(),
            splits=splits,
            provenance={
                "engine": f"OpenMM {openmm.__version__}",
                "command": _command(name, options, frames, seed),
                "seed": seed,
                "structure": _origin(path, structure),
                **_protocol(options, frames, minimize),
            },
        )
        return write_dataset(
            out, manifest, _chunks(runs.chunks(work), whole), UNITS | {ALL_ATOM_ENERGIES: "eV"}
        )


def _chunks(chunks: Iterator[dict[str, np.ndarray]], whole: bool) -> Iterator[dict[str, np.ndarray]]:
    for chunk in chunks:
        if not whole:
            chunk[ALL_ATOM_ENERGIES] = chunk.pop(keys.ENERGIES)
        yield chunk


def _splits(frames: Sequence[int], interval: float) -> dict[str, Ranges]:
    """By whole run from five runs on; else each run is cut into blocks of time, some 10 ps apart."""
    run = np.repeat(np.arange(len(frames)), frames)
    few = len(frames) < 5
    if min(frames) < (3 if few else 1):
        raise ConfigError(
            f"{sum(frames)} frames are too few for {len(frames)} runs: ask for "
            f"{len(frames) * (3 if few else 1)} frames or more, or for fewer runs (--set runs=1)"
        )
    return split_runs(run, gap=min(round(10 / interval), min(frames) // 10))


def _origin(path: Path, structure: Structure) -> dict[str, Any]:
    chains = [list(chain.residues()) for chain in structure.topology.chains()]
    return {
        "file": path.name,
        "sha256": sha256(path),
        "chains": [f"{c[0].chain.id}: {len(c)} residues, {c[0].id} to {c[-1].id}" for c in chains],
        "ends": "charged, at the first and last residue that the file holds of each chain",
        "changes": structure.notes,
    }


def _command(name: str, options: ProteinOptions, frames: int, seed: int) -> str:
    """The command line that makes the dataset again."""
    changed = options.model_dump(exclude_defaults=True, exclude={"workers"})
    texts = {k: f"[{','.join(v)}]" if isinstance(v, list) else str(v) for k, v in changed.items()}
    settings = "".join(f" --set {key}={text}" for key, text in texts.items())
    return f"zoo data make {name} --frames {frames} --seed {seed}{settings}"


def _protocol(options: ProteinOptions, frames: int, minimize: bool) -> dict[str, Any]:
    start = "the structure relaxed" if minimize else "the structure as it is"
    coarse = options.resolution != "all"
    return {
        "options": options.model_dump(exclude={"workers"}) | {"runs": options.number_of_runs(frames)},
        "integrator": (
            f"LangevinMiddle, {options.timestep:g} fs, friction {options.friction:g}/ps, hydrogens of "
            f"{options.hydrogen_mass:g} amu, bonds to hydrogen rigid; kinetic energies are those of "
            "half a step before"
        ),
        "forces": f"{MEANING[options.resolution]}; no thermostat's forces in it",
        "labels": (
            "OpenMM Reference platform in double precision at the float32 positions of all atoms"
            + (f"; {ALL_ATOM_ENERGIES} are those of all atoms, not of the stored particles" if coarse else "")
        ),
        "runs": f"all from one start, {start}, each with velocities, noise and equilibration of its own",
    }
