"""A structure of a capped peptide with given backbone torsions: no file is needed."""

from __future__ import annotations

import io

import numpy as np

from zoo.datasets.peptide.sequence import Peptide
from zoo.physics.torsions import place
from zoo.units import ANGSTROM_PER_NM

#: Å and degrees: ff96's equilibrium values along the backbone.
N_CA, CA_C, C_N, C_O, CA_CB = 1.449, 1.522, 1.335, 1.229, 1.526
AT_N, AT_CA, AT_C, CA_C_O, N_CA_CB = 121.9, 110.1, 116.6, 120.4, 109.7
#: Cβ of an L amino acid stands so far from C, turned about N–Cα.
BETA = -122.0
#: φ of proline, which its ring holds.
PROLINE = -65.0

#: What the files of structures call an atom of a cap that the force field names otherwise.
_IN_CAPS = {
    **{(cap, f"HH3{i}"): f"H{i}" for cap in ("ACE", "NME") for i in (1, 2, 3)},
    ("NME", "CH3"): "C",
}

Place = tuple[int, str]


def build(peptide: Peptide, phi: float, psi: float) -> np.ndarray:
    """Return positions `[atoms, 3]` in Å with all φ and ψ (degrees) as given and peptide bonds in trans.

    The backbone is placed from ideal internal coordinates, side chains by PDBFixer from its templates,
    hydrogens by OpenMM's Modeller; nothing is relaxed. Proline has its own φ, and ψ of 150°.

    Raises:
        EntryError: OpenMM or PDBFixer is not installed.
    """
    from zoo.datasets.protein.forcefield import require_simulation

    require_simulation()
    return _completed(peptide, _backbone(peptide, phi, psi))


def relaxed(positions: np.ndarray, system: object, iterations: int = 300) -> np.ndarray:
    """Return positions in Å after some steps of minimisation, in the same basin."""
    import openmm

    from zoo.engines.openmm import make_context

    context = make_context(system, openmm.VerletIntegrator(0.001), "Reference")
    context.setPositions(positions / ANGSTROM_PER_NM)
    openmm.LocalEnergyMinimizer.minimize(context, maxIterations=iterations)
    state = context.getState(positions=True)
    return np.asarray(state.getPositions(asNumpy=True)._value) * ANGSTROM_PER_NM


def _backbone(peptide: Peptide, phi: float, psi: float) -> dict[Place, np.ndarray]:
    """Heavy atoms of the backbone and of the caps, and Cβ."""
    at: dict[Place, np.ndarray] = {}
    last = len(peptide.residue_names) - 1

    def add(name: Place, a: Place, b: Place, c: Place, bond: float, angle: float, torsion: float) -> None:
        at[name] = place(at[a], at[b], at[c], bond, np.radians(angle), np.radians(torsion))

    at[0, "CH3"] = np.zeros(3)
    at[0, "C"] = np.array([CA_C, 0, 0])
    bend = np.radians(AT_C)
    at[1, "N"] = at[0, "C"] + C_N * np.array([-np.cos(bend), np.sin(bend), 0])
    before: Place = (0, "CH3")
    for r in range(1, last + 1):
        n, carbon, c = (r, "N"), (r - 1, "C"), (r, "C")
        alpha: Place = (r, "CA" if r < last else "CH3")
        add(alpha, before, carbon, n, N_CA, AT_N, 180.0)
        add((r - 1, "O"), alpha, n, carbon, C_O, 360 - AT_C - CA_C_O, 0.0)
        if r == last:
            break
        turn, next_turn = (PROLINE, 150.0) if peptide.residue_names[r] == "PRO" else (phi, psi)
        add(c, carbon, n, alpha, CA_C, AT_CA, turn)
        if peptide.residue_names[r] != "GLY":
            add((r, "CB"), carbon, n, alpha, CA_CB, N_CA_CB, turn + BETA)
        add((r + 1, "N"), n, alpha, c, C_N, AT_C, next_turn)
        before = alpha
    return at


def _completed(peptide: Peptide, heavy: dict[Place, np.ndarray]) -> np.ndarray:
    """Side chains and hydrogens, in the peptide's order of atoms."""
    from openmm import app, unit
    from pdbfixer import PDBFixer

    from zoo.datasets.protein.structure import reference_platform, seeded

    lines = [
        f"ATOM  {i:5d}  {name:<3s} {peptide.residue_names[r].replace('HIE', 'HIS')} A{r + 1:4d}    "
        f"{x:8.3f}{y:8.3f}{z:8.3f}  1.00  0.00           {name[0]}"
        for i, ((r, name), (x, y, z)) in enumerate(sorted(heavy.items()), 1)
    ]
    with seeded():
        fixer = PDBFixer(
            pdbfile=io.StringIO("\n".join([*lines, "TER", "END", ""])), platform=reference_platform()
        )
        fixer.missingResidues = {}
        fixer.findMissingAtoms()
        fixer.missingTerminals = {}
        fixer.addMissingAtoms(seed=1)
        modeller = app.Modeller(fixer.topology, fixer.positions)
        variants = ["HIE" if name == "HIE" else None for name in peptide.residue_names]
        modeller.addHydrogens(None, pH=7.0, variants=variants, platform=reference_platform())
    placed = modeller.positions.value_in_unit(unit.angstrom)
    at = {(atom.residue.index, atom.name): placed[atom.index] for atom in modeller.topology.atoms()}
    return np.array(
        [at[r, _IN_CAPS.get((peptide.residue_names[r], name), name)] for r, name, _ in peptide.atoms]
    )
