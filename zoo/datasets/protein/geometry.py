"""Geometry of a dataset against the chemistry of proteins; what a resolution lacks is not compared."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from zoo.analysis.proteins import Backbone, chirality
from zoo.data.dataset import Dataset
from zoo.data.entry import Check
from zoo.data.system import System
from zoo.physics.torsions import torsions

#: Å. Mean bond lengths of proteins in crystals: Engh, Huber, Acta Cryst. A 47, 392 (1991).
CRYSTAL_BONDS = {("CA", "N"): 1.458, ("C", "CA"): 1.525, ("C", "N"): 1.329, ("C", "O"): 1.231}
#: Å. Cα to Cα over a trans peptide bond.
ALPHA_STEP = 3.80
#: Å. Disulfide bonds in crystals: 2.03 ± 0.02.
DISULFIDE = 2.03
#: Å. No two particles further apart than three bonds come nearer, by resolution.
NEAREST = {"all": 1.4, "heavy": 2.2, "backbone": 2.2, "ca": 3.0}


def backbone_of(system: System) -> Backbone:
    """Find the backbone in a dataset's system."""
    return Backbone.of(system.atom_names, system.residues, system.chains)


def bond_lengths(dataset: Dataset, positions: np.ndarray) -> Iterator[Check]:
    """Backbone bonds, Cα steps and disulfides."""
    system = dataset.system
    i, j = system.bonds.T
    length = np.linalg.norm(positions[:, i] - positions[:, j], axis=-1)
    names = [tuple(sorted((system.atom_names[a], system.atom_names[b]))) for a, b in system.bonds]
    source = "Engh, Huber 1991; the force field's own lengths and 300 K move them by some 0.02 Å"
    check = Check(
        "mean length of backbone bonds, largest deviation from crystals", "< 0.03", source, None, "Å"
    )
    off = {
        pair: abs(float(length[:, [n == pair for n in names]].mean()) - expected)
        for pair, expected in CRYSTAL_BONDS.items()
        if pair in names
    }
    if off:
        worst = max(off, key=lambda pair: off[pair])
        yield replace(check, measured=off[worst], ok=off[worst] < 0.03, note="–".join(worst))
    else:
        yield replace(check, note="no bonds of the backbone are stored")
    alpha = backbone_of(system).alpha
    next_door = (np.diff(system.residues[alpha]) == 1) & (np.diff(system.chains[alpha]) == 0)
    step = np.linalg.norm(positions[:, alpha[1:]] - positions[:, alpha[:-1]], axis=-1)[:, next_door]
    near = step.size > 0 and abs(float(step.mean()) - ALPHA_STEP) < 0.1
    yield Check(
        "mean distance of consecutive Cα",
        f"{ALPHA_STEP} ± 0.1",
        "trans peptide bond in crystals; a force field's angles move it by some 0.05 Å",
        float(step.mean()) if step.size else None,
        "Å",
        ok=near if step.size else None,
    )
    bridges = [n == ("SG", "SG") for n in names]
    if system.parameters.get("disulfides"):
        bridge = Check("mean length of disulfide bonds", f"{DISULFIDE} ± 0.05", "crystals", None, "Å")
        if any(bridges):
            means = length[:, bridges].mean(0)
            ok = bool((np.abs(means - DISULFIDE) < 0.05).all())
            listed = ", ".join(f"{m:.3f}" for m in means)
            yield replace(bridge, measured=float(means.mean()), ok=ok, note=f"each: {listed}")
        else:
            yield replace(bridge, note="sulfur atoms are not stored")


def chemistry(dataset: Dataset, positions: np.ndarray) -> Iterator[Check]:
    """Chirality, peptide bonds, φ, overlaps."""
    system, backbone = dataset.system, backbone_of(dataset.system)
    name = {int(r): n for r, n in zip(system.residues, system.residue_names, strict=True)}
    check = Check("share of L chirality at Cα", "1", "proteins are made of L amino acids", None)
    if len(backbone.chiral):
        share = float((chirality(positions, backbone.chiral) > 0).mean())
        yield replace(check, measured=share, ok=share == 1.0)
    else:
        yield replace(check, note="N, C and Cβ are not stored")
    check = Check(
        "share of cis peptide bonds, not before proline",
        "< 0.001",
        "0.03 % in crystals (Weiss, Jabs, Hilgenfeld 1998)",
        None,
    )
    usual = np.array([name[int(r)] != "PRO" for r in backbone.omega_residues], bool)
    if usual.any():
        cis = np.abs(torsions(positions, backbone.omega[usual])) < np.pi / 2
        yield replace(check, measured=float(cis.mean()), ok=float(cis.mean()) < 0.001)
    else:
        yield replace(check, note="the backbone is not stored")
    check = Check(
        "share of φ > 0, glycine left out", "< 0.05", "Ramachandran plot: some 3 % in crystals", None
    )
    usual = np.array([name[int(r)] != "GLY" for r in backbone.phi_residues], bool)
    if usual.any():
        phi = np.degrees(torsions(positions, backbone.phi[usual]))
        positive = (phi > 0) & (phi < 150)  # beyond 150° it is the extended region again
        yield replace(check, measured=float(positive.mean()), ok=float(positive.mean()) < 0.05)
    else:
        yield replace(check, note="the backbone is not stored")
    yield overlaps(dataset, positions)


def overlaps(dataset: Dataset, positions: np.ndarray, frames: int = 50) -> Check:
    """The nearest two particles that no three bonds connect, in some of the frames."""
    system = dataset.system
    bonded = np.eye(system.num_particles, dtype=np.float32)
    bonded[system.bonds[:, 0], system.bonds[:, 1]] = bonded[system.bonds[:, 1], system.bonds[:, 0]] = 1
    i, j = np.nonzero(np.triu(bonded @ bonded @ bonded == 0))
    some = positions[np.unique(np.linspace(0, len(positions) - 1, frames).astype(int))]
    limit = NEAREST.get(system.parameters.get("resolution", "all"), 1.4)
    source = "van der Waals radii; hydrogen bonds begin near 1.6 Å (H···O) and 2.5 Å (N···O)"
    check = Check("nearest two particles four or more bonds apart", f"> {limit}", source, None, "Å")
    if not len(i):
        return replace(check, note="there are none")
    nearest = min(float(((x[i] - x[j]) ** 2).sum(-1).min()) ** 0.5 for x in some)
    return replace(check, measured=nearest, ok=nearest > limit, note=f"{len(some)} frames")
