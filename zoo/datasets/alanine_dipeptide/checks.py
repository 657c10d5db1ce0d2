"""What a dataset of alanine dipeptide is compared with: facts that its maker did not use."""

from __future__ import annotations

import numpy as np

from zoo import keys
from zoo.data.dataset import Dataset
from zoo.data.entry import Check
from zoo.datasets.alanine_dipeptide import ramachandran, structure, thermometers
from zoo.datasets.alanine_dipeptide.forcefield import build_system, force_field
from zoo.datasets.alanine_dipeptide.molecule import ATOMS
from zoo.engines.openmm import evaluate, make_context, require_openmm
from zoo.errors import EntryError
from zoo.units import BOLTZMANN_EV


def all_checks(dataset: Dataset, variant: str | None = None) -> list[Check]:
    """Run every check that the arrays of a variant's dataset allow."""
    wanted = [number for _, _, number in ATOMS]
    if dataset.system.types.tolist() != wanted:
        note = "atoms are not those of ACE-ALA-NME in AMBER's order; nothing else was compared"
        return [Check("atoms", "22, AMBER order", "AMBER topology", None, ok=False, note=note)]
    positions = np.asarray(dataset.array(keys.POSITIONS), np.float64)
    run = dataset.runs()
    kt = BOLTZMANN_EV * (dataset.temperature or 300.0)
    return [
        *_recomputed(dataset, positions, variant),
        thermometers.kinetic(dataset, run),
        thermometers.configurational(dataset, positions, run),
        *thermometers.energies(dataset, positions, run, kt),
        *structure.bonds(dataset, positions, kt),
        *structure.geometry(positions),
        *ramachandran.all_checks(dataset, positions, run, variant),
    ]


def _recomputed(
    dataset: Dataset, positions: np.ndarray, variant: str | None, frames: int = 50
) -> list[Check]:
    """Energies and forces against a system built anew from OpenMM's own files."""
    source = f"OpenMM Reference, {force_field(variant).short} built anew"
    names = ("energies recomputed, largest difference", "forces recomputed, largest difference")
    limits = (1e-6, 1e-5)  # far above float64 and float32 rounding, far below kT = 0.026 eV
    texts = [f"< {limit:g}" for limit in limits]
    stored = [key in dataset.arrays for key in (keys.ENERGIES, keys.FORCES)]
    try:
        require_openmm("alanine-dipeptide")
    except EntryError as error:
        return [Check(n, t, source, None, note=str(error)) for n, t in zip(names, texts, strict=True)]
    import openmm

    context = make_context(build_system(1.0, variant), openmm.VerletIntegrator(0.001), "Reference")
    chosen = np.unique(np.linspace(0, len(positions) - 1, frames).astype(int))
    worst = [0.0, 0.0]
    for frame in chosen:
        energy, forces = evaluate(context, positions[frame])
        if stored[0]:
            worst[0] = max(worst[0], abs(energy - float(dataset.array(keys.ENERGIES)[frame])))
        if stored[1]:
            worst[1] = max(worst[1], float(np.abs(forces - dataset.array(keys.FORCES)[frame]).max()))
    note = f"{len(chosen)} frames"
    return [
        Check(name, text, source, value, unit, ok=value < limit, note=note)
        if have
        else Check(name, text, source, None, unit, note="not stored")
        for name, text, value, unit, limit, have in zip(
            names, texts, worst, ("eV", "eV/Å"), limits, stored, strict=True
        )
    ]
