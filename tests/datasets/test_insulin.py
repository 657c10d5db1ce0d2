"""Insulin: the packaged start and crystal, the sample, the generator in small."""

from __future__ import annotations

import csv
import shutil
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from zoo import keys
from zoo.analysis.averages import mean_and_error
from zoo.analysis.proteins import contacts, helical, radius_of_gyration, superposed_rmsd
from zoo.config import validated
from zoo.data.dataset import Dataset
from zoo.datasets.insulin.checks import BRIDGES, CORE, HELICES, SEQUENCE, insulin_checks
from zoo.datasets.insulin.entry import Insulin
from zoo.datasets.insulin.options import InsulinOptions
from zoo.datasets.insulin.prepare import CRYSTAL, START, equilibrate, package_file
from zoo.datasets.insulin.spec import SPEC
from zoo.datasets.protein.geometry import backbone_of
from zoo.datasets.protein.resolution import mapping, stored_system
from zoo.physics.torsions import torsions

pytest.importorskip("openmm")
pytest.importorskip("pdbfixer")

from zoo.datasets.protein.structure import disulfides, prepare, read_all_atom

ENTRY = Insulin(SPEC)


@pytest.fixture(scope="module")
def sample() -> Dataset:
    return Dataset(Path(str(files("zoo.datasets.insulin") / "sample")))


@pytest.fixture(scope="module")
def start():
    return read_all_atom(package_file(START))


@pytest.fixture(scope="module")
def published(shared_data):
    """Heavy atoms of the published crystal structure, and the table computed from it."""
    structure = prepare(shared_data / "insulin" / "4ins_AB_monomer.pdb")
    kept = mapping(structure.topology, "heavy").keep
    system = stored_system(structure.topology, np.ones(len(structure.positions)), "heavy", {})
    with (shared_data / "insulin" / "4ins_AB_table.csv").open() as file:
        table = list(csv.DictReader(file))
    return system, structure.positions[kept][None], table


# --- the crystal -----------------------------------------------------------------------------


def test_torsions_equal_the_published_table(published):
    system, positions, table = published
    backbone = backbone_of(system)
    for column, index, residues in (
        ("phi", backbone.phi, backbone.phi_residues),
        ("psi", backbone.psi, backbone.psi_residues),
    ):
        expected = np.array([float(table[r][column]) for r in residues])
        found = np.degrees(torsions(positions, index))[0]
        assert np.abs((found - expected + 180) % 360 - 180).max() < 0.5  # three decimals in the file


def test_facts_of_the_crystal(published):
    system, positions, _ = published
    backbone = backbone_of(system)
    assert system.num_particles == 403
    assert radius_of_gyration(positions)[0] == pytest.approx(10.3, abs=0.05)
    pairs = np.array([(i, j) for i in range(51) for j in range(i + 3, 51)])
    assert contacts(positions[:, backbone.alpha], 8.0, pairs).sum() == 127
    positive = np.degrees(torsions(positions, backbone.phi))[0] > 0
    assert backbone.phi_residues[positive].tolist() == [28, 40, 43]  # Gly B8, B20, B23
    inside, residues = helical(positions, backbone)
    for members in HELICES.values():
        assert inside[0, np.isin(residues, members)].all()
    names = list(zip(system.atom_names, system.residues.tolist(), strict=True))
    for a, b in BRIDGES.values():
        i, j = names.index(("SG", a)), names.index(("SG", b))
        assert np.linalg.norm(positions[0, i] - positions[0, j]) == pytest.approx(2.03, abs=0.1)


def test_packaged_crystal_is_the_published_one(published):
    system, positions, _ = published
    crystal = np.load(package_file(CRYSTAL)).astype(float)
    assert superposed_rmsd(crystal[None], positions[0, backbone_of(system).alpha])[0] < 2e-3


# --- the start -------------------------------------------------------------------------------


def test_packaged_start_is_insulin_at_rest_near_its_crystal(start):
    assert len(start.positions) == 782 and len(disulfides(start.topology)) == 3
    codes = [r.name for r in start.topology.residues()]
    assert len(codes) == len(SEQUENCE) + 1 and codes[-1] == "ALA"  # porcine: Ala at B30
    alpha = np.array([a.index for a in start.topology.atoms() if a.name == "CA"])
    crystal = np.load(package_file(CRYSTAL)).astype(float)
    found = start.positions[alpha][None]
    assert superposed_rmsd(found, crystal, HELICES["B9–B19"])[0] < 1.0
    assert superposed_rmsd(found, crystal, CORE)[0] < 2.5
    assert superposed_rmsd(found, crystal)[0] > 0.3  # it has moved: no copy of the crystal


def test_energy_of_the_start_by_two_engines(start):
    """OpenMM's Reference platform and the project's own torch energy share no code."""
    import openmm
    import torch

    from zoo.datasets.protein.forcefield import build_system
    from zoo.engines.openmm import evaluate, make_context
    from zoo.physics.energy import from_openmm

    system = build_system(start.topology, 3.0)
    context = make_context(system, openmm.VerletIntegrator(0.001), "Reference")
    energy, forces = evaluate(context, start.positions)
    x = torch.tensor(start.positions[None], requires_grad=True)
    other = from_openmm(system)(x)
    (gradient,) = torch.autograd.grad(other.sum(), x)
    assert other.item() == pytest.approx(energy, abs=1e-9)  # eV; rounding of float64
    assert np.abs(gradient[0].numpy() + forces).max() < 1e-9


def test_equilibration_is_reproducible():
    from importlib.resources import files as package

    chignolin = prepare(Path(str(package("zoo.datasets.protein") / "chignolin.pdb")))
    first, second, other = (equilibrate(chignolin, 4.0, seed) for seed in (1, 1, 2))
    assert np.array_equal(first.positions, second.positions)
    moved = np.linalg.norm(first.positions - other.positions, axis=1)
    assert 0.1 < np.median(moved) < 5


# --- the sample ------------------------------------------------------------------------------


def test_checks_of_the_sample_hold(sample):
    checks = insulin_checks(sample)
    assert not [c.name for c in checks if c.ok is False]
    assert sum(bool(c.ok) for c in checks) >= 8
    assert all(c.measured is not None for c in checks)


def test_checks_notice_another_fold_and_another_protein(sample, tmp_path):
    def failed(dataset):
        return {c.name for c in insulin_checks(dataset) if c.ok is False}

    copy = Dataset(Path(shutil.copytree(sample.path, tmp_path / "copy")))
    copy.arrays[keys.POSITIONS] = np.asarray(sample.array(keys.POSITIONS)) * np.float32(1.15)
    assert {"S–S bond A6–A11", "radius of gyration of heavy atoms"} <= failed(copy)
    rng = np.random.default_rng(0)
    shape = sample.array(keys.POSITIONS).shape
    noise = np.repeat(rng.normal(0, 1.6, (shape[0], 51, 3)), np.bincount(sample.system.residues), axis=1)
    copy.arrays[keys.POSITIONS] = np.asarray(sample.array(keys.POSITIONS)) + noise
    assert any("helix B9–B19" in name for name in failed(copy))
    protein = Dataset(Path(str(files("zoo.datasets.protein") / "sample")))
    assert failed(protein) == {"sequence"}


def test_short_version_has_the_statistics_of_the_sample(sample, tmp_path):
    """The sample's own command, one short run: energies, size and steps agree with it."""
    given = dict(w.split("=") for w in sample.manifest.provenance["command"].split() if "=" in w)
    options = validated(InsulinOptions, {**given, "runs": 1, "equilibration": 1, "interval": 0.04})
    short = Dataset(ENTRY.make(tmp_path / "short", frames=20, seed=7, options=options))
    assert short.system.to_json() == sample.system.to_json()
    run = np.asarray(sample.array(keys.RUN))
    for name in ("energies_all_atoms", "kinetic_energies"):
        values = np.asarray(sample.array(name))
        # under 1 ps the energy is but one independent value: within the spread of the sample
        assert abs(short.array(name).mean() - values.mean()) < 4 * values.std()
    size, _ = mean_and_error(radius_of_gyration(np.asarray(sample.array(keys.POSITIONS))), run)
    assert radius_of_gyration(np.asarray(short.array(keys.POSITIONS))).mean() == pytest.approx(size, abs=0.4)
    rms = [np.sqrt((np.asarray(d.array(keys.FORCES)) ** 2).mean((1, 2))) for d in (short, sample)]
    assert abs(rms[0].mean() - rms[1].mean()) < 4 * rms[1].std()  # 12 %


def test_another_structure_may_be_named(tmp_path):
    from zoo.errors import DataError

    with pytest.raises(DataError, match="no structure file at none.pdb"):
        ENTRY.make(tmp_path / "x", frames=9, seed=0, options=InsulinOptions(structure="none.pdb"))
    path, structure, relaxed = ENTRY.start(InsulinOptions(structure=str(package_file(START)), chains=["A"]))
    assert path == package_file(START) and not relaxed
    assert structure.topology.getNumResidues() == 21
