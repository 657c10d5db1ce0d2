"""The energy in torch beside OpenMM's Reference platform, on several molecules and force fields."""

from __future__ import annotations

import sys
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import torch

from zoo.data.dataset import Dataset
from zoo.datasets.alanine_dipeptide.forcefield import FORCE_FIELDS, amber_system, build_system
from zoo.datasets.peptide.sequence import peptide
from zoo.datasets.peptide.structure import build
from zoo.engines.openmm import evaluate, make_context
from zoo.errors import DataError
from zoo.physics import from_openmm
from zoo.physics.energy.cmap import patch_coefficients
from zoo.physics.energy.torsional import torsion_angles
from zoo.physics.torsions import torsions

openmm = pytest.importorskip("openmm")
from openmm import app, unit  # noqa: E402


def by_openmm(system, frames):
    context = make_context(system, openmm.VerletIntegrator(0.001), "Reference")
    found = [evaluate(context, frame) for frame in frames]
    return np.array([e for e, _ in found]), np.array([f for _, f in found])


def assert_equal(system, frames, relative=1e-6):
    """Energies and forces agree to the accuracy that is asked for; forces relative to the largest."""
    frames = np.asarray(frames, np.float64)
    expected, expected_forces = by_openmm(system, frames)
    energy, forces = from_openmm(system).energy_and_forces(torch.tensor(frames))
    assert energy.dtype == torch.float64
    np.testing.assert_allclose(energy.numpy(), expected, rtol=relative, atol=1e-12)
    assert np.abs(forces.numpy() - expected_forces).max() < relative * np.abs(expected_forces).max()


@pytest.fixture(scope="module")
def sample() -> Dataset:
    return Dataset(Path(str(files("zoo.datasets.alanine_dipeptide") / "sample")))


@pytest.fixture(scope="module")
def frames(sample) -> np.ndarray:
    return sample.array("positions", slice(0, None, 128)).astype(np.float64)


@pytest.fixture(scope="module")
def insulin(shared_data) -> app.Modeller:
    """Porcine insulin with hydrogens: 782 atoms, all but three of the amino acids."""
    pdb = app.PDBFile(str(shared_data / "insulin" / "4ins_AB_monomer.pdb"))
    modeller = app.Modeller(pdb.topology, pdb.positions)
    modeller.addHydrogens(app.ForceField("amber99sbildn.xml"), pH=7.0)
    return modeller


def angstrom(positions):
    return np.array(positions.value_in_unit(unit.angstrom))


# --- alanine dipeptide -----------------------------------------------------------------------


@pytest.mark.parametrize("variant", [None, "vacuum", "ff99sbildn"])
def test_equals_openmm_on_md_frames_and_perturbed_ones(frames, variant):
    system = build_system(4.0, variant)
    assert_equal(system, frames)
    noise = np.random.default_rng(0).normal(0, 0.3, frames.shape)  # bonds off by 0.4 Å: some 30 eV
    assert_equal(system, frames + noise)


def test_stored_xml_is_enough_without_openmm(sample, frames, monkeypatch):
    monkeypatch.setitem(sys.modules, "openmm", None)
    potential = from_openmm(sample.system.parameters["openmm_system_xml"])
    energy = potential(torch.tensor(frames))
    # what OpenMM computed when the sample was made, at these very positions
    np.testing.assert_allclose(energy, sample.array("energies", slice(0, None, 128)), atol=1e-10)


def test_published_topology(shared_data):
    folder = shared_data / "alanine-dipeptide"
    topology = app.AmberPrmtopFile(str(folder / "alanine-dipeptide-gbsa.prmtop"))
    x = np.load(folder / "frames-1000.npy")[::50].astype(np.float64) * 10
    for model in (app.OBC1, app.OBC2, None):
        assert_equal(topology.createSystem(implicitSolvent=model, removeCMMotion=True), x)
    salt = 0.1 * unit.molar
    assert_equal(topology.createSystem(implicitSolvent=app.OBC2, implicitSolventSaltConc=salt), x)


def test_single_precision(sample, frames):
    """Errors of float32 stay far below kT = 0.026 eV and the forces of 1 eV/Å."""
    exact = from_openmm(sample.system.parameters["openmm_system_xml"])
    single = from_openmm(sample.system.parameters["openmm_system_xml"]).float()
    e0, f0 = exact.energy_and_forces(torch.tensor(frames))
    e1, f1 = single.energy_and_forces(torch.tensor(frames, dtype=torch.float32))
    # the sum of 231 pairs of up to 10 eV, each to 6e-8; the published prototype had 3e-6 eV
    assert (e1 - e0).abs().max() < 2e-5
    assert (f1 - f0).abs().max() < 2e-4
    # Two atoms in one place: finite, so that a sampler can reject it.
    overlapping = torch.tensor(frames[:1], dtype=torch.float32)
    overlapping[0, 5] = overlapping[0, 15]
    energy, forces = single.energy_and_forces(overlapping)
    assert torch.isfinite(energy).all() and torch.isfinite(forces).all() and energy > 1e3


def test_forces_are_the_gradient_and_have_one(sample, frames):
    potential = from_openmm(sample.system.parameters["openmm_system_xml"])
    x = torch.tensor(frames[:2], requires_grad=True)
    # Autograd's own comparison with finite differences, of the energy and of its forces.
    direction = torch.randn(x.shape, generator=torch.Generator().manual_seed(0), dtype=x.dtype)
    assert torch.autograd.gradcheck(potential, x, fast_mode=True, eps=1e-5, atol=1e-6)

    def along(y):
        (gradient,) = torch.autograd.grad(potential(y).sum(), y, create_graph=True)
        return (gradient * direction).sum((1, 2))

    assert torch.autograd.gradcheck(along, x, fast_mode=True, eps=1e-5, atol=1e-5)


def test_batch_and_rigid_motion_change_nothing(sample, frames):
    potential = from_openmm(sample.system.parameters["openmm_system_xml"])
    x = torch.tensor(frames)
    whole = potential(x)
    # sums over other blocks of memory: rounding alone
    torch.testing.assert_close(torch.cat([potential(x[:1]), potential(x[1:])]), whole, rtol=0, atol=1e-12)
    turn = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(1), dtype=x.dtype))[0]
    turn = turn * torch.det(turn)
    torch.testing.assert_close(potential(x @ turn + 3.0), whole, rtol=0, atol=1e-11)
    # A mirror image has the torsions of the other sign: the impropers and φ, ψ terms are even in all.
    torch.testing.assert_close(potential(-x), whole, rtol=0, atol=1e-4)


def test_wrong_shape_is_refused(sample):
    potential = from_openmm(sample.system.parameters["openmm_system_xml"])
    with pytest.raises(ValueError, match=r"\[batch, 22, 3\]"):
        potential(torch.zeros(22, 3))


def test_compiled_code_gives_the_same_or_is_not_used(sample, frames, monkeypatch):
    potential = from_openmm(sample.system.parameters["openmm_system_xml"])
    x = torch.tensor(frames)
    expected, expected_forces = potential.energy_and_forces(x)
    monkeypatch.setattr(torch, "compile", lambda *_, **__: (_ for _ in ()).throw(RuntimeError("no compiler")))
    assert not potential.compile_energy(x)
    energy, forces = potential.energy_and_forces(x)
    assert torch.equal(energy, expected) and torch.equal(forces, expected_forces)


# --- other molecules and force fields --------------------------------------------------------


@pytest.mark.parametrize(
    "names",
    [
        ("amber99sbildn.xml", "amber99_obc.xml"),
        ("amber19/protein.ff19SB.xml", "implicit/obc2.xml"),  # CMAP
        ("charmm36.xml",),  # CMAP, Urey-Bradley, impropers, tables of Lennard-Jones
    ],
    ids=["ff99SB-ILDN + OBC2", "ff19SB + OBC2", "CHARMM36"],
)
def test_insulin(insulin, names):
    field = app.ForceField(*names)
    modeller = app.Modeller(insulin.topology, insulin.positions)
    system = field.createSystem(modeller.topology, constraints=None)
    x = angstrom(modeller.positions)
    assert_equal(system, [x, x + np.random.default_rng(1).normal(0, 0.1, x.shape)])


@pytest.mark.parametrize("variant", [None, "ff99sbildn"])
def test_random_peptide(variant):
    """Six residues, with the three that insulin lacks: frames of hot dynamics, also disturbed."""
    pytest.importorskip("pdbfixer")
    rng = np.random.default_rng(4)
    letters = rng.permutation([*"DMW", *rng.choice([*"ACEFGHIKLNPQRSTVY"], 3, replace=False)])
    field = FORCE_FIELDS[variant]
    molecule = peptide("".join(letters), field.openmm())
    system = amber_system(molecule.topology(), field, field.openmm(), 4.0)
    integrator = openmm.LangevinMiddleIntegrator(600, 1.0, 0.002)
    integrator.setRandomNumberSeed(1)
    context = make_context(system, integrator, "CPU")
    context.setPositions(build(molecule, -80.0, 140.0) / 10)
    openmm.LocalEnergyMinimizer.minimize(context, maxIterations=100)
    frames = []
    for _ in range(3):
        integrator.step(60)
        frames.append(angstrom(context.getState(positions=True).getPositions(asNumpy=True)))
    x = np.array(frames)
    assert_equal(system, np.concatenate([x, x + rng.normal(0, 0.2, x.shape)]))


def test_ryckaert_bellemans_and_thermostats(frames):
    rng = np.random.default_rng(2)
    system = openmm.System()
    torsion = openmm.RBTorsionForce()
    for _ in range(22):
        system.addParticle(12.0)
    for _ in range(10):
        torsion.addTorsion(*map(int, rng.choice(22, 4, replace=False)), *rng.normal(0, 5, 6))
    system.addForce(torsion)
    system.addForce(openmm.CMMotionRemover())
    system.addForce(openmm.AndersenThermostat(300, 1))
    assert_equal(system, frames)
    energy = from_openmm(system)(torch.tensor(frames))
    system.addForce(openmm.MonteCarloBarostat(1, 300))  # OpenMM itself wants a periodic box for it
    assert torch.equal(from_openmm(system)(torch.tensor(frames)), energy)


@pytest.mark.parametrize(
    "expression",
    [
        "k*(theta-theta0)^2",
        "k*min(dtheta, 2*pi - dtheta)^2; dtheta = abs(theta - theta0); pi = 3.141592653589793",
    ],
)
def test_impropers_of_both_charmm_files(frames, expression):
    rng = np.random.default_rng(3)
    system = openmm.System()
    force = openmm.CustomTorsionForce(expression)
    force.addPerTorsionParameter("k")
    force.addPerTorsionParameter("theta0")
    for _ in range(22):
        system.addParticle(12.0)
    for _ in range(20):
        force.addTorsion(*map(int, rng.choice(22, 4, replace=False)), [5.0, rng.uniform(-3, 3)])
    system.addForce(force)
    assert_equal(system, frames)


@pytest.mark.parametrize("form", ["native", "custom", "older custom"])
def test_one_atom_inside_another(form):
    """A small atom that a large one swallows: the branch that no molecule reaches."""
    system = openmm.System()
    if form == "native":
        force = openmm.GBSAOBCForce()
        for charge, radius in ((0.4, 0.3), (-0.4, 0.11), (0.1, 0.17)):
            force.addParticle(charge, radius, 0.85)
    else:
        from openmm.app.internal.customgbforces import GBSAOBC1Force

        force = GBSAOBC1Force(SA="ACE")
        if form == "older custom":
            force.setComputedValueParameters(
                0,
                "I",
                "step(r+sr2-or1)*0.5*(1/L-1/U+0.25*(r-sr2^2/r)*(1/(U^2)-1/(L^2))+0.5*log(L/U)/r+C);"
                "U=r+sr2; C=2*(1/or1-1/L)*step(sr2-r-or1); L=max(or1, D); D=abs(r-sr2)",
                openmm.CustomGBForce.ParticlePairNoExclusions,
            )
        for charge, radius in ((0.4, 0.3), (-0.4, 0.11), (0.1, 0.17)):
            force.addParticle([charge, radius, 0.85])
        force.finalize()
    for _ in range(3):
        system.addParticle(1.0)
    system.addForce(force)
    frames = np.array([[[0, 0, 0], [d, 0.1, 0], [0, 4.0, 0.5]] for d in (0.3, 0.9, 1.5, 2.2, 3.5)])
    assert_equal(system, frames)


def test_torsions_are_those_of_the_package(frames):
    x = torch.tensor(frames)
    quadruples = np.array([(4, 6, 8, 14), (6, 8, 14, 16), (1, 4, 6, 8)])
    found = torsion_angles(x.permute(2, 1, 0), torch.tensor(quadruples.T))
    torch.testing.assert_close(found.T, torsions(x, quadruples), rtol=0, atol=1e-12)


def test_map_of_a_trigonometric_function():
    """The patches of cos φ sin 2ψ on 24 knots: it, its slopes at the knots, and continuity."""
    knots = 2 * np.pi * np.arange(24) / 24
    c = patch_coefficients(np.cos(knots)[:, None] * np.sin(2 * knots))
    t = np.linspace(0, 1, 5)
    powers = t[:, None] ** np.arange(4)
    inside = np.einsum("pi,xyij,qj->xpyq", powers, c, powers)
    angle = (knots[:, None] + t * 2 * np.pi / 24).ravel()
    exact = (np.cos(angle)[:, None] * np.sin(2 * angle)).reshape(inside.shape)
    # error of a cubic spline: 5/384 h⁴ f⁗ = 5/384 · 0.262⁴ · 16
    assert np.abs(inside - exact).max() < 1.1e-3
    np.testing.assert_allclose(inside[:, -1], np.roll(inside, -1, 0)[:, 0], atol=1e-12)


# --- what is refused -------------------------------------------------------------------------


def _system(force):
    system = openmm.System()
    for _ in range(5):
        system.addParticle(1.0)
    system.addForce(force)
    return system


def _refused():
    yield openmm.CustomExternalForce("x^2"), "CustomExternalForce"
    cut = openmm.NonbondedForce()
    cut.setNonbondedMethod(openmm.NonbondedForce.CutoffNonPeriodic)
    yield cut, "NoCutoff"
    offsets = openmm.NonbondedForce()
    offsets.addGlobalParameter("scale", 1)
    yield offsets, "GlobalParameters"
    born = openmm.GBSAOBCForce()
    born.setNonbondedMethod(openmm.GBSAOBCForce.CutoffNonPeriodic)
    yield born, "GBSAOBCForce"
    periodic = openmm.HarmonicBondForce()
    periodic.setUsesPeriodicBoundaryConditions(True)
    yield periodic, "periodic boundary"
    yield openmm.CustomBondForce("k*(r-1)^4"), "not Lennard-Jones"
    yield openmm.CustomNonbondedForce("1/r"), "not a table"
    yield openmm.CustomTorsionForce("cos(theta)"), "harmonic improper"
    named = openmm.CustomExternalForce("z")
    named.setName("gravity")
    yield named, "'gravity'"


@pytest.mark.parametrize("force, match", list(_refused()), ids=lambda v: v if isinstance(v, str) else "")
def test_refused_by_name(force, match):
    with pytest.raises(DataError, match=match) as error:
        from_openmm(_system(force))
    assert type(force).__name__ in str(error.value)


def test_other_born_models_are_refused():
    from openmm.app.internal import customgbforces as models

    for kind in (models.GBSAHCTForce, models.GBSAGBnForce):
        force = kind()
        parameters = [[0.1, 0.15, 0.8]] * 5
        for row in parameters:
            force.addParticle(row)
        force.finalize()
        with pytest.raises(DataError, match="OBC"):
            from_openmm(_system(force))


def test_text_that_is_no_system_and_other_objects(sample):
    xml = sample.system.parameters["openmm_system_xml"]
    for text in ("", "not XML", "<State/>", xml[: len(xml) // 2], xml.replace('k="284512"', 'k="stiff"')):
        with pytest.raises(DataError):
            from_openmm(text)
    with pytest.raises(DataError, match=r"openmm\.System or its XML"):
        from_openmm(42)
    site = openmm.System()
    for _ in range(3):
        site.addParticle(1.0)
    site.setVirtualSite(2, openmm.TwoParticleAverageSite(0, 1, 0.5, 0.5))
    with pytest.raises(DataError, match="virtual sites"):
        from_openmm(site)
