"""What a dataset of a peptide is compared with: facts that its maker did not use."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from zoo import keys
from zoo.analysis.averages import SIGMAS
from zoo.analysis.proteins import chirality
from zoo.data.dataset import Dataset
from zoo.data.entry import Check
from zoo.datasets.alanine_dipeptide import structure, thermometers
from zoo.datasets.alanine_dipeptide.forcefield import amber_system
from zoo.datasets.peptide.build import chosen_force_field
from zoo.datasets.peptide.sequence import Peptide, peptide
from zoo.datasets.peptide.weights import weights
from zoo.datasets.protein.geometry import overlaps
from zoo.engines.openmm import evaluate, make_context, require_openmm
from zoo.errors import DataError, EntryError
from zoo.units import BOLTZMANN_EV


def all_checks(dataset: Dataset) -> list[Check]:
    """Run every check that the arrays of the dataset allow."""
    try:
        molecule = Peptide.of(dataset.system)
    except DataError as error:
        return [Check("atoms", "a capped peptide", "names and sequence", None, ok=False, note=str(error))]
    positions = np.asarray(dataset.array(keys.POSITIONS), np.float64)
    run = dataset.runs()
    kt = BOLTZMANN_EV * (dataset.temperature or 300.0)
    return [
        *_recomputed(dataset, molecule, positions),
        thermometers.configurational(dataset, positions, run),
        _fluctuation(dataset, kt),
        *structure.bonds(dataset, positions, kt),
        *_chemistry(molecule, positions),
        overlaps(dataset, positions),
        *weights(dataset, molecule, positions, run),
    ]


def _recomputed(
    dataset: Dataset, molecule: Peptide, positions: np.ndarray, frames: int = 30
) -> Iterator[Check]:
    """Energies and forces against a system built anew from the sequence and OpenMM's own files."""
    options = dataset.manifest.provenance.get("options", {})
    field = chosen_force_field(options.get("force_field", "ff96"))
    source = f"OpenMM Reference, {field.short} built anew from the sequence"
    names = ("energies recomputed, largest difference", "forces recomputed, largest difference")
    limits, units = (1e-6, 1e-5), ("eV", "eV/Å")  # far above rounding, far below kT = 0.026 eV
    stored = [key in dataset.arrays for key in (keys.ENERGIES, keys.FORCES)]
    try:
        require_openmm("peptide")
    except EntryError as error:
        for name, limit, unit in zip(names, limits, units, strict=True):
            yield Check(name, f"< {limit:g}", source, None, unit, note=str(error))
        return
    import openmm

    anew = peptide(molecule.sequence, field.openmm())
    same = anew.atoms == molecule.atoms and np.array_equal(anew.bonds, molecule.bonds)
    yield Check(
        "atoms and bonds as those of the sequence", "1", "templates of the force field", same, ok=same
    )
    if not same:
        return
    system = amber_system(anew.topology(), field, field.openmm(), 1.0)
    context = make_context(system, openmm.VerletIntegrator(0.001), "Reference")
    chosen = np.unique(np.linspace(0, len(positions) - 1, frames).astype(int))
    worst = [0.0, 0.0]
    for frame in chosen:
        energy, forces = evaluate(context, positions[frame])
        if stored[0]:
            worst[0] = max(worst[0], abs(energy - float(dataset.array(keys.ENERGIES)[frame])))
        if stored[1]:
            worst[1] = max(worst[1], float(np.abs(forces - dataset.array(keys.FORCES)[frame]).max()))
    for name, limit, unit, value, have in zip(names, limits, units, worst, stored, strict=True):
        note = f"{len(chosen)} frames" if have else "not stored"
        ok = value < limit if have else None
        yield Check(name, f"< {limit:g}", source, value if have else None, unit, ok=ok, note=note)


def _fluctuation(dataset: Dataset, kt: float) -> Check:
    half = (3 * dataset.system.num_particles - 6) / 2
    name, expected = "energy fluctuation, Var U / (kT)²", f"{half:g} ± 25 %"
    source = "(3N − 6)/2 for harmonic motion; basins of different energy add some"
    if keys.ENERGIES not in dataset.arrays or len(dataset) < 2:
        return Check(name, expected, source, None, note="no energies stored")
    spread = float(dataset.array(keys.ENERGIES).var() / kt**2)
    # The relative error of a variance of n independent Gaussian numbers is √(2/n).
    slack = half * (0.25 + SIGMAS * float(np.sqrt(2 / len(dataset))))
    return Check(name, expected, source, spread, ok=abs(spread - half) < slack)


def _chemistry(molecule: Peptide, positions: np.ndarray) -> Iterator[Check]:
    chiral = molecule.backbone().chiral
    if len(chiral):  # glycine has none
        share = float((chirality(positions, chiral) > 0).mean())
        yield Check("share of L chirality at Cα", "1", "L amino acids", share, ok=share == 1.0)
