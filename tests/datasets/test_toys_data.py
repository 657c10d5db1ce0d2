"""DW4 and LJ13: quadrature, identities, a second sampler, a second engine, and what the samples hold."""

from __future__ import annotations

import itertools
import shlex
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from zoo.data.catalog import dataset_entry
from zoo.data.dataset import Dataset
from zoo.data.work import Work
from zoo.datasets.dw4.exact import exact
from zoo.datasets.lj13.options import Options
from zoo.datasets.toys.checks import Sample
from zoo.datasets.toys.options import ToyOptions
from zoo.datasets.toys.simulate import ToySimulator
from zoo.engines.runs import Runs
from zoo.errors import ConfigError, DataError
from zoo.physics.samplers import HMC
from zoo.physics.toys import DoubleWells, LennardJonesCluster
from zoo.verbs.data import make_dataset

NAMES = ("dw4", "lj13", "lj13/eacf")
#: A version that is made in some seconds.
SHORT = {"runs": 2, "chains": 40, "equilibration": 20, "workers": 1}


def sample_of(name):
    bare, _, variant = name.partition("/")
    folder = "sample" + (f"-{variant}" if variant else "")
    path = Path(str(files(f"zoo.datasets.{bare}") / folder))
    if not path.is_dir():
        pytest.skip(f"no packaged sample of {name}: zoo data make {name} --seed 1 --out {path}")
    return Dataset(path)


def job(target, parameters=None, **changed):
    sampling = Options(**changed).model_dump(exclude={"workers", "runs", "depth", "trap", "particles"})
    return {"target": target, "parameters": parameters or {}, "seed": 0, **sampling}


# --- quadrature ------------------------------------------------------------------------------


def test_quadrature_agrees_with_importance_sampling():
    """ln Z and ⟨U⟩ of six coordinates from independent draws of a broad Gaussian, at kT = 5."""
    known, target, count = exact(5.0), DoubleWells(), 400_000
    generator = torch.Generator().manual_seed(0)
    # An orthonormal basis of the positions without a centre of mass
    basis = torch.linalg.qr(torch.eye(4, dtype=torch.float64) - 0.25)[0][:, :3]
    width = 2.2
    draws = width * torch.randn(count, 3, 2, generator=generator, dtype=torch.float64)
    log_density = -0.5 * (draws**2).sum((1, 2)) / width**2 - 3 * np.log(2 * np.pi * width**2)
    energies = target(basis @ draws)
    weights = (-energies / 5.0 - log_density).numpy()
    shift = weights.max()
    weights = np.exp(weights - shift)
    ess = weights.sum() ** 2 / (weights**2).sum()
    assert ess > 1000  # the comparison is sharp to a few percent
    log_z = np.log(weights.mean()) + shift
    assert abs(log_z - known.log_z) < 4 / np.sqrt(ess)
    mean = (weights * energies.numpy()).sum() / weights.sum()
    assert abs(mean - known.mean_energy) < 4 * np.sqrt(known.variance_energy / ess)


def test_quadrature_is_normalised_and_converged():
    known = exact(1.0)
    spacing = known.distance[0]
    assert known.density.sum() * spacing == pytest.approx(1, abs=1e-12)
    assert known.density[-1] < 1e-15 and known.density[0] < 1e-15  # nothing is cut off
    # d ln Z / d(1/kT) = −⟨U⟩: two numbers that come from different integrals
    step = 1e-4
    slope = (exact(1 / (1 + step)).log_z - exact(1 / (1 - step)).log_z) / (2 * step)
    assert -slope == pytest.approx(known.mean_energy, abs=1e-5)


# --- the samples -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_sample_passes_its_checks(name):
    checks = dataset_entry(name).checks(sample_of(name))
    assert not [c for c in checks if c.ok is not True]


def test_samples_are_small_enough():
    size = {n: sum(p.stat().st_size for p in sample_of(n).path.iterdir()) for n in NAMES}
    assert size["dw4"] < 0.4e6 and size["lj13"] + size["lj13/eacf"] < 0.8e6


@pytest.mark.parametrize("name", NAMES)
def test_sample_holds_what_it_says(name):
    data = sample_of(name)
    assert np.abs(data.array("positions").mean(1)).max() < 1e-6
    runs = [set(data.array("run", data.split(s).index).tolist()) for s in data.manifest.splits]
    assert len(runs) == 3 and not (runs[0] & runs[1] | runs[0] & runs[2] | runs[1] & runs[2])
    command = shlex.split(data.manifest.provenance["command"])
    assert command[:4] == ["zoo", "data", "make", name] and "--seed" in command
    if name == "dw4":
        assert (data.array("positions")[..., 2] == 0).all() and (data.array("forces")[..., 2] == 0).all()
        assert data.system.parameters["dimensions"] == 2
    else:
        assert data.system.parameters["depth"] == (1.0 if "/" in name else 2.0)


@pytest.mark.parametrize("name", ["dw4", "lj13"])
def test_short_version_agrees_with_the_sample(name, tmp_path):
    """The command of the manifest, with fewer frames and chains."""
    sample = sample_of(name)
    entry = dataset_entry(name)
    short = Dataset(make_dataset(name, tmp_path / "short", frames=400, seed=7, settings=SHORT))
    target = type(ToySimulator(job(name)).target)()
    a, b = Sample(sample, target), Sample(short, target)
    for what in (lambda s: s.array("energies"), lambda s: (s.positions**2).mean((1, 2))):
        (mean, error), (other, spread) = a.mean_and_error(what(a)), b.mean_and_error(what(b))
        assert abs(mean - other) < 4 * np.hypot(error, spread)
    assert not [c.name for c in entry.checks(short) if c.ok is False]


def test_checks_see_what_is_wrong():
    sample = sample_of("dw4")
    entry = dataset_entry("dw4")

    def failing(**changed):
        broken = Dataset(sample.path)
        broken.arrays |= changed
        return [c.name for c in entry.checks(broken) if c.ok is False]

    positions, energies = sample.arrays["positions"], np.array(sample.arrays["energies"])
    forces = np.array(sample.arrays["forces"])
    assert any("energies recomputed" in n for n in failing(energies=energies + 1e-6))
    assert any("forces recomputed" in n for n in failing(forces=forces * np.float32(1.001)))
    assert any("centre" in n for n in failing(positions=positions + np.float32([0.01, 0, 0])))
    assert failing(positions=positions + np.float32([0, 0, 0.1])) == ["particles"]
    stretched = failing(positions=positions * np.float32(1.02))
    assert "mean pair distance" in stretched and any("χ²" in n for n in stretched)
    # a sampler that forgets a third of one well: every frame is right, the averages are not
    inner = (Sample(sample, DoubleWells()).r2 < 16).sum(1)
    keep = np.flatnonzero((inner < 4) | (np.arange(len(inner)) % 3 > 0))
    some = {n: np.array(a)[keep] for n, a in sample.arrays.items()}
    assert any("inner well" in n for n in failing(**some))


def test_thermometers_see_a_wrong_temperature():
    sample = sample_of("lj13")
    sample.manifest.temperature = 1.15
    failed = [c.name for c in dataset_entry("lj13").checks(sample) if c.ok is False]
    assert any("configurations" in name for name in failed)


def test_checks_of_a_dataset_without_energies_and_forces():
    for name in ("dw4", "lj13"):
        bare = sample_of(name)
        for array in ("energies", "forces", "run"):
            del bare.arrays[array]
        bare.manifest.provenance.clear()
        checks = dataset_entry(name).checks(bare)
        assert not [c.name for c in checks if c.ok is False]
        assert [c for c in checks if c.ok is None and c.note] and [c for c in checks if c.ok]


# --- other samplers and engines --------------------------------------------------------------


def test_langevin_dynamics_agrees_with_quadrature_and_with_hmc():
    """BAOAB, no Metropolis test and no exchange: another sampler of the same energy."""

    def energies(target, chains, sweeps, **settings):
        simulator = ToySimulator(job(target, sampler="langevin", levels=1, chains=chains, **settings))
        arrays = simulator.advance(0, 0, chains * sweeps, None, lambda: None)
        values = arrays["energies"].reshape(sweeps, chains)
        return values.mean(), values.mean(0).std() / np.sqrt(chains)

    mean, error = energies("dw4", 200, 5, steps=20, timestep=0.05, equilibration=15, exchanges=5)
    # Bias of the step: (ω Δt)² / 12 of anharmonic terms alone, ω = 6 for a pair
    assert error < 0.15 and abs(mean - exact(1.0).mean_energy) < 4 * error + 0.02
    mean, error = energies("lj13", 60, 5, steps=50, timestep=0.006, equilibration=10, exchanges=2)
    sample = Sample(sample_of("lj13"), LennardJonesCluster())
    known, spread = sample.mean_and_error(sample.array("energies"))
    assert error < 1.0 and abs(mean - known) < 4 * np.hypot(error, spread) + 0.05


def openmm_cluster(openmm, depth, particles=13):
    """LJ13 as OpenMM bonds between all pairs: nm = r_min, kJ/mol = ε, amu and ps."""
    system = openmm.System()
    force = openmm.CustomBondForce("depth*(r^(-12) - 2*r^(-6)) + r^2/(2*particles)")
    force.addGlobalParameter("depth", depth)
    force.addGlobalParameter("particles", particles)
    for i in range(particles):
        system.addParticle(1.0)
        for j in range(i):
            force.addBond(i, j, [])
    system.addForce(force)
    # Boltzmann constant in kJ/mol/K: kT = 1
    integrator = openmm.LangevinMiddleIntegrator(1 / 8.31446261815324e-3, 1.0, 0.003)
    integrator.setRandomNumberSeed(5)
    return openmm.Context(system, integrator, openmm.Platform.getPlatformByName("Reference"))


@pytest.mark.parametrize("name", ["lj13", "lj13/eacf"])
def test_openmm_has_the_same_energies_and_forces(name):
    openmm = pytest.importorskip("openmm")
    sample = sample_of(name)
    context = openmm_cluster(openmm, sample.system.parameters["depth"])
    for frame in range(0, len(sample), len(sample) // 20):
        context.setPositions(np.asarray(sample.array("positions")[frame], np.float64))
        state = context.getState(energy=True, forces=True)
        energy, forces = state.getPotentialEnergy()._value, state.getForces(asNumpy=True)._value
        assert energy == pytest.approx(sample.array("energies")[frame], abs=1e-9)
        stored = sample.array("forces")[frame]
        assert np.abs(forces - stored).max() < 1e-6 * np.abs(stored).max()  # float32


def test_openmm_dynamics_has_the_same_mean_energy():
    openmm = pytest.importorskip("openmm")
    context = openmm_cluster(openmm, 2.0)
    lattice = 1.1 * np.array(list(itertools.product(range(3), repeat=3)))
    context.setPositions(lattice[np.random.default_rng(0).permutation(27)[:13]])
    context.getIntegrator().step(2000)
    energies = []
    for _ in range(20):  # blocks of 1.5 times of the trap, some ten times the correlation time
        block = []
        for _ in range(10):
            context.getIntegrator().step(50)
            block.append(context.getState(energy=True).getPotentialEnergy()._value)
        energies.append(np.mean(block))
    sample = Sample(sample_of("lj13"), LennardJonesCluster())
    known, spread = sample.mean_and_error(sample.array("energies"))
    error = np.std(energies) / np.sqrt(19)
    assert abs(np.mean(energies) - known) < 4.5 * np.hypot(error, spread)


def test_cold_cluster_is_harmonic():
    """⟨U⟩ → U_min + (3N − 6) kT/2: 33 vibrations of the icosahedron, rotations cost nothing."""
    target, kT = LennardJonesCluster(), 0.02
    golden = (1 + 5**0.5) / 2
    corners = [
        c
        for a, b in itertools.product((-1.0, 1.0), (-golden, golden))
        for c in ((0, a, b), (a, b, 0), (b, 0, a))
    ]
    x = torch.tensor([(0.0, 0.0, 0.0), *corners], dtype=torch.float64)
    x = (x / x[1].norm()).requires_grad_()
    optimiser = torch.optim.LBFGS([x], max_iter=200, tolerance_grad=1e-9, line_search_fn="strong_wolfe")

    def closure():
        optimiser.zero_grad()
        energy = target(x[None]).sum()
        energy.backward()
        return energy

    optimiser.step(closure)
    lowest = target(x[None]).item()
    generator = torch.Generator().manual_seed(0)
    first = HMC(target, torch.ones(13), kT, timestep=0.01, steps=20, fixed_center=True)
    start = first.start(x.detach().expand(200, 13, 3), generator)
    sampler, state = first.warmed_up(start, 60, generator)
    energies = []
    for _ in range(20):
        state = sampler.advance(state, 2, generator)
        energies.append(state.energies)
    energies = torch.stack(energies)
    excess = (energies.mean().item() - lowest) / (33 * kT / 2)
    error = energies.mean(0).std().item() / np.sqrt(200) / (33 * kT / 2)
    # Anharmonic terms are of order kT / (depth of the well · bonds' stiffness): under one percent here
    assert abs(excess - 1) < 4 * error + 0.015


# --- how it is made --------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["dw4", "lj13"])
def test_killed_run_continues_to_the_same_result(name, tmp_path):
    settings = job(name, chains=3, levels=2, steps=5, equilibration=4)
    runs = Runs(name, "zoo.datasets.toys.simulate:ToySimulator", settings, frames=(10,), piece=4)
    whole, broken = Work(tmp_path / "whole"), Work(tmp_path / "broken")
    for work in (whole, broken):
        work.folder.mkdir()
    runs.simulate(0, whole, lambda: None)
    told = iter(range(100))

    def tell():
        if next(told) == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        runs.simulate(0, broken, tell)
    assert "run-0000-000000" in broken and "run-0000-000001" not in broken
    runs.simulate(0, broken, lambda: None)
    expected, found = runs.gather(whole), runs.gather(broken)
    assert len(expected["positions"]) == 10
    for array in expected:
        assert np.array_equal(expected[array], found[array]), array


def test_starting_sites_do_not_overlap():
    for name in ("dw4", "lj13"):
        simulator = ToySimulator(job(name, chains=50))
        x = simulator._sites(torch.Generator().manual_seed(0))
        nearest = simulator.target.square_distances(x).min().sqrt()
        assert nearest > 0.9 and torch.isfinite(simulator.target(x)).all()
        assert len(torch.unique(simulator.target(x).round(decimals=6))) > 40  # chains start apart


@pytest.mark.parametrize(
    "wrong, match",
    [
        ({"temperature": 0}, "temperature"),
        ({"hottest": 1.0}, "hottest"),
        ({"sampler": "metropolis"}, "sampler"),
        ({"timestep": 0.01}, "sampler=langevin"),
        ({"chain": 3}, "chain"),
        ({"runs": 1}, "runs"),
    ],
)
def test_wrong_options(wrong, match):
    with pytest.raises(ValidationError, match=match):
        ToyOptions(**wrong)


def test_too_few_frames_negative_seed_and_a_folder_that_exists(tmp_path):
    entry = dataset_entry("dw4")
    with pytest.raises(ConfigError, match="too few for 8 runs"):
        entry.make(tmp_path / "d", frames=7, seed=0, options=ToyOptions())
    with pytest.raises(ConfigError, match="seed"):
        entry.make(tmp_path / "d", frames=20, seed=-1, options=ToyOptions())
    assert not list(tmp_path.iterdir())
    (tmp_path / "d").mkdir()
    with pytest.raises(DataError, match="exists already"):
        entry.make(tmp_path / "d", frames=20, seed=0, options=ToyOptions())
