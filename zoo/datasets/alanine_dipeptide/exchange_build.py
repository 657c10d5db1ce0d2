"""From options to a dataset folder, by replica exchange."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from zoo.data.store import Manifest, write_dataset
from zoo.data.work import Work, work_folder
from zoo.datasets.alanine_dipeptide.build import STARTS, command, full_name, stored_system
from zoo.datasets.alanine_dipeptide.exchange import WATCHED
from zoo.datasets.alanine_dipeptide.forcefield import build_system
from zoo.datasets.alanine_dipeptide.molecule import build
from zoo.datasets.alanine_dipeptide.options import OF_OPENMM, Options
from zoo.datasets.alanine_dipeptide.populations import populations
from zoo.engines.exchange_frames import ExchangeFrames, exchange_job, number_of_ensembles, statistics
from zoo.engines.openmm import UNITS, require_openmm
from zoo.engines.replica_exchange import ExchangeJob
from zoo.version import __version__

VARIANT = "replica-exchange"


def make_exchange(out: Path, *, frames: int, seed: int, options: Options) -> Path:
    """Simulate the dataset; see `AlanineDipeptide.make`."""
    require_openmm("alanine-dipeptide")
    import openmm
    import torch

    ensembles = number_of_ensembles(frames, seed, options)
    xml = openmm.XmlSerializer.serialize(build_system(options.hydrogen_mass))
    system = stored_system(xml, VARIANT)
    starts = [build(*angles) for angles in STARTS]
    watched = {"torsions": WATCHED, "planes": [[0, 1]]}
    job = exchange_job(xml, system.masses, starts, ensembles, seed, options, **watched)
    made = ExchangeFrames(full_name(VARIANT), "zoo.datasets.alanine_dipeptide.exchange:Exchange", job, frames)
    versions = {"openmm": openmm.__version__, "torch": torch.__version__}
    with work_folder(out, made.runs.request() | versions | {"kept": frames}) as work:
        made.execute(work, options.workers)
        manifest = Manifest(
            name=full_name(VARIANT),
            version=__version__,
            units="ase",
            temperature=options.temperature,
            system=system.to_json(),
            splits=made.splits(),
            provenance={
                "engine": f"torch {torch.__version__}, energy of OpenMM {openmm.__version__}'s System",
                "command": command(full_name(VARIANT), options, frames, seed),
                "seed": seed,
                "options": options.model_dump(exclude={"workers", *OF_OPENMM}) | {"runs": ensembles},
                **_how(job),
                "statistics": _statistics(made, work),
            },
        )
        return write_dataset(out, manifest, made.chunks(work), UNITS)


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


def _statistics(made: ExchangeFrames, work: Work) -> dict[str, Any]:
    """Return the figures of the whole run; of its parts, φ > 0 alone."""
    found = statistics(made, work, populations, ["φ < 0", "φ > 0"])
    starts, halves = found["populations_of_starts"], found["populations_of_halves"]
    (even,), (odd,) = found["ramachandran"]["counts"]  # the one plane
    return found | {
        "populations_of_starts": {name: part["φ>0"] for name, part in starts.items()},
        "populations_of_halves": [part["φ>0"] for part in halves],
        "ramachandran": found["ramachandran"] | {"counts": [even, odd]},
    }
