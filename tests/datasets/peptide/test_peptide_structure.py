"""Structures of peptides from their sequence: bonds, chirality, torsions, and the force field."""

from __future__ import annotations

import numpy as np
import pytest

from zoo.analysis.proteins import chirality
from zoo.datasets.alanine_dipeptide import molecule as dipeptide
from zoo.datasets.alanine_dipeptide.forcefield import FORCE_FIELDS, amber_system, build_system
from zoo.datasets.peptide.basins import BASINS, ROTAMERS, basin, codes, members, rotamer, watched
from zoo.datasets.peptide.exchange import pivots
from zoo.datasets.peptide.sequence import LETTERS, Peptide, peptide
from zoo.datasets.peptide.structure import build, relaxed
from zoo.engines.openmm import evaluate, make_context
from zoo.errors import ConfigError
from zoo.physics.torsions import torsions

openmm = pytest.importorskip("openmm")
pytest.importorskip("pdbfixer")

FIELD = FORCE_FIELDS[None]


@pytest.fixture(scope="module")
def force_field():
    return FIELD.openmm()


def system_of(molecule, force_field):
    return amber_system(molecule.topology(), FIELD, force_field, 4.0)


def test_alanine_dipeptide_is_that_of_its_own_entry(force_field):
    """Atoms, bonds and every parameter of the force field; so energies, too."""
    molecule = peptide("A", force_field)
    assert tuple((molecule.residue_names[r], n, z) for r, n, z in molecule.atoms) == dipeptide.ATOMS
    assert [tuple(pair) for pair in molecule.bonds] == list(dipeptide.BONDS)
    own = system_of(molecule, force_field)
    assert openmm.XmlSerializer.serialize(own) == openmm.XmlSerializer.serialize(build_system(4.0))
    x = dipeptide.build(-80.0, 80.0)
    energies = [
        evaluate(make_context(system, openmm.VerletIntegrator(0.001), "Reference"), x)[0]
        for system in (own, build_system(4.0))
    ]
    assert energies[0] == energies[1]


def test_all_twenty_residues(force_field):
    """One chain of all of them: bond lengths of the force field, L at each Cα, no overlaps."""
    molecule = peptide("".join(sorted(LETTERS)), force_field)
    x = relaxed(build(molecule, -120.0, 150.0), system_of(molecule, force_field), iterations=60)
    system = system_of(molecule, force_field)
    bonds = next(f for f in system.getForces() if isinstance(f, openmm.HarmonicBondForce))
    rows = [bonds.getBondParameters(i) for i in range(bonds.getNumBonds())]
    assert {tuple(sorted(r[:2])) for r in rows} == {tuple(sorted(pair)) for pair in molecule.bonds.tolist()}
    for i, j, length, _ in rows:
        assert np.linalg.norm(x[i] - x[j]) == pytest.approx(10 * length._value, abs=0.12), (i, j)
    backbone = molecule.backbone()
    assert len(backbone.chiral) == 19  # all but glycine
    assert (chirality(x[None], backbone.chiral) > 0.4).all()
    assert (np.abs(torsions(x, backbone.omega)) > np.radians(150)).all() and len(backbone.omega) == 21
    assert len(backbone.phi) == len(backbone.psi) == 20
    distance = np.linalg.norm(x[:, None] - x, axis=-1) + 10 * np.eye(len(x))
    assert distance.min() > 0.9  # no two atoms nearer than a bond to hydrogen
    # Cβ of threonine (R) and of isoleucine (S) are stereocentres as well; substituents by rank
    for name, order, sign in (("THR", ("OG1", "CA", "CG2"), 1), ("ILE", ("CA", "CG1", "CG2"), -1)):
        r = molecule.residue_names.index(name)
        a, b, c = (x[molecule.index[r, n]] - x[molecule.index[r, "CB"]] for n in order)
        to_hydrogen = x[molecule.index[r, "HB"]] - x[molecule.index[r, "CB"]]
        turn = np.dot(np.cross(b - a, c - a), -to_hydrogen)  # seen from opposite the hydrogen
        assert np.sign(turn) == -sign, name


@pytest.mark.parametrize("angles", [(-120.0, 150.0), (60.0, -60.0)])
def test_backbone_is_built_as_asked_for(angles, force_field):
    molecule = peptide("VPG", force_field)
    x, backbone = build(molecule, *angles), molecule.backbone()
    phi, psi = (np.degrees(torsions(x, quads)) for quads in (backbone.phi, backbone.psi))
    # places are rounded to 0.001 Å on the way through PDBFixer
    np.testing.assert_allclose(phi, [angles[0], -65, angles[0]], atol=0.2)  # proline's ring holds its φ
    np.testing.assert_allclose(psi, [angles[1], 150, angles[1]], atol=0.2)
    assert (np.abs(torsions(x, backbone.omega)) > np.radians(179)).all()
    y = relaxed(x, system_of(molecule, force_field))
    assert (np.sign(torsions(y, backbone.phi)) == np.sign(phi)).all()


def test_same_structure_again(force_field):
    molecule = peptide("SW", force_field)
    assert np.array_equal(build(molecule, -120, 150), build(molecule, -120, 150))


@pytest.mark.parametrize("sequence, match", [("AXB", "B, X is no amino acid"), ("A" * 21, "21 residues")])
def test_wrong_sequences(sequence, match, force_field):
    with pytest.raises(ConfigError, match=match):
        peptide(sequence, force_field)


def test_bonds_that_are_turned_about(force_field):
    molecule = peptide("PVC", force_field)
    chosen = pivots(molecule)
    named = {
        tuple(f"{molecule.residue_names[molecule.atoms[i][0]]} {molecule.atoms[i][1]}" for i in axis): half
        for axis, half in zip(chosen["axes"], chosen["half_turns"], strict=True)
    }
    omega = {("ACE C", "PRO N"), ("PRO C", "VAL N"), ("VAL C", "CYS N"), ("CYS C", "NME N")}
    others = {
        ("PRO CA", "PRO C"), ("VAL N", "VAL CA"), ("VAL CA", "VAL C"), ("VAL CA", "VAL CB"),
        ("CYS N", "CYS CA"), ("CYS CA", "CYS C"), ("CYS CA", "CYS CB"),
    }  # fmt: skip
    assert {pair for pair, half in named.items() if half} == omega
    assert {pair for pair, half in named.items() if not half} == others  # none of proline's ring, no methyls


def test_what_is_watched(force_field):
    molecule = peptide("GVP", force_field)
    quads = watched(molecule)
    assert len(quads["torsions"]) == 6 + 4 + 1 and quads["planes"] == [[0, 1], [2, 3], [4, 5]]
    x = build(molecule, 60.0, 40.0)
    angles = torsions(x, np.array(quads["torsions"]))
    state = codes(angles, 3)
    assert [BASINS[i] for i in state[:3]] == ["αL", "αL", "β/PII"]
    assert state[3:7].tolist() == [0, 0, 0, 0]
    angles[7] = 0.3
    member = members(molecule, codes(angles, 3)[None])
    assert member["cis 2"][0].all() and member["cis 2"][1].all()
    assert member["GLY 1 αL"][0].all() and not member["GLY 1 αL"][1].any()  # not counted: cis
    assert not {name for name in member if name.startswith(("GLY 1 χ1", "PRO 3 χ1"))}
    assert sum(member[f"VAL 2 χ1 {name}"][0].all() for name in ROTAMERS) == 1


def test_basins_and_rotamers_have_the_borders_of_alanine_dipeptide():
    from zoo.datasets.alanine_dipeptide.basins import basins

    phi, psi = np.random.default_rng(0).uniform(-np.pi, np.pi, (2, 1000))
    ours, theirs = basin(phi, psi), basins(phi, psi)
    for i, name in enumerate(BASINS):
        expected = theirs["C7eq"] | theirs["C5/PII"] if name == "β/PII" else theirs[name]
        assert ((ours == i) == expected).all(), name
    assert [ROTAMERS[i] for i in rotamer(np.radians([60, 180, -60, -170]))] == ["g+", "t", "g−", "t"]


def test_a_peptide_is_read_back_from_its_system(force_field):
    from zoo.data.system import System
    from zoo.datasets.peptide.build import stored_system

    molecule = peptide("MH", force_field)
    system = stored_system(molecule, system_of(molecule, force_field), FIELD)
    again = Peptide.of(System.from_json(system.to_json()))
    assert again.atoms == molecule.atoms and again.residue_names == molecule.residue_names
    assert again.chi1() == molecule.chi1() and np.array_equal(again.bonds, molecule.bonds)
