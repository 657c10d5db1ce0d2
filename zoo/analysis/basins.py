"""Basins of conformations, as boolean arrays by name: of peptides by their torsions, of DW4 by its pairs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zoo.analysis.peptides import torsion_planes

Members = dict[str, np.ndarray]


def ramachandran_basins(phi: np.ndarray, psi: np.ndarray) -> Members:
    """Return `[frames]` membership of each basin; φ and ψ in radians.

    φ < 0: "αR" where ψ is in (−120°, 50°), else "C7eq" where φ > −100° and ψ is in (50°, 110°),
    else "C5/PII", the extended region. φ > 0: "αL" where ψ is in (0°, 120°), else "C7ax".
    """
    phi, psi = np.degrees(phi), np.degrees(psi)
    left = phi < 0
    helix = left & (psi > -120) & (psi < 50)
    ring = left & (phi > -100) & (psi >= 50) & (psi < 110)
    helix_left = ~left & (psi > 0) & (psi < 120)
    return {
        "αR": helix,
        "C7eq": ring,
        "C5/PII": left & ~helix & ~ring,
        "αL": helix_left,
        "C7ax": ~left & ~helix_left,
        "φ>0": ~left,
    }


def rotamers(chi: np.ndarray) -> Members:
    """Return membership of g+ (0° to 120°), t (beyond ±120°) and g− (−120° to 0°); χ in radians."""
    t = np.abs(chi) > 2 * np.pi / 3
    return {"g+": (chi > 0) & ~t, "t": t, "g−": (chi <= 0) & ~t}


def molecular_basins(names: Sequence[str], torsions: np.ndarray) -> Members:
    """Return membership `[frames]` of each basin of a peptide, by name.

    With one residue the names are those of `ramachandran_basins`. With more, or with side chains, a
    residue has `ALA 2 αR`, `β/PII` (C7eq and C5/PII), `αL`, `C7ax` and `φ>0`, χ1 has `VAL 1 χ1 g+`,
    `t`, `g−`, and the whole chain has `any φ>0`, `all αR` and `all β/PII`. `cis 1` is the first
    peptide bond within 90° of 0. Shares of all but cis are meant among frames where `trans` holds.

    Args:
        names: as `zoo.analysis.peptides.named_torsions` gives them.
        torsions: `[frames, torsions]` in radians.

    Returns:
        Empty for a molecule without such torsions.
    """
    out: Members = {}
    planes = torsion_planes(names)
    chains: list[Members] = []
    for residue, (i, j) in planes.items():
        own = ramachandran_basins(torsions[:, i], torsions[:, j])
        if not residue:
            out |= own
            continue
        broad = {"αR": own["αR"], "β/PII": own["C7eq"] | own["C5/PII"]}
        own = broad | {name: own[name] for name in ("αL", "C7ax", "φ>0")}
        chains.append(own)
        out |= {f"{residue} {name}": member for name, member in own.items()}
    for column, name in enumerate(names):
        if name.endswith(" χ1"):
            out |= {f"{name} {state}": m for state, m in rotamers(torsions[:, column]).items()}
    if len(chains) > 1:
        out["any φ>0"] = np.any([own["φ>0"] for own in chains], axis=0)
        out |= {f"all {name}": np.all([own[name] for own in chains], axis=0) for name in ("αR", "β/PII")}
    for column, name in enumerate(names):
        if name.startswith("ω "):
            out[f"cis {name[2:]}"] = np.abs(torsions[:, column]) < np.pi / 2
    return out


def is_cis(name: str) -> bool:
    """Whether a basin is the cis state of a peptide bond, which is counted among all frames."""
    return name.startswith("cis ")


def trans(names: Sequence[str], torsions: np.ndarray) -> np.ndarray:
    """Return `[frames]` whether all peptide bonds are in trans; torsions as in `molecular_basins`."""
    columns = [i for i, name in enumerate(names) if name.startswith("ω ")]
    return (np.abs(torsions[:, columns]) >= np.pi / 2).all(1)


def joint_states(names: Sequence[str], torsions: np.ndarray) -> np.ndarray:
    """Return `[frames]` a number for the state of all residues and rotamers together.

    Two frames have the same number where all of αR, β/PII, αL, C7ax and χ1's rotamers agree.
    """
    code = np.zeros(len(torsions), np.int64)
    for i, j in torsion_planes(names).values():
        own = ramachandran_basins(torsions[:, i], torsions[:, j])
        code = 4 * code + np.select([own["αR"], own["αL"], own["C7ax"]], [1, 2, 3], 0)
    for column, name in enumerate(names):
        if name.endswith(" χ1"):
            code = 3 * code + np.argmax(list(rotamers(torsions[:, column]).values()), axis=0)
    return code


def pair_basins(positions: np.ndarray, barrier: float = 4.0) -> Members:
    """Return how many pairs are in the inner well, r < `barrier`: `0 inner`, `1 inner`, … as they occur.

    Args:
        positions: `[frames, particles, 2 or 3]` of DW4, in the unit of `barrier`, the top between its
            two wells.
    """
    i, j = np.triu_indices(positions.shape[1], 1)
    x = np.asarray(positions, np.float64)
    inner = (np.linalg.norm(x[:, i] - x[:, j], axis=-1) < barrier).sum(1)
    return {f"{k} inner": inner == k for k in range(len(i) + 1)}
