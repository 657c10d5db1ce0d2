"""Proteins simulated: mapped forces, thermometers, splits, the packaged sample made again in small."""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from zoo import keys
from zoo.analysis.averages import mean_and_error
from zoo.config import validated
from zoo.data.dataset import Dataset
from zoo.datasets.protein.checks import all_checks
from zoo.datasets.protein.entry import Protein
from zoo.datasets.protein.options import ProteinOptions
from zoo.datasets.protein.resolution import mapping, stored_system
from zoo.datasets.protein.spec import SPEC
from zoo.errors import ConfigError, DataError, EntryError
from zoo.units import BOLTZMANN_EV, EV_PER_KJ_MOL

openmm = pytest.importorskip("openmm")
pytest.importorskip("pdbfixer")

from zoo.datasets.protein.forcefield import build_system, topology_of  # noqa: E402
from zoo.engines.openmm import KINETIC, OpenMMJob, OpenMMRun  # noqa: E402

ENTRY = Protein(SPEC)
QUICK = {"runs": 1, "workers": 1, "interval": 0.02, "equilibration": 0.2}


@pytest.fixture(scope="module")
def sample() -> Dataset:
    return Dataset(Path(str(files("zoo.datasets.protein") / "sample")))


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> dict[str, Dataset]:
    """The same short run at each resolution."""
    folder = tmp_path_factory.mktemp("made")
    out = {}
    for resolution in ("all", "heavy", "backbone", "ca"):
        options = validated(ProteinOptions, QUICK | {"resolution": resolution})
        out[resolution] = Dataset(ENTRY.make(folder / resolution, frames=9, seed=3, options=options))
    return out


# --- resolutions -----------------------------------------------------------------------------


def test_each_resolution_stores_its_atoms(made):
    names = {r: d.system.atom_names for r, d in made.items()}
    assert [len(names[r]) for r in ("all", "heavy", "backbone", "ca")] == [166, 93, 40, 10]
    assert not any(n.startswith("H") for n in names["heavy"])
    assert set(names["backbone"]) == {"N", "CA", "C", "O"} and set(names["ca"]) == {"CA"}
    whole = made["all"].system
    for resolution, dataset in made.items():
        system = dataset.system
        assert system.masses.sum() == pytest.approx(whole.masses.sum())
        kept = mapping(topology_of(whole), resolution).keep
        assert np.array_equal(dataset.array(keys.POSITIONS), made["all"].array(keys.POSITIONS)[:, kept])
    assert made["ca"].system.type_names[made["ca"].system.types[8]] == "TRP"
    assert made["ca"].system.bonds.tolist() == [[i, i + 1] for i in range(9)]


@pytest.mark.parametrize("resolution", ["heavy", "backbone", "ca"])
def test_forces_are_sums_over_groups(made, resolution):
    forces = np.asarray(made["all"].array(keys.FORCES), np.float64)
    whole = made["all"].system
    residue, heavy = whole.residues, whole.types != 1
    coarse = made[resolution]
    found = np.asarray(coarse.array(keys.FORCES), np.float64)
    # whatever the groups inside, each residue's force is that of its atoms
    for r in range(10):
        total = forces[:, residue == r].sum(1)
        assert np.abs(found[:, coarse.system.residues == r].sum(1) - total).max() < 1e-4
    if resolution == "heavy":
        own = forces[:, heavy].copy()
        index = {int(a): i for i, a in enumerate(np.flatnonzero(heavy))}
        for i, j in whole.bonds.tolist():
            if heavy[i] != heavy[j]:
                parent, hydrogen = (i, j) if heavy[i] else (j, i)
                own[:, index[parent]] += forces[:, hydrogen]
        assert np.abs(found - own).max() < 1e-4


def test_energies_of_all_atoms_are_no_energies_of_coarse_particles(made):
    energies = made["all"].array(keys.ENERGIES)
    for resolution in ("heavy", "backbone", "ca"):
        assert keys.ENERGIES not in made[resolution].arrays
        assert np.array_equal(made[resolution].array("energies_all_atoms"), energies)
        assert np.array_equal(made[resolution].array(KINETIC), made["all"].array(KINETIC))


def test_groups_keep_rigid_bonds_whole(made):
    topology = topology_of(made["all"].system)
    system = build_system(topology, 3.0)
    rigid = [system.getConstraintParameters(i)[:2] for i in range(system.getNumConstraints())]
    assert len(rigid) == 73  # one for each hydrogen
    for resolution in ("heavy", "backbone", "ca"):
        group = mapping(topology, resolution).group
        assert all(group[i] == group[j] for i, j in rigid)
        kept = mapping(topology, resolution).keep
        assert np.array_equal(group[kept], np.arange(len(kept)))


def test_only_sums_over_rigid_bonds_are_mean_forces():
    """C–N–H with N–H rigid: along C–N, −⟨F·r⟩ = 3 kT holds for the sum, not for N's force alone."""
    from openmm import app

    topology = app.Topology()
    residue = topology.addResidue("ALA", topology.addChain())
    c, n, h = (topology.addAtom(s, app.Element.getBySymbol(s), residue) for s in "CNH")
    topology.addBond(c, n)
    topology.addBond(n, h)
    system = openmm.System()
    for mass in (12.0, 14.0, 3.0):
        system.addParticle(mass)
    system.addConstraint(1, 2, 0.1)
    bond, angle = openmm.HarmonicBondForce(), openmm.HarmonicAngleForce()
    bond.addBond(0, 1, 0.15, 5e3)
    angle.addAngle(0, 1, 2, 2.0, 50.0)
    system.addForce(bond)
    system.addForce(angle)
    chosen = mapping(topology, "heavy")
    assert chosen.keep.tolist() == [0, 1] and chosen.group.tolist() == [0, 1, 1]

    def virial(group):
        job = OpenMMJob(
            system_xml=openmm.XmlSerializer.serialize(system),
            starts=[[[0, 0, 0], [0.15, 0, 0], [0.19, 0.09, 0]]],
            temperature=300, friction=5, timestep=0.002, steps_per_frame=50, equilibration_steps=2000,
            platform="Reference", seed=4, frames_per_piece=4000, minimize=False, keep=[0, 1], group=group,
        )  # fmt: skip
        made = OpenMMRun(vars(job)).advance(0, 0, 4000, None, lambda: None)
        apart = made[keys.POSITIONS][:, 1].astype(float) - made[keys.POSITIONS][:, 0]
        work = -(made[keys.FORCES][:, 1].astype(float) * apart).sum(1)
        return mean_and_error(work / (3 * BOLTZMANN_EV), np.zeros(4000, int), blocks=20)

    summed, error = virial(chosen.group.tolist())
    assert abs(summed - 300) < 4 * error and error < 30
    alone, error = virial([0, 1, -1])
    assert alone - 300 > 8 * error  # what hydrogens carry is missing


def test_beads_are_no_elements(made, tmp_path):
    from zoo.data.catalog import open_dataset
    from zoo.data.export.extxyz import _atoms

    system = made["ca"].system
    assert not system.elements.any()
    assert np.array_equal(made["heavy"].system.elements, made["heavy"].system.types)
    atoms = _atoms(open_dataset(made["ca"].path), 0)
    assert set(atoms.get_chemical_symbols()) == {"X"}
    assert np.array_equal(atoms.get_array("type"), system.types)


# --- the force field -------------------------------------------------------------------------


def test_bonded_terms_and_charges_are_those_of_amber(made):
    """Against numbers of the AMBER parameter files (parm99, frcmod.ff99SB), not against OpenMM's own."""
    topology = topology_of(made["all"].system)
    system = build_system(topology, 3.0)
    atoms = list(topology.atoms())
    forces = {f.getName(): f for f in system.getForces()}
    bonds = forces["HarmonicBondForce"]
    lengths = {}
    for i in range(bonds.getNumBonds()):
        a, b, length, k = bonds.getBondParameters(i)
        if atoms[a].residue.index == 1:  # neither end: those have types of their own
            lengths[frozenset((atoms[a].name, atoms[b].name))] = (length._value * 10, k._value / 2 / 418.4)
    assert lengths[frozenset(("C", "O"))] == pytest.approx((1.229, 570.0))  # Å, kcal/mol/Å²
    assert lengths[frozenset(("N", "CA"))] == pytest.approx((1.449, 337.0))
    assert forces["GBSAOBCForce"].getSolventDielectric() == 78.3
    charge = sum(forces["NonbondedForce"].getParticleParameters(i)[0]._value for i in range(len(atoms)))
    assert charge == pytest.approx(-2, abs=1e-6)  # Asp and Glu, both ends charged
    masses = np.array([system.getParticleMass(i)._value for i in range(len(atoms))])
    assert set(masses[made["all"].system.types == 1]) == {3.0}
    assert system.getNumConstraints() == 73


def test_stored_names_rebuild_the_energy(made):
    checks = {c.name: c for c in all_checks(made["all"])}
    assert checks["energies recomputed, largest difference"].ok
    assert checks["forces recomputed, largest difference"].ok
    # and it is a comparison: another conformation's energy would not pass
    spread = float(np.ptp(made["all"].array(keys.ENERGIES)))
    assert spread > 1000 * 1e-6 * EV_PER_KJ_MOL


# --- checks ----------------------------------------------------------------------------------


def test_checks_of_the_sample_hold(sample):
    checks = all_checks(sample)
    assert not [c.name for c in checks if c.ok is False]
    held = {c.name for c in checks if c.ok}
    assert {
        "temperature of the velocities",
        "temperature of the bonds, from their spread and the forces",
        "mean distance of consecutive Cα",
        "Cα RMSD from the structure of the file",
    } <= held


def damaged(sample: Dataset, folder: Path, **arrays: np.ndarray) -> Dataset:
    copy = Dataset(Path(shutil.copytree(sample.path, folder / "copy")))
    copy.arrays.update(arrays)
    return copy


def test_checks_notice_what_is_wrong(sample, tmp_path):
    def failed(dataset):
        return {c.name for c in all_checks(dataset) if c.ok is False}

    positions = np.asarray(sample.array(keys.POSITIONS))
    forces = np.asarray(sample.array(keys.FORCES))
    kinetic = np.asarray(sample.array(KINETIC))
    wide = damaged(sample, tmp_path / "wide", positions=positions * 1.05)
    assert "mean distance of consecutive Cα" in failed(wide)
    strong = damaged(sample, tmp_path / "strong", forces=forces * 1.5)
    assert "temperature of the bonds, from their spread and the forces" in failed(strong)
    hot = damaged(sample, tmp_path / "hot", kinetic_energies=kinetic * 1.05)
    assert "temperature of the velocities" in failed(hot)
    rng = np.random.default_rng(0)
    shaken = positions + rng.normal(0, 3, positions.shape).astype(np.float32)
    assert "Cα RMSD from the structure of the file" in failed(
        damaged(sample, tmp_path / "s", positions=shaken)
    )
    drift = np.asarray(sample.array("energies_all_atoms")) + 0.5 * np.asarray(sample.array(keys.TIME)) / 100
    drifting = damaged(sample, tmp_path / "drift", energies_all_atoms=drift)
    assert any(name.startswith("energy of all atoms") for name in failed(drifting))


def test_mirror_image_and_cis_are_noticed(made, tmp_path):
    positions = np.asarray(made["heavy"].array(keys.POSITIONS)) * np.float32([1, 1, -1])
    mirror = damaged(made["heavy"], tmp_path, positions=positions)
    failed = {c.name for c in all_checks(mirror) if c.ok is False}
    assert {"share of L chirality at Cα", "share of φ > 0, glycine left out"} <= failed


def test_checks_do_without_arrays(sample, tmp_path):
    bare = damaged(sample, tmp_path)
    for name in list(bare.arrays):
        if name != keys.POSITIONS:
            del bare.arrays[name]
    assert all(c.ok is not False for c in all_checks(bare))


# --- making it -------------------------------------------------------------------------------


def test_short_version_has_the_statistics_of_the_sample(sample, tmp_path):
    """The sample's own command, shorter: energies and steps agree with it."""
    words = sample.manifest.provenance["command"].split()
    assert words[:4] == ["zoo", "data", "make", "protein"]
    given = dict(w.split("=") for w in words if "=" in w)
    options = validated(ProteinOptions, {**given, "runs": 2, "equilibration": 10, "interval": 0.4})
    short = Dataset(ENTRY.make(tmp_path / "short", frames=60, seed=5, options=options))
    assert short.system.to_json() | {"parameters": 0} == sample.system.to_json() | {"parameters": 0}
    for name in ("energies_all_atoms", KINETIC):
        mean, _ = mean_and_error(np.asarray(sample.array(name)), np.asarray(sample.array(keys.RUN)))
        values = np.asarray(short.array(name))
        # 12 ps in each of two runs: some 5 independent values each of the slow part of the energy
        assert abs(values.mean() - mean) < 4 * values.std() / np.sqrt(10)

    def step(dataset):
        x = np.asarray(dataset.array(keys.POSITIONS), float)
        return np.linalg.norm(np.diff(x, axis=1), axis=-1)

    assert step(short).mean() == pytest.approx(step(sample).mean(), abs=0.02)
    rms = [np.sqrt((np.asarray(d.array(keys.FORCES)) ** 2).mean()) for d in (short, sample)]
    assert rms[0] == pytest.approx(rms[1], rel=0.1)


def test_splits_by_run_or_by_blocks(made, tmp_path):
    assert {k: len(made["ca"].split(k)) for k in ("train", "val", "test")} == {
        "train": 7,
        "val": 1,
        "test": 1,
    }
    options = validated(ProteinOptions, QUICK | {"runs": 5})
    with pytest.raises(ConfigError, match="4 frames are too few for 5 runs"):
        ENTRY.make(tmp_path / "few", frames=4, seed=0, options=options)
    with pytest.raises(ConfigError, match="negative"):
        ENTRY.make(tmp_path / "few", frames=9, seed=-1, options=options)
    assert not list(tmp_path.iterdir())


def test_refused_request_leaves_nothing(tmp_path):
    (tmp_path / "bad.pdb").write_text("nothing of interest\n")
    command = [sys.executable, "-m", "zoo.cli.app"]
    run = subprocess.run(
        [*command, "data", "make", "protein", "--set", "structure=bad.pdb", "--out", "x"],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 2 and "is no PDB or mmCIF file" in run.stderr
    assert "Traceback" not in run.stderr and [p.name for p in tmp_path.iterdir()] == ["bad.pdb"]


def test_missing_pdbfixer_names_the_extra(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "pdbfixer", None)
    with pytest.raises(EntryError, match=r"pip install 'molzoo\[simulate\]'"):
        ENTRY.make(tmp_path / "d", frames=9, seed=0, options=ProteinOptions())


def test_molecule_without_parameters_is_a_data_error(made):
    topology = topology_of(made["all"].system)
    topology._bonds = topology._bonds[:-3]  # templates are matched by bonds
    with pytest.raises(DataError, match="no parameters"):
        build_system(topology, 3.0)


def test_two_particles_are_bonded_where_their_groups_are():
    from zoo.datasets.insulin.prepare import START, package_file
    from zoo.datasets.protein.structure import read_all_atom

    topology = read_all_atom(package_file(START)).topology
    system = stored_system(topology, np.ones(topology.getNumAtoms()), "ca", {})
    far = [(i, j) for i, j in system.bonds.tolist() if j != i + 1]
    assert far == [(5, 10), (6, 27), (19, 39)]  # A6–A11, A7–B7, A20–B19
    assert [20, 21] not in system.bonds.tolist()  # A21 and B1 are in different chains
    assert system.chains.tolist() == [0] * 21 + [1] * 30
