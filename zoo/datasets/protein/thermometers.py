"""Temperatures and energies of a dataset against statistical mechanics."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from zoo import keys
from zoo.analysis.averages import SIGMAS, mean_and_error
from zoo.data.dataset import Dataset
from zoo.data.entry import Check
from zoo.datasets.protein.build import ALL_ATOM_ENERGIES
from zoo.engines.openmm import KINETIC
from zoo.units import BOLTZMANN_EV

#: What a time step of 4 fs may add to a temperature, relative. Of insulin's bonds: 307.5 ± 1.9 K in the
#: sample (4 fs, friction 1/ps), 300.9 ± 3.5 K at 4 fs with 5/ps, 300.3 ± 1.6 K at 2 fs with 5/ps.
TIME_STEP_ERROR = 0.02


def kinetic(dataset: Dataset, run: np.ndarray) -> Check:
    """Equipartition over 3N − constraints degrees of freedom, all atoms."""
    blank = _temperature(dataset, "temperature of the velocities", "equipartition, 3N − rigid bonds")
    freedom = dataset.system.parameters.get("degrees_of_freedom")
    if KINETIC not in dataset.arrays or not freedom or not dataset.temperature:
        return replace(blank, note="no kinetic energies or temperature stored")
    values = 2 * np.asarray(dataset.array(KINETIC), np.float64) / (freedom * BOLTZMANN_EV)
    return _judged(blank, *mean_and_error(values, run), dataset.temperature)


def configurational(dataset: Dataset, positions: np.ndarray, run: np.ndarray) -> list[Check]:
    """Two thermometers without velocities, from positions and mapped forces.

    For any field v(x) of the stored particles, kT ⟨∇·v⟩ = −⟨v·F⟩ if F averages to the mean force on
    them (hypervirial theorem; Jepps, Ayton, Evans, Phys. Rev. E 62, 4757 (2000)). Here v moves
    bonded particles i and j apart, each by half, by r − r̄ (stiffness against spread) or by r (the
    mean force itself, which a mapping that ignores rigid bonds gets wrong).
    """
    source = "hypervirial theorem"
    stretch = _temperature(dataset, "temperature of the bonds, from their spread and the forces", source)
    virial = _temperature(dataset, "temperature of the mean force along bonds", source)
    bonds = dataset.system.bonds
    if keys.FORCES not in dataset.arrays or not dataset.temperature or not len(bonds):
        note = "no forces, bonds or temperature stored"
        return [replace(stretch, note=note), replace(virial, note=note)]
    forces = np.asarray(dataset.array(keys.FORCES), np.float64)
    positions, forces, bonds = _without_hydrogen(dataset, positions, forces)
    apart = positions[:, bonds[:, 0]] - positions[:, bonds[:, 1]]
    pull = ((forces[:, bonds[:, 0]] - forces[:, bonds[:, 1]]) / 2 * apart).sum(-1)
    length = np.linalg.norm(apart, axis=-1)
    spread = length - length.mean(0)
    work = -(spread * pull / length).mean(1) / BOLTZMANN_EV
    divergence = 1 + 2 * float((spread / length).mean())
    mean, error = mean_and_error(work / divergence, run)
    total, total_error = mean_and_error(-pull.mean(1) / (3 * BOLTZMANN_EV), run)
    return [
        _judged(stretch, mean, error, dataset.temperature),
        _judged(virial, total, total_error, dataset.temperature),
    ]


def _without_hydrogen(
    dataset: Dataset, positions: np.ndarray, forces: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Heavy atoms, each with the forces of its hydrogens: rigid bonds may not be stretched."""
    bonds = dataset.system.bonds
    hydrogen = dataset.system.types == 1
    if dataset.system.parameters.get("resolution", "all") != "all" or not hydrogen.any():
        return positions, forces, bonds
    forces = forces.copy()
    for i, j in bonds[hydrogen[bonds].any(1)].tolist():
        light, heavy = (i, j) if hydrogen[i] else (j, i)
        forces[:, heavy] += forces[:, light]
    return positions, forces, bonds[~hydrogen[bonds].any(1)]


def drift(dataset: Dataset, run: np.ndarray) -> Check:
    """Whether the second half of the runs has the energy of the first."""
    check = Check(
        "energy of all atoms, second halves of runs less first halves",
        "0, p > 1e-3",
        "stationary after equilibration; Student's t over runs",
        None,
        "eV",
    )
    name = next((n for n in (ALL_ATOM_ENERGIES, keys.ENERGIES) if n in dataset.arrays), None)
    runs = np.unique(run)
    if name is None or len(runs) < 3 or min((run == r).sum() for r in runs) < 2:
        return replace(check, note="no energies stored, or fewer than three runs of two frames")
    energies = np.asarray(dataset.array(name), np.float64)
    halves = [np.array_split(energies[run == r], 2) for r in runs]
    change = np.array([second.mean() - first.mean() for first, second in halves])
    from scipy.stats import ttest_1samp

    p = float(ttest_1samp(change, 0.0).pvalue)
    error = float(change.std(ddof=1) / np.sqrt(len(change)))
    note = f"{len(runs)} runs, p = {p:.2g}; a frame's energy spreads by {energies.std():.2g} eV"
    return replace(check, measured=float(change.mean()), error=error, ok=p > 1e-3, note=note)


def _temperature(dataset: Dataset, name: str, source: str) -> Check:
    target = dataset.temperature
    text = f"{target:g} ± {100 * TIME_STEP_ERROR:g} % for the time step" if target else "unknown"
    return Check(name, text, source, None, "K")


def _judged(blank: Check, value: float, error: float, target: float) -> Check:
    ok = abs(value - target) < SIGMAS * error + TIME_STEP_ERROR * target
    return replace(blank, measured=value, error=error, ok=ok)
