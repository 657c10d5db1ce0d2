"""Geometry of a dataset against the force field and against chemistry."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np

from zoo.analysis.averages import SIGMAS
from zoo.data.dataset import Dataset
from zoo.data.entry import Check
from zoo.datasets.alanine_dipeptide.molecule import ATOMS, BONDS, OMEGA, chirality
from zoo.physics.torsions import torsions
from zoo.units import ANGSTROM_PER_NM, EV_PER_KJ_MOL


def bonds(dataset: Dataset, positions: np.ndarray, kt: float) -> list[Check]:
    """Bond lengths against the force field that the dataset stores."""
    expected, source = "0.8 to 1.2", "Gaussian of a harmonic bond, √(kT/k)"
    name = "spread of bond lengths over √(kT/k), the furthest from 1"
    xml = dataset.system.parameters.get("openmm_system_xml")
    if not xml:
        return [Check(name, expected, source, None, note="the system stores no force field")]
    rows = ElementTree.fromstring(xml).findall(".//Force[@type='HarmonicBondForce']/Bonds/Bond")
    pairs = np.array([[int(b.attrib["p1"]), int(b.attrib["p2"])] for b in rows])
    length = np.array([float(b.attrib["d"]) for b in rows]) * ANGSTROM_PER_NM
    stiffness = np.array([float(b.attrib["k"]) for b in rows]) * EV_PER_KJ_MOL / ANGSTROM_PER_NM**2
    found = np.linalg.norm(positions[:, pairs[:, 0]] - positions[:, pairs[:, 1]], axis=-1)
    width = np.sqrt(kt / stiffness)
    ratio = np.maximum(found.std(0), 1e-12) / width
    furthest = float(ratio[np.abs(np.log(ratio)).argmax()])
    low, high = 0.8, 1.2  # angles and charges pull at bonds: not more than some percent
    slack = SIGMAS / np.sqrt(2 * len(positions))
    to_hydrogen = (dataset.system.types[pairs] == 1).any(1)
    shift = np.abs((found.mean(0) - length) / width)[to_hydrogen].max()
    strain = float((np.abs(found - length) / width).max())
    return [
        Check(name, expected, source, furthest, ok=low - slack < furthest < high + slack),
        Check(
            "mean length of bonds to hydrogen, largest deviation from the force field's",
            "< 0.3",
            "twice the width over the length is 0.06; little else pulls at them",
            float(shift),
            "√(kT/k)",
            ok=bool(shift < 0.3 + SIGMAS / np.sqrt(len(positions))),
        ),
        Check(
            "bond length, largest deviation from the force field's",
            "< 7",
            "a Gaussian for each, a million draws reach 5.5",
            strain,
            "√(kT/k)",
            ok=strain < 7,
        ),
    ]


def geometry(positions: np.ndarray) -> list[Check]:
    """Chirality, peptide bonds, overlaps."""
    share = float((chirality(positions) > 0).mean())
    trans = float((np.abs(torsions(positions, list(OMEGA))) > np.pi / 2).mean())
    i, j = _far_pairs()
    nearest = min(
        float(np.linalg.norm(block[:, i] - block[:, j], axis=-1).min())
        for block in np.array_split(positions, -(-len(positions) // 1000))
    )
    return [
        Check("frames with L chirality at Cα", "1", "an L amino acid", share, ok=share == 1.0),
        Check(
            "peptide bonds in trans",
            "> 0.99",
            "cis is 17 to 19 kJ/mol up, about 0.2 % at 300 K",
            trans,
            ok=trans > 0.99,
        ),
        Check(
            "nearest two atoms four or more bonds apart",
            "> 1.4",
            "hydrogen bonds and H–H contacts begin near 1.6 Å",
            nearest,
            "Å",
            ok=nearest > 1.4,
        ),
    ]


def _far_pairs() -> tuple[np.ndarray, ...]:
    n = len(ATOMS)
    bonded = np.eye(n, dtype=int)
    for a, b in BONDS:
        bonded[a, b] = bonded[b, a] = 1
    return np.nonzero(np.triu(np.linalg.matrix_power(bonded, 3) == 0))
