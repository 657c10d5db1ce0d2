from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from zoo.analysis.averages import mean_and_error
from zoo.data.dataset import Dataset
from zoo.data.work import Work
from zoo.datasets.alanine_dipeptide import molecule
from zoo.datasets.alanine_dipeptide.basins import basins
from zoo.datasets.alanine_dipeptide.entry import AlanineDipeptide
from zoo.datasets.alanine_dipeptide.forcefield import build_system
from zoo.datasets.alanine_dipeptide.options import Options
from zoo.datasets.alanine_dipeptide.spec import SPEC
from zoo.engines.openmm import evaluate
from zoo.errors import ConfigError, DataError, EntryError, RunFailed, UnknownName
from zoo.units import EV_PER_KJ_MOL

openmm = pytest.importorskip("openmm")

ENTRY = AlanineDipeptide(SPEC)
QUICK = Options(runs=4, workers=1, interval=0.02, equilibration=0.1)


@pytest.fixture(scope="module")
def sample() -> Dataset:
    return Dataset(Path(str(files("zoo.datasets.alanine_dipeptide") / "sample")))


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Dataset:
    """A short dataset, from start to end by the entry itself."""
    out = tmp_path_factory.mktemp("made") / "quick"
    return Dataset(ENTRY.make(out, frames=240, seed=3, options=QUICK))


def energies_and_forces(system, frames):
    context = openmm.Context(
        system, openmm.VerletIntegrator(0.001), openmm.Platform.getPlatformByName("Reference")
    )
    found = [evaluate(context, frame) for frame in frames]
    return np.array([e for e, _ in found]), np.array([f for _, f in found])


# --- the system ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def published(shared_data):
    """The published AMBER topology, its structure and 1,000 published frames (Å)."""
    from openmm import app

    folder = shared_data / "alanine-dipeptide"
    topology = app.AmberPrmtopFile(str(folder / "alanine-dipeptide-gbsa.prmtop"))
    system = topology.createSystem(implicitSolvent=app.OBC1, constraints=None, removeCMMotion=False)
    structure = app.AmberInpcrdFile(str(folder / "alanine-dipeptide-gbsa.crd")).getPositions(asNumpy=True)
    frames = np.load(folder / "frames-1000.npy").astype(np.float64) * 10
    return topology.topology, system, structure.value_in_unit(openmm.unit.angstrom), frames


def test_energy_of_the_published_structure(published):
    energy, _ = energies_and_forces(build_system(4.0), [published[2]])
    # The published figure has five decimals.
    assert energy[0] / EV_PER_KJ_MOL == pytest.approx(-138.96969, abs=1e-5)


def test_system_equals_the_published_topology(published):
    _, system, _, frames = published
    expected = energies_and_forces(system, frames[::25])
    found = energies_and_forces(build_system(1.0), frames[::25])
    # The topology writes numbers with 8 to 9 digits: 1e-8 of some 100 kJ/mol, and of 1e4 kJ/mol/nm.
    assert np.abs(found[0] - expected[0]).max() < 1e-5 * EV_PER_KJ_MOL
    assert np.abs(found[1] - expected[1]).max() < 1e-4 * EV_PER_KJ_MOL / 10


def test_atoms_and_bonds_are_in_the_published_order(published):
    topology = published[0]
    atoms = [(a.residue.name, a.element.atomic_number) for a in topology.atoms()]
    assert atoms == [(residue, number) for residue, _, number in molecule.ATOMS]
    bonds = sorted(tuple(sorted((a.index, b.index))) for a, b in topology.bonds())
    assert bonds == list(molecule.BONDS)


def test_methyl_hydrogens_are_ordered_as_in_the_published_frames(published):
    def order(positions):  # + where the hydrogens turn anticlockwise, seen from outside
        out = []
        for centre, root, (a, b, c) in ((1, 4, (0, 2, 3)), (10, 8, (11, 12, 13)), (18, 16, (19, 20, 21))):
            normal = np.cross(positions[b] - positions[a], positions[c] - positions[a])
            out.append(np.sign(normal @ (positions[centre] - positions[root])))
        return out

    assert order(molecule.build(-80, 80)) == order(published[2]) == order(published[3][0])


def test_only_hydrogens_are_heavier():
    light, heavy = build_system(1.008), build_system(4.0)
    for i, (_, _, number) in enumerate(molecule.ATOMS):
        mass = heavy.getParticleMass(i)._value
        assert mass == (4.0 if number == 1 else light.getParticleMass(i)._value)


def test_missing_openmm_names_the_extra(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "openmm", None)
    with pytest.raises(EntryError, match=r"pip install 'molzoo\[simulate\]'"):
        ENTRY.make(tmp_path / "d", frames=20, seed=0, options=QUICK)


# --- the molecule ----------------------------------------------------------------------------


@pytest.mark.parametrize("phi, psi", [(-120.0, 150.0), (60.0, -60.0), (-75.0, -30.0)])
def test_starting_structure_has_the_angles_and_is_l(phi, psi):
    positions = molecule.build(phi, psi)
    found = np.degrees(molecule.dihedrals(positions))
    np.testing.assert_allclose(found, (phi, psi), atol=1e-9)  # built from them in float64
    assert molecule.chirality(positions) > 0.7  # 0.77 for a perfect tetrahedron
    assert molecule.chirality(positions * [1, 1, -1]) < -0.7


def test_dihedrals_equal_mdtraj(sample):
    mdtraj = pytest.importorskip("mdtraj")
    positions = sample.array("positions", slice(0, 200))
    topology = mdtraj.Topology()
    chain = topology.add_chain()
    residues = [topology.add_residue(name, chain) for name in molecule.RESIDUES]
    for residue, name, number in molecule.ATOMS:
        element = mdtraj.element.Element.getByAtomicNumber(number)
        topology.add_atom(name, element, residues[molecule.RESIDUES.index(residue)])
    trajectory = mdtraj.Trajectory(positions / 10, topology)
    phi, psi = molecule.dihedrals(positions.astype(np.float64))
    # mdtraj computes in float32: 1e-7 of coordinates of 10 Å over arms of 1 Å.
    for found, compute in ((phi, mdtraj.compute_phi), (psi, mdtraj.compute_psi)):
        difference = found - compute(trajectory)[1][:, 0]
        assert np.abs(np.angle(np.exp(1j * difference))).max() < 1e-4


def test_basins_cover_the_plane_once():
    phi, psi = np.random.default_rng(0).uniform(-np.pi, np.pi, size=(2, 1000))
    member = basins(phi, psi)
    right = member.pop("φ>0")
    assert (np.sum(list(member.values()), axis=0) == 1).all()
    assert (right == (member["C7ax"] | member["αL"])).all()


def test_error_of_a_mean_sees_runs_that_differ():
    run = np.repeat(np.arange(10), 100)
    noise = np.random.default_rng(0).normal(size=1000)
    # Standard errors of Gaussian numbers; that of ten means is itself known to 24 %.
    assert mean_and_error(noise, run)[1] == pytest.approx(1 / np.sqrt(1000), rel=0.8)
    offset = np.random.default_rng(1).normal(size=10)
    assert mean_and_error(noise + offset[run], run)[1] > 0.15


# --- being made ------------------------------------------------------------------------------


def test_made_from_start_to_end(made):
    assert len(made) == 240 and made.temperature == 300
    assert made.arrays["positions"].dtype == made.arrays["forces"].dtype == np.float32
    assert made.arrays["energies"].dtype == np.float64
    assert np.bincount(made.array("run")).tolist() == [60] * 4
    # 50 steps of 2 fs are thrown away, then one frame each 20 fs.
    np.testing.assert_allclose(made.array("time", slice(0, 3)), [0.12, 0.14, 0.16])
    phi, _ = molecule.dihedrals(np.asarray(made.array("positions"), np.float64))
    for split in ("train", "val", "test"):
        share = (phi[made.split(split).index] > 0).mean()
        assert 0 < share < 1
    assert made.manifest.provenance["command"] == (
        "zoo data make alanine-dipeptide --frames 240 --seed 3 "
        "--set interval=0.02 --set equilibration=0.1 --set runs=4"
    )
    assert made.system.masses[0] == 4.0


def test_stored_system_gives_the_stored_labels(made):
    system = openmm.XmlSerializer.deserialize(made.system.parameters["openmm_system_xml"])
    frames = made.array("positions", slice(0, 240, 40)).astype(np.float64)
    energy, forces = energies_and_forces(system, frames)
    # The same code at the same positions; float32 rounding of forces of some eV/Å.
    np.testing.assert_allclose(energy, made.array("energies", slice(0, 240, 40)), atol=1e-10)
    np.testing.assert_allclose(forces, made.array("forces", slice(0, 240, 40)), atol=1e-6)


def test_another_seed_gives_other_frames(made, tmp_path):
    other = Dataset(ENTRY.make(tmp_path / "other", frames=12, seed=4, options=QUICK))
    assert not np.allclose(other.array("positions")[0], made.array("positions")[0], atol=1e-3)


def test_killed_and_continued_is_as_if_not_killed(made, tmp_path):
    out = tmp_path / "killed"
    partial = tmp_path / "killed.partial"
    code = (
        "from pathlib import Path\n"
        "from zoo.datasets.alanine_dipeptide.build import make, Options\n"
        f"options = Options.model_validate_json({QUICK.model_dump_json()!r})\n"
        f"make(Path({str(out)!r}), variant=None, frames=240, seed=3, options=options)"
    )
    path = os.pathsep.join(filter(None, sys.path))
    process = subprocess.Popen([sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": path})
    deadline = time.monotonic() + 120
    while not list(partial.glob("run-0001-*.npz")):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not out.exists()
    before = {p.name: p.stat().st_mtime_ns for p in partial.glob("run-*.npz")}
    if sys.platform == "linux":
        while _processes_that_name(partial):  # children die with their parent
            assert time.monotonic() < deadline
            time.sleep(0.02)
    with pytest.raises(DataError, match="another request"):
        ENTRY.make(out, frames=240, seed=4, options=QUICK)
    continued = []
    original = Work.load

    def load(self, name, *only):
        continued.append((self.folder / f"{name}.npz").stat().st_mtime_ns)
        return original(self, name, *only)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Work, "load", load)
        ENTRY.make(out, frames=240, seed=3, options=QUICK)
    assert set(before.values()) <= set(continued)  # what was saved was kept, not made anew
    assert not partial.exists()
    for name, array in Dataset(out).arrays.items():
        assert np.array_equal(array, made.array(name)), name


def _processes_that_name(folder: Path) -> list[str]:
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if os.fsencode(str(folder)) in entry.read_bytes():
                found.append(entry.parent.name)
        except OSError:
            continue
    return found


def test_a_failing_simulation_is_one_clear_error(tmp_path):
    options = Options(runs=2, workers=1, temperature=2000, timestep=4, hydrogen_mass=3, interval=0.004)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("zoo.datasets.alanine_dipeptide.build.build_system", lambda mass, _: _exploding(mass))
        with pytest.raises(RunFailed, match=r"run \d failed: .*NaN"):
            ENTRY.make(tmp_path / "d", frames=20, seed=0, options=options)


def _exploding(mass):
    system = build_system(mass)
    for i in range(system.getNumParticles()):
        system.setParticleMass(i, 1e-3)  # far too light for any time step in use
    return system


# --- wrong requests --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong, match",
    [
        ({"temperature": -1}, "temperature"),
        ({"hydrogen_mass": 1.008}, "hydrogen_mass"),
        ({"interval": 0.003}, "whole number of time steps"),
        ({"platform": "GPU"}, "platform"),
        ({"temprature": 300}, "temprature"),
        ({"runs": 1}, "runs"),
    ],
)
def test_wrong_options(wrong, match):
    with pytest.raises(ValidationError, match=match):
        Options(**wrong)


def test_too_few_frames_and_negative_seed(tmp_path):
    with pytest.raises(ConfigError, match="too few for 4 runs"):
        ENTRY.make(tmp_path / "d", frames=11, seed=0, options=QUICK)
    with pytest.raises(ConfigError, match="seed"):
        ENTRY.make(tmp_path / "d", frames=20, seed=-1, options=QUICK)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_exists_is_not_overwritten(made):
    with pytest.raises(DataError, match="exists already"):
        ENTRY.make(made.path, frames=20, seed=0, options=QUICK)


# --- the packaged sample ---------------------------------------------------------------------


def test_sample_is_large_enough_and_small_enough(sample):
    assert len(sample) >= 5000
    # What is asked for of the package: at most 6 MB.
    assert sum(p.stat().st_size for p in sample.path.iterdir()) < 6e6
    splits = sample.manifest.splits
    runs = [set(sample.array("run", sample.split(s).index).tolist()) for s in splits]
    assert len(runs) == 3 and not (runs[0] & runs[1] | runs[0] & runs[2] | runs[1] & runs[2])


def test_sample_passes_its_checks(sample):
    checks = ENTRY.checks(sample)
    assert not [c for c in checks if c.ok is False]
    unsure = [c.name for c in checks if c.ok is None]
    assert all(name.startswith("population") for name in unsure)
    assert len(checks) - len(unsure) >= 12


def test_checks_see_what_is_wrong(sample, tmp_path):
    def failing(**changed):
        broken = Dataset(sample.path)
        broken.arrays |= changed
        return [c.name for c in ENTRY.checks(broken) if c.ok is False]

    positions = sample.arrays["positions"]
    mirrored = positions * np.float32([1, 1, -1])
    assert any("chirality" in name for name in failing(positions=mirrored))
    assert any("energies recomputed" in name for name in failing(energies=sample.arrays["energies"] + 1e-4))
    assert any("forces recomputed" in name for name in failing(forces=sample.arrays["forces"] * 1.001))
    hot = failing(velocities=sample.arrays["velocities"] * np.float32(1.02))
    assert any("temperature of the velocities" in name for name in hot)
    stretched = failing(positions=positions * np.float32(1.02))
    assert any("bonds to hydrogen" in name for name in stretched)
    with pytest.raises(UnknownName):
        sample.array("charges")


def test_checks_of_a_dataset_without_velocities(sample):
    bare = Dataset(sample.path)
    for name in ("velocities", "run", "time"):
        del bare.arrays[name]
    checks = {c.name: c for c in ENTRY.checks(bare)}
    assert checks["temperature of the velocities"].ok is None
    assert not [c.name for c in checks.values() if c.ok is False]


def test_short_run_agrees_with_the_sample(sample, tmp_path):
    # Two runs × 40 frames of 0.2 ps after 5 ps.
    options = Options(runs=2, interval=0.2, equilibration=5, workers=1)
    short = Dataset(ENTRY.make(tmp_path / "short", frames=80, seed=11, options=options))

    def lengths(dataset):
        x = np.asarray(dataset.array("positions"), np.float64)
        i, j = np.array(molecule.BONDS).T
        return np.linalg.norm(x[:, i] - x[:, j], axis=-1)

    reference, found = lengths(sample), lengths(short)
    # 80 frames that share their phase for under 0.2 ps: at least 40 independent ones; 21 bonds, so 5 σ.
    limit = 5 * reference.std(0) / np.sqrt(40)
    assert (np.abs(found.mean(0) - reference.mean(0)) < limit).all()
    # Energies forget themselves within about 1 ps: 16 ps hold some 16; basins differ by 1 kT or so.
    energies = sample.array("energies")
    limit = 5 * energies.std() / np.sqrt(16)
    assert abs(short.array("energies").mean() - energies.mean()) < limit


def test_sample_has_the_energies_of_the_published_frames(sample, published):
    """Mean energy at φ < 0, beside frames that others simulated."""
    _, system, _, frames = published
    phi, _ = molecule.dihedrals(frames)
    theirs, _ = energies_and_forces(system, frames[phi < 0][::4])
    ours = sample.array("energies")[molecule.dihedrals(np.asarray(sample.array("positions"), float))[0] < 0]
    # Their 200-odd frames: standard error 0.14 eV / √200 = 0.010 eV, taken as if a third were
    # independent; other populations of αR and C5 shift the mean by some 0.01 eV more.
    assert abs(ours.mean() - theirs.mean()) < 4 * 0.14 / np.sqrt(len(theirs) / 3) + 0.01
