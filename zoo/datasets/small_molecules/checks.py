"""What a dataset of either molecule is compared with: facts that its maker did not use."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from zoo import keys
from zoo.analysis.averages import SIGMAS, mean_and_error
from zoo.data.dataset import Dataset
from zoo.data.entry import Check
from zoo.datasets.small_molecules.energies import energy_checks
from zoo.datasets.small_molecules.molecule import Molecule
from zoo.engines.openmm import KINETIC
from zoo.units import ANGSTROM_PER_NM, BOLTZMANN_EV, EV_PER_KJ_MOL


def same_molecule(dataset: Dataset, molecule: Molecule) -> Check | None:
    """Return a failed check if the atoms are not those of the molecule, else None."""
    if dataset.system.types.tolist() == molecule.numbers:
        return None
    note = "other atoms, or another order; nothing else was compared"
    return Check("atoms", f"{len(molecule.elements)}, in order", "molecule.py", None, ok=False, note=note)


def common_checks(dataset: Dataset, molecule: Molecule) -> list[Check]:
    """Every check that holds for both molecules."""
    positions = np.asarray(dataset.array(keys.POSITIONS), np.float64)
    kt = BOLTZMANN_EV * (dataset.temperature or 300.0)
    return [
        *energy_checks(dataset, molecule, positions, dataset.runs()),
        kinetic(dataset),
        *bonds(dataset, positions, kt),
        planes(molecule, positions, kt, dataset.runs()),
        contacts(molecule, positions),
    ]


def kinetic(dataset: Dataset) -> Check:
    """Equipartition over 3N velocities, which are those of half a step before the frame."""
    name, target = "temperature of the velocities", dataset.temperature
    source = "equipartition, 3N degrees of freedom"
    if KINETIC not in dataset.arrays or not target:
        note = "no kinetic energies or temperature stored"
        return Check(name, f"{target:g}" if target else "unknown", source, None, "K", note=note)
    energies = np.asarray(dataset.array(KINETIC), np.float64)
    each = energies / (1.5 * dataset.system.num_particles * BOLTZMANN_EV)
    value, error = mean_and_error(each, dataset.runs())
    return Check(name, f"{target:g}", source, value, "K", error, abs(value - target) < SIGMAS * error)


def bonds(dataset: Dataset, positions: np.ndarray, kt: float) -> list[Check]:
    """Lengths of the bonds to hydrogen against the force field: mean and Gaussian width."""
    types = dataset.system.types
    table = {(1, 6): (1.08, 367.0), (1, 7): (1.01, 434.0)}  # r0 in Å, k in kcal/mol/Å², U = k (r − r0)²
    pairs = [(i, j) for i, j in dataset.system.bonds if 1 in (types[i], types[j])]
    length, k = np.array([table[tuple(sorted((types[i], types[j])))] for i, j in pairs]).T
    i, j = np.array(pairs).T
    found = np.linalg.norm(positions[:, i] - positions[:, j], axis=-1)
    width = np.sqrt(kt / (2 * k * 4.184 * EV_PER_KJ_MOL))
    ratio = float((found.std(0) / width).mean())
    # the relative error of the standard deviation of n Gaussian numbers is 1/√(2n)
    error = 1 / float(np.sqrt(2 * found.size))
    shift = float(((found.mean(0) - length) / width).mean())
    due = float((2 * width / length).mean())
    shift_error = 1 / float(np.sqrt(found.size))
    return [
        Check(
            "spread of bonds to hydrogen over √(kT/k)",
            "1 ± 0.03",
            "Gaussian of a harmonic bond, k as published (367 and 434 kcal/mol/Å²)",
            ratio,
            error=error,
            ok=abs(ratio - 1) < 0.03 + SIGMAS * error,
        ),
        Check(
            "mean length of bonds to hydrogen less the force field's",
            f"{due:.2f} ± 0.1",
            "2 √(kT/k) / r₀, as r² has more room at larger r; charges and angles pull little",
            shift,
            "√(kT/k)",
            shift_error,
            abs(shift - due) < 0.1 + SIGMAS * shift_error,
        ),
    ]


def planes(molecule: Molecule, positions: np.ndarray, kt: float, run: np.ndarray) -> Check:
    """How far the carbons of a ring are from its plane, against the puckering modes of benzene."""
    wave_numbers = np.array([398.0, 398.0, 707.0])  # ν16 (twice) and ν4, 1/cm
    rate = 2 * np.pi * 0.0299792458 * wave_numbers  # rad/ps
    carbon = 12.011 / (EV_PER_KJ_MOL**-1 * ANGSTROM_PER_NM**2)  # eV (ps/Å)²
    expected = float(np.sqrt((kt / (carbon * rate**2)).sum() / 6))
    squares = []
    for members in molecule.rings:
        arm = positions[:, members] - positions[:, members].mean(1, keepdims=True)
        squares.append(np.linalg.svd(arm, compute_uv=False)[:, 2] ** 2 / 6)
    square, error = mean_and_error(np.mean(squares, 0), run)
    value = float(np.sqrt(square))
    return Check(
        "distance of ring carbons from the plane of their ring, rms",
        f"{expected:.3f} ± 25 %",
        "classical amplitude of benzene's puckering modes, 398 (twice) and 707 cm⁻¹, carbons alone",
        value,
        "Å",
        error / (2 * value),
        abs(value / expected - 1) < 0.25,
    )


def contacts(molecule: Molecule, positions: np.ndarray) -> Check:
    """No two atoms overlap."""
    i, j = np.nonzero(np.triu(molecule.separation >= 4))
    nearest = min(
        float(np.linalg.norm(block[:, i] - block[:, j], axis=-1).min())
        for block in np.array_split(positions, -(-len(positions) // 1000))
    )
    return Check(
        "nearest two atoms four or more bonds apart",
        "> 1.6",
        "no overlaps: two hydrogens at 1.6 Å cost 26 kT at 300 K",
        nearest,
        "Å",
        ok=nearest > 1.6,
    )


def near_300(check: Check, dataset: Dataset) -> Check:
    """Leave the comparison open where a figure is expected near 300 K and the data are not."""
    if dataset.temperature and abs(dataset.temperature - 300) <= 50:
        return check
    return replace(check, ok=None, note="not compared: expected near 300 K")


def mirror(name: str, side: np.ndarray, dataset: Dataset) -> Check:
    """Both mirror images have the same weight where runs are long enough to go from one to the other."""
    share, error = mean_and_error(np.asarray(side, float), dataset.runs())
    check = Check(
        name,
        "0.5",
        "exact by mirror symmetry; the runs have forgotten which image they started as",
        share,
        error=error,
        ok=abs(share - 0.5) < SIGMAS * error,
    )
    if 0 < share < 1:
        return check
    return replace(check, error=None, ok=None, note="one image only: too short a trajectory to compare")
