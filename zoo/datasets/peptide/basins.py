"""What replica exchange of a peptide watches: a basin of each residue, cis of each bond, χ1 rotamers."""

from __future__ import annotations

from typing import Any

import numpy as np

from zoo.analysis.basins import ramachandran_basins, rotamers
from zoo.analysis.mbar import shares
from zoo.datasets.peptide.sequence import Peptide

#: States of a residue by φ and ψ, and of χ1, in the order of their numbers.
BASINS = ("αR", "β/PII", "αL", "C7ax")
ROTAMERS = ("g+", "t", "g−")


def watched(peptide: Peptide) -> dict[str, list[list[int]]]:
    """Return the torsions to watch, and the pairs (φ, ψ) among them to count in bins.

    In order: φ and ψ of each residue by turns, ω of all peptide bonds, χ1 of the residues that have it.
    """
    backbone = peptide.backbone()
    pairs = np.stack([backbone.phi, backbone.psi], 1).reshape(-1, 4)
    chi = np.array(list(peptide.chi1().values()), np.int64).reshape(-1, 4)
    return {
        "torsions": np.concatenate([pairs, backbone.omega, chi]).tolist(),
        "planes": [[2 * i, 2 * i + 1] for i in range(len(backbone.phi))],
    }


def basin(phi: np.ndarray, psi: np.ndarray) -> np.ndarray:
    """Return the number of the basin in `BASINS`; φ and ψ in rad. β/PII is what φ < 0 has besides αR."""
    own = ramachandran_basins(phi, psi)
    return np.select([own["αR"], own["αL"], own["C7ax"]], [0, 2, 3], 1)


def rotamer(chi: np.ndarray) -> np.ndarray:
    """Return the number of the rotamer in `ROTAMERS`; χ1 in rad."""
    own = rotamers(chi)
    return np.select([own["g+"], own["t"]], [0, 1], 2)


def codes(angles: np.ndarray, residues: int) -> np.ndarray:
    """Return states `[…, residues + bonds + χ1]` of watched torsions `[…, torsions]` in rad, as uint8.

    Basins of all residues (borders as in `zoo.analysis.basins`), then 1 for each peptide bond in cis
    (within 90° of 0), then rotamers.
    """
    pairs, omega, chi = np.split(angles, [2 * residues, 3 * residues + 1], axis=-1)
    cis = np.abs(omega) < np.pi / 2
    columns = [basin(pairs[..., 0::2], pairs[..., 1::2]), cis, rotamer(chi)]
    return np.concatenate(columns, -1).astype(np.uint8)


def members(peptide: Peptide, code: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return for each named state who belongs to it, and among whom it is counted, `[…]` each.

    Args:
        peptide: whose names the states bear.
        code: `[…, columns]` of `codes`.

    Returns:
        Of each residue, as in `ALA 2`: its four basins and φ>0, and rotamers of χ1; of all: none or
        any at φ > 0, all in αR, all in β/PII; those are shares of the frames with every peptide bond
        in trans. `cis 1` is the first peptide bond, of ACE.
    """
    n = len(peptide.sequence)
    state, cis, chi = np.split(code, [n, 2 * n + 1], axis=-1)
    trans = np.all(cis == 0, -1)
    found: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    names = [f"{name} {r}" for r, name in enumerate(peptide.residue_names)]
    for i in range(n):
        own = names[i + 1]
        found |= {f"{own} {b}": (state[..., i] == k, trans) for k, b in enumerate(BASINS)}
        found[f"{own} φ>0"] = (state[..., i] >= BASINS.index("αL"), trans)
    for column, residue in enumerate(peptide.chi1()):
        found |= {f"{names[residue]} χ1 {b}": (chi[..., column] == k, trans) for k, b in enumerate(ROTAMERS)}
    found["any φ>0"] = (np.any(state >= BASINS.index("αL"), -1), trans)
    found |= {f"all {b}": (np.all(state == k, -1), trans) for k, b in enumerate(BASINS[:2])}
    everything = np.ones_like(trans)
    found |= {f"cis {i + 1}": (cis[..., i] == 1, everything) for i in range(n + 1)}
    return found


def populations(peptide: Peptide, energies: np.ndarray, code: np.ndarray, kT: np.ndarray) -> dict[str, Any]:
    """Return shares of all states at the lowest temperature; see `zoo.analysis.mbar.shares`.

    Args:
        peptide: the molecule.
        energies: `[exchanges, ensembles, levels]` in eV.
        code: `[exchanges, ensembles, levels, columns]`.
        kT: `[levels]` in eV.
    """
    return shares(energies, kT, members(peptide, code))
