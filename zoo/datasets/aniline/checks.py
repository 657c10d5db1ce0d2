"""The amino group, and the whole molecule against its microwave spectrum."""

from __future__ import annotations

import numpy as np

from zoo import keys
from zoo.analysis.averages import mean_and_error
from zoo.data.dataset import Dataset
from zoo.data.entry import Check
from zoo.datasets.aniline.molecule import MOLECULE, pyramid
from zoo.datasets.small_molecules.checks import mirror, near_300

#: Rotational constants in MHz: Hatta, Suzuki, Kozima, J. Phys. Soc. Jpn. 35, 1652 (1973).
ROTATIONAL = {"A": 5617.67, "B": 2593.88, "C": 1777.04}
#: Mass of the main isotope of each atom, amu.
ISOTOPES = np.array([{1: 1.00782503, 6: 12.0, 7: 14.0030740}[number] for number in MOLECULE.numbers])
#: h / 8π² in MHz amu Å²: CODATA 2018.
MHZ_AMU_ANGSTROM = 505379.005


def rotational_constants(positions: np.ndarray, mass: np.ndarray) -> np.ndarray:
    """Return A, B, C in MHz `[frames, 3]`, each frame as if it were rigid.

    Args:
        positions: `[frames, atoms, 3]` in Å.
        mass: `[atoms]` in amu.
    """
    arm = positions - np.average(positions, axis=1, weights=mass)[:, None]
    second = np.einsum("i,fia,fib->fab", mass, arm, arm)
    inertia = np.trace(second, axis1=1, axis2=2)[:, None, None] * np.eye(3) - second
    return MHZ_AMU_ANGSTROM / np.linalg.eigvalsh(inertia)


def shape_checks(dataset: Dataset) -> list[Check]:
    """Pyramid of the amino group, both sides of it, and moments of inertia."""
    positions = np.asarray(dataset.array(keys.POSITIONS), np.float64)
    run = dataset.runs()
    angle = pyramid(positions)
    size, error = mean_and_error(np.abs(angle), run)
    bent = Check(
        "angle between the amino group and the ring's plane, mean size",
        "25 to 44",
        "37.5° by microwaves (Lister et al., J. Mol. Struct. 23, 253 (1974)), 44° by MMFF94; planar: 0°",
        size,
        "°",
        error,
        25 < size < 44,
    )
    checks = [
        near_300(bent, dataset),
        mirror("frames with the amino hydrogens on one side of the ring", angle > 0, dataset),
    ]
    for letter, values in zip("ABC", rotational_constants(positions, ISOTOPES).T, strict=True):
        expected = ROTATIONAL[letter]
        value, error = mean_and_error(values, run)
        checks.append(
            Check(
                f"rotational constant {letter}",
                f"{expected:g} ± 3 %",
                "microwave spectrum: Hatta, Suzuki, Kozima, J. Phys. Soc. Jpn. 35, 1652 (1973)",
                value,
                "MHz",
                error,
                abs(value / expected - 1) < 0.03,
            )
        )
    return checks
