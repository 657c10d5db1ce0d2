"""Makes the packaged start from a crystal structure: `python -m zoo.datasets.insulin.prepare FILE`.

The packaged one is porcine, from chains A and B of PDB 4INS. All atoms, relaxed, heated and run
for 150 ps at 300 K; the last frame is the start of all runs of `zoo data make insulin`. Beside it,
the Cα atoms of the crystal itself, for the checks.
"""

from __future__ import annotations

import sys
from importlib.resources import files
from pathlib import Path

import numpy as np

from zoo.datasets.insulin.options import InsulinOptions
from zoo.datasets.protein.forcefield import build_system, require_simulation
from zoo.datasets.protein.structure import Structure, prepare, write_all_atom
from zoo.engines.openmm import OpenMMJob, OpenMMRun
from zoo.errors import ZooError
from zoo.progress import progress
from zoo.units import ANGSTROM_PER_NM

#: Names of the packaged files.
START, CRYSTAL = "start.pdb", "crystal.npy"
DURATION = 150.0  # ps
SEED = 1


def package_file(name: str) -> Path:
    """Path of a packaged file."""
    return Path(str(files("zoo.datasets.insulin") / name))


def equilibrate(structure: Structure, duration: float, seed: int) -> Structure:
    """Relax a model, run it at 300 K and return its last frame; the same each time.

    Args:
        structure: all atoms.
        duration: ps.
        seed: of velocities and noise.
    """
    import openmm

    options = InsulinOptions()
    system = build_system(structure.topology, options.hydrogen_mass)
    steps, chunk = round(duration * 1000 / options.timestep), 500
    job = OpenMMJob(
        system_xml=openmm.XmlSerializer.serialize(system),
        starts=[(structure.positions / ANGSTROM_PER_NM).tolist()],
        temperature=options.temperature,
        friction=options.friction,
        timestep=options.timestep / 1000,
        steps_per_frame=chunk,
        equilibration_steps=0,
        platform="CPU",
        seed=seed,
        frames_per_piece=steps // chunk,
    )
    with progress("insulin's start", duration, "ps") as bar:
        made = OpenMMRun(vars(job)).advance(
            0, 0, steps // chunk, None, lambda: bar.advance(chunk * options.timestep / 1000)
        )
    return Structure(structure.topology, made["last_positions"] * ANGSTROM_PER_NM, [])


def main(path: Path, out: Path) -> None:
    """Write the start and the crystal's Cα atoms into the folder `out`."""
    import openmm

    require_simulation()
    crystal = prepare(path)
    alpha = [a.index for a in crystal.topology.atoms() if a.name == "CA"]
    start = equilibrate(crystal, DURATION, SEED)
    remarks = [
        f"ALL ATOMS AFTER {DURATION:g} PS AT 300 K, AMBER FF99SB-ILDN + OBC2, OPENMM {openmm.__version__}",
        f"FROM {path.name} (PDB 4INS, PUBLIC DOMAIN)",
        "MADE BY python -m zoo.datasets.insulin.prepare",
    ]
    np.save(out / CRYSTAL, crystal.positions[alpha].astype(np.float32))
    write_all_atom(out / START, start, remarks)


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else package_file(START).parent)
    except ZooError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
