"""Temperatures and energies of a dataset against statistical mechanics."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from zoo import keys
from zoo.analysis.averages import SIGMAS, mean_and_error
from zoo.data.dataset import Dataset
from zoo.data.entry import Check
from zoo.datasets.alanine_dipeptide.molecule import ATOMS, dihedrals
from zoo.units import ANGSTROM_PER_NM, BOLTZMANN_EV, EV_PER_KJ_MOL

#: eV per amu (Å/ps)².
EV_PER_AMU = EV_PER_KJ_MOL / ANGSTROM_PER_NM**2


def kinetic(dataset: Dataset, run: np.ndarray) -> Check:
    """Equipartition over 3N velocities; those of LangevinMiddle lie half a step before the frame."""
    name, target = "temperature of the velocities", dataset.temperature
    expected = f"{target:g}" if target else "unknown"
    source = "equipartition, 3N degrees of freedom"
    if keys.VELOCITIES not in dataset.arrays or not target:
        return Check(name, expected, source, None, "K", note="no velocities or temperature stored")
    velocities = np.asarray(dataset.array(keys.VELOCITIES), np.float64)
    twice = (velocities**2 * dataset.system.masses[:, None]).sum((1, 2)) * EV_PER_AMU
    value, error = mean_and_error(twice / (3 * len(ATOMS) * BOLTZMANN_EV), run)
    return Check(name, expected, source, value, "K", error, abs(value - target) < SIGMAS * error)


def configurational(dataset: Dataset, positions: np.ndarray, run: np.ndarray) -> Check:
    """A thermometer without velocities, from positions and forces.

    For any field v(x), kT ⟨∇·v⟩ = −⟨v·F⟩ (hypervirial theorem; Jepps, Ayton, Evans, Phys. Rev. E
    62, 4757 (2000)). Here v moves one end atom along its bond by (r − r₀), so that ∇·v =
    1 + 2 (r − r₀)/r; the mean is over the atoms with a single bond, r₀ each bond's mean length.
    """
    name, target = "temperature of the configurations", dataset.temperature
    expected = f"{target:g}" if target else "unknown"
    source = "hypervirial theorem along the bonds of end atoms"
    if keys.FORCES not in dataset.arrays or not target:
        return Check(name, expected, source, None, "K", note="no forces or temperature stored")
    bonds = dataset.system.bonds
    count = np.bincount(bonds.ravel())
    ends = [(i, j) if count[i] == 1 else (j, i) for i, j in bonds if 1 in (count[i], count[j])]
    end, root = np.array(ends).T
    bond = positions[:, end] - positions[:, root]
    length = np.linalg.norm(bond, axis=-1)
    stretch = length - length.mean(0)
    along = (bond * np.asarray(dataset.array(keys.FORCES), np.float64)[:, end]).sum(-1) / length
    work = -(stretch * along).mean(1) / BOLTZMANN_EV
    value = work.mean() / (1 + 2 * stretch / length).mean()
    error = mean_and_error(work, run)[1]
    return Check(name, expected, source, value, "K", error, abs(value - target) < SIGMAS * error)


def energies(dataset: Dataset, positions: np.ndarray, run: np.ndarray, kt: float) -> list[Check]:
    """Width of the energy distribution, and whether independent runs agree on its mean."""
    half = (3 * len(ATOMS) - 6) / 2
    width = Check(
        "energy fluctuation at φ < 0, Var U / (kT)²",
        f"{half:g} ± 20 %",
        "(3N − 6)/2 for harmonic motion",
        None,
    )
    agree = Check(
        "energies at φ < 0, variance between runs over that within",
        "1, p > 1e-4",
        "analysis of variance over blocks of 10 ps",
        None,
    )
    left = dihedrals(positions)[0] < 0
    if keys.ENERGIES not in dataset.arrays or left.sum() < 2:
        note = "no energies stored, or no frames at φ < 0"
        return [replace(width, note=note), replace(agree, note=note)]
    energies, run = np.asarray(dataset.array(keys.ENERGIES))[left], run[left]
    spread = float(energies.var() / kt**2)
    # The relative error of a variance of n independent Gaussian numbers is √(2/n).
    slack = 0.2 * half + SIGMAS * half * float(np.sqrt(2 / len(energies)))
    width = replace(width, measured=spread, ok=abs(spread - half) < slack)
    block = 10
    if keys.TIME in dataset.arrays and len(dataset) > 1:
        interval = float(np.median(np.abs(np.diff(dataset.array(keys.TIME)))))
        block = max(1, round(10 / interval))
    mean, error = mean_and_error(energies, run)
    text = f"mean {mean:.4f} ± {error:.4f} eV"
    groups = []
    for number in np.unique(run):
        own = energies[run == number]
        own = own[: len(own) // block * block].reshape(-1, block).mean(1)
        if len(own) > 1:
            groups.append(own)
    if len(groups) < 2:
        return [width, replace(agree, note=f"{text}; under two runs of 20 ps or more")]
    from scipy.stats import f_oneway

    result = f_oneway(*groups)
    text += f", {len(groups)} runs, p = {result.pvalue:.2g}"
    return [
        width,
        replace(agree, measured=float(result.statistic), ok=bool(result.pvalue > 1e-4), note=text),
    ]
