"""Torsions of peptides by bonds alone, against names that others gave the atoms."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from zoo.analysis.peptides import named_torsions, peptide, torsion_planes
from zoo.analysis.proteins import Backbone
from zoo.data.dataset import Dataset
from zoo.data.system import System
from zoo.datasets.alanine_dipeptide.molecule import ATOMS, BONDS, OMEGA, PHI, PSI

DATASETS = Path(str(files("zoo.datasets")))
#: Fourth atom of χ1 by residue (IUPAC-IUB 1970); alanine and glycine have none, proline's is in its ring.
GAMMA = {"ILE": "CG1", "VAL": "CG1", "THR": "OG1", "SER": "OG", "CYS": "SG"}
WITHOUT = {"ALA", "GLY", "PRO"}


def alanine(order: np.ndarray) -> System:
    """Alanine dipeptide with atoms in another order and no names."""
    back = np.argsort(order)
    types = np.array([z for _, _, z in ATOMS])[order]
    bonds = back[np.array(BONDS)]
    return System(types, np.ones(len(types)), {1: "H", 6: "C", 7: "N", 8: "O"}, bonds=bonds)


@pytest.mark.parametrize("seed", [0, 1])
def test_alanine_dipeptide_in_any_order_of_atoms(seed):
    order = np.random.default_rng(seed).permutation(len(ATOMS))
    back = np.argsort(order)
    expected = {"φ": PHI, "ψ": PSI, "ω 1": OMEGA[0], "ω 2": OMEGA[1]}
    assert named_torsions(alanine(order)) == {k: tuple(back[list(v)]) for k, v in expected.items()}


def test_insulin_without_hydrogens_against_its_pdb_names():
    """51 residues of 17 kinds in two chains, held together by disulphides."""
    system = Dataset(DATASETS / "insulin/sample").system
    found = peptide(system)
    named = Backbone.of(system.atom_names, system.residues, system.chains)
    assert [r.phi for r in found.residues if r.phi] == [tuple(q) for q in named.phi.tolist()]
    assert [r.psi for r in found.residues if r.psi] == [tuple(q) for q in named.psi.tolist()]
    assert found.omega == [tuple(q) for q in named.omega.tolist()]
    assert [r.name for r in found.residues[20:22]] == ["ASN 21", "PHE 22"]
    for residue in found.residues:
        kind = residue.name.split()[0]
        if residue.chi1 is None:
            assert kind in WITHOUT
        else:
            names = [system.atom_names[i] for i in residue.chi1]
            assert names == ["N", "CA", "CB", GAMMA.get(kind, "CG")]


@pytest.mark.parametrize(
    "folder", ["otp/sample", "dw4/sample", "protein/sample", "ring_polymer/sample-langevin-eq"]
)
def test_what_is_no_peptide_has_no_torsions(folder):
    assert named_torsions(Dataset(DATASETS / folder).system) == {}


def test_planes_are_pairs_of_one_residue():
    names = ["GLY 1 ψ", "ILE 2 φ", "ILE 2 ψ", "ω 1", "ILE 2 χ1"]
    assert torsion_planes(names) == {"ILE 2": (1, 2)}
    assert torsion_planes(["φ", "ψ"]) == {"": (0, 1)}
