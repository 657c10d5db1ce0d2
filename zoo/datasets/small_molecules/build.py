"""From options to a dataset folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from zoo.data.splits import split_runs
from zoo.data.store import Manifest, write_dataset
from zoo.data.system import System
from zoo.data.work import work_folder
from zoo.datasets.small_molecules.forcefield import build_system
from zoo.datasets.small_molecules.molecule import Molecule
from zoo.engines.langevin import LangevinOptions
from zoo.engines.openmm import UNITS, langevin_runs, pace, require_openmm
from zoo.errors import ConfigError
from zoo.version import __version__

#: Fewer runs than this are cut into blocks of time, one for each split (`split_runs`).
WHOLE_RUNS = 5
#: Time left out between two such blocks, ps: the propeller of ortho-terphenyl turns over about every 40 ps.
GAP = 40.0


def make(
    name: str, molecule: Molecule, out: Path, *, frames: int, seed: int, options: LangevinOptions
) -> Path:
    """Simulate the dataset `name` of a molecule; see `SmallMolecule.make`."""
    require_openmm(name)
    import openmm

    runs = options.number_of_runs(frames)
    needed = runs if runs >= WHOLE_RUNS else 3 * runs
    if frames < needed:
        raise ConfigError(
            f"{frames} frames are too few for {runs} runs: ask for {needed} frames or more, "
            "or for fewer runs (--set runs=2)"
        )
    xml = openmm.XmlSerializer.serialize(build_system(molecule, options.hydrogen_mass))
    simulation = langevin_runs(name, xml, molecule.starts, options, frames=frames, seed=seed, kinetic=True)
    with work_folder(out, simulation.request() | {"openmm": openmm.__version__}) as work:
        simulation.execute(work, options.workers, pace(options))
        run = np.repeat(np.arange(runs), simulation.frames)
        # not more than a tenth of a short run is given up at each gap
        gap = min(round(GAP / options.interval), min(simulation.frames) // 10)
        manifest = Manifest(
            name=name,
            version=__version__,
            units="ase",
            temperature=options.temperature,
            system=_system(molecule, xml).to_json(),
            splits=split_runs(run, gap=gap),
            provenance=_provenance(name, options, frames, runs, seed, openmm.__version__),
        )
        return write_dataset(out, manifest, simulation.chunks(work), UNITS)


def _system(molecule: Molecule, xml: str) -> System:
    import openmm

    system = openmm.XmlSerializer.deserialize(xml)
    masses = np.array([system.getParticleMass(i)._value for i in range(len(molecule.elements))])
    parameters = {
        "force_field": "OPLS-AA, July 2008 (BOSS 4.8); zoo/datasets/small_molecules/oplsaa.xml",
        "masses": "as simulated: hydrogens made heavier, which changes no average over configurations",
        "openmm_system_xml": xml,
    }
    return System(
        types=np.array(molecule.numbers),
        masses=masses,
        type_names=molecule.type_names,
        parameters=parameters,
        **molecule.topology,
    )


def _provenance(
    name: str, options: LangevinOptions, frames: int, runs: int, seed: int, version: str
) -> dict[str, Any]:
    changed = options.model_dump(exclude_defaults=True, exclude={"workers"})
    settings = "".join(f" --set {key}={value}" for key, value in changed.items())
    return {
        "engine": f"OpenMM {version}",
        "command": f"zoo data make {name} --frames {frames} --seed {seed}{settings}",
        "seed": seed,
        "options": options.model_dump(exclude={"workers"}) | {"runs": runs},
        "integrator": "LangevinMiddle, no constraints; kinetic energies are those of half a step before",
        "energies_and_forces": (
            "OpenMM Reference platform in double precision at the stored float32 positions; "
            "forces are −∂U/∂x alone, without thermostat"
        ),
        "starts": "two mirror images, taken in turn, relaxed; each run has first velocities of its own",
        "splits": (
            "by whole run"
            if runs >= WHOLE_RUNS
            else f"by blocks of time within each run, up to {GAP:g} ps left out between blocks"
        ),
    }
