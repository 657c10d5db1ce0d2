"""From options to a dataset folder."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from zoo.data.store import Manifest, write_dataset
from zoo.data.system import System
from zoo.data.work import work_folder
from zoo.datasets.alanine_dipeptide.forcefield import FORCE_FIELDS, ForceField, amber_system
from zoo.datasets.peptide.basins import populations, watched
from zoo.datasets.peptide.exchange import pivots
from zoo.datasets.peptide.options import Options
from zoo.datasets.peptide.sequence import Peptide, peptide
from zoo.datasets.peptide.structure import build, relaxed
from zoo.datasets.protein.forcefield import require_simulation
from zoo.engines.exchange_frames import ExchangeFrames, exchange_job, number_of_ensembles, statistics
from zoo.engines.openmm import UNITS
from zoo.engines.replica_exchange import ExchangeJob
from zoo.version import __version__

#: Starting structures (φ, ψ in degrees of all residues), taken in turn: extended, and C7ax.
STARTS = {"φ < 0": (-120.0, 150.0), "φ > 0": (60.0, -60.0)}


def make(out: Path, *, name: str, sequence: str, frames: int, seed: int, options: Options) -> Path:
    """Simulate the dataset; see `PeptideEntry.make`."""
    require_simulation()
    import openmm
    import torch

    field = chosen_force_field(options.force_field)
    molecule = peptide(sequence, field.openmm())
    command = _command(name, options, frames, seed)
    options = options.resolved(len(molecule.atoms))
    ensembles = number_of_ensembles(frames, seed, options)
    openmm_system = amber_system(molecule.topology(), field, field.openmm(), options.hydrogen_mass)
    xml = openmm.XmlSerializer.serialize(openmm_system)
    system = stored_system(molecule, openmm_system, field)
    starts = [relaxed(build(molecule, *angles), openmm_system) for angles in STARTS.values()]
    job = exchange_job(
        xml, system.masses, starts, ensembles, seed, options,
        **watched(molecule), **pivots(molecule), pivots=options.pivots, polish=options.polish,
    )  # fmt: skip
    made = ExchangeFrames(name, "zoo.datasets.peptide.exchange:Exchange", job, frames)
    versions = {"openmm": openmm.__version__, "torch": torch.__version__}
    with work_folder(out, made.runs.request() | versions | {"kept": frames}) as work:
        made.execute(work, options.workers)
        manifest = Manifest(
            name=name,
            version=__version__,
            units="ase",
            temperature=options.temperature,
            system=system.to_json(),
            splits=made.splits(),
            provenance={
                "engine": f"torch {torch.__version__}, energy of OpenMM {openmm.__version__}'s System",
                "command": command,
                "seed": seed,
                "options": options.model_dump(exclude={"workers"})
                | {"runs": ensembles, "sequence": sequence},
                **_how(job),
                "statistics": statistics(made, work, partial(populations, molecule), list(STARTS)),
            },
        )
        return write_dataset(out, manifest, made.chunks(work), UNITS)


def chosen_force_field(name: str) -> ForceField:
    """Return the force field of the option `force_field`."""
    return FORCE_FIELDS[None if name == "ff96" else name]


def stored_system(molecule: Peptide, openmm_system: Any, field: ForceField) -> System:
    """Return the constant part of the dataset, which holds the OpenMM System too."""
    import openmm

    symbols = {1: "H", 6: "C", 7: "N", 8: "O", 16: "S"}
    numbers = molecule.numbers
    return System(
        types=numbers,
        masses=np.array([openmm_system.getParticleMass(i)._value for i in range(len(numbers))]),
        type_names={int(n): symbols[int(n)] for n in np.unique(numbers)},
        bonds=molecule.bonds,
        atom_names=tuple(name for _, name, _ in molecule.atoms),
        residue_names=tuple(molecule.residue_names[residue] for residue, _, _ in molecule.atoms),
        residues=molecule.residues,
        parameters={
            "sequence": molecule.sequence,
            "force_field": field.text,
            "masses": "as simulated: hydrogens made heavier, which changes no average over configurations",
            "openmm_system_xml": openmm.XmlSerializer.serialize(openmm_system),
        },
    )


def _command(name: str, options: Options, frames: int, seed: int) -> str:
    changed = options.model_dump(exclude_defaults=True, exclude={"workers"})
    settings = "".join(f" --set {key}={value}" for key, value in changed.items())
    return f"zoo data make {name} --frames {frames} --seed {seed}{settings}"


def _how(job: ExchangeJob) -> dict[str, Any]:
    return {
        "integrator": "BAOAB Langevin in single precision, no constraints, then turns about single bonds "
        "accepted by Metropolis, then exchanges of neighbouring temperatures; no velocities are kept, since "
        "frames are not in the order of any dynamics",
        "polish": f"each frame went through {job.polish} trajectories of Hamiltonian Monte Carlo; they "
        "take away what the time step puts into stiff bonds; the statistics are of the dynamics itself",
        "energies_and_forces": "double precision at the stored float32 positions, no thermostat",
        "temperatures": [round(float(t), 2) for t in job.temperatures],
        "starts": "ensembles by turns with all residues at φ < 0 (extended) and at φ > 0 (C7ax), all "
        "peptide bonds in trans",
        "peptide_bonds": "ω is free, and half turns about it are among the moves; basins are shares of the "
        "frames in trans",
        "splits": "by whole ensemble",
    }
