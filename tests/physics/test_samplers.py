"""Samplers against exact statistical mechanics: harmonic, double-well and two-level systems."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.integrate import quad

from zoo.errors import RunFailed
from zoo.physics.samplers import (
    HMC,
    Ladder,
    Langevin,
    ReplicaExchange,
    State,
    geometric_ladder,
    inertia,
    maxwell,
    per_row,
)
from zoo.units import ASE, LJ

MASSES = torch.tensor([1.0, 2.0, 5.0], dtype=torch.float64)
STIFFNESS = torch.tensor([[1.0, 2.0], [4.0, 0.5], [3.0, 8.0]], dtype=torch.float64)  # [particles, dim]


def harmonic(x):
    return 0.5 * (STIFFNESS.to(x) * x * x).sum((1, 2))


def double_well(x):  # two wells at ±1 along x, of unequal depth; harmonic along the other axis
    a, b = x[..., 0], x[..., 1]
    return (2.5 * (a * a - 1) ** 2 + 0.4 * a + 2 * b * b).sum(1)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def samples(sampler, state, count, steps, generator):
    """Positions `[count, batch, particles, dim]`, velocities alike."""
    xs, vs = [], []
    for _ in range(count):
        state = sampler.advance(state, steps, generator)
        xs.append(state.positions)
        vs.append(state.velocities)
    return torch.stack(xs), torch.stack(vs)


def mean_and_error(values):
    """Mean over everything, standard error from the independent replicas: `[count, batch, ...]`."""
    means = values.mean(0)
    return means.mean(0), means.std(0) / len(means) ** 0.5


# --- Langevin ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def langevin_run():
    """1000 replicas at kT = 0.7 with a time step of ω Δt = 0.6 along the fastest direction."""
    sampler = Langevin(harmonic, MASSES, kT=0.7, timestep=0.37, friction=1.0)
    generator = seeded(1)
    state = sampler.start(torch.zeros(1000, 3, 2, dtype=torch.float64), generator)
    state = sampler.advance(state, 100, generator)  # 37 times the damping time
    return samples(sampler, state, 60, 10, generator)


def test_baoab_positions_have_no_error_of_the_time_step(langevin_run):
    value, error = mean_and_error(langevin_run[0] ** 2)
    assert (error / (0.7 / STIFFNESS) < 0.02).all()  # the comparison is sharp: Euler is off by 10 %
    assert (abs(value - 0.7 / STIFFNESS) < 4.5 * error).all()  # 6 numbers at 4.5 σ


def test_baoab_velocities_have_the_known_error(langevin_run):
    # ⟨m v²⟩ = kT (1 − (ω Δt / 2)²), Leimkuhler and Matthews 2013
    value, error = mean_and_error(MASSES[:, None] * langevin_run[1] ** 2)
    expected = 0.7 * (1 - STIFFNESS / MASSES[:, None] * 0.37**2 / 4)
    assert (abs(value - expected) < 4.5 * error).all()
    assert (abs(0.7 - expected) > 4.5 * error).any()  # and it is seen


def test_each_replica_has_its_own_temperature_and_friction():
    kT = torch.tensor([0.5, 2.0], dtype=torch.float64).repeat(500)
    friction = torch.tensor([0.3, 3.0], dtype=torch.float64).repeat_interleave(500)
    sampler = Langevin(harmonic, MASSES, kT=kT, timestep=0.1, friction=friction)
    generator = seeded(2)
    state = sampler.start(torch.zeros(1000, 3, 2, dtype=torch.float64), generator)
    state = sampler.advance(state, 300, generator)
    energies = torch.stack([(state := sampler.advance(state, 20, generator)).energies for _ in range(30)])
    for level, expected in ((0, 0.5), (1, 2.0)):
        value, error = mean_and_error(energies[:, level::2])
        assert abs(value - 3 * expected) < 4 * error  # 6 harmonic coordinates: 3 kT


def test_populations_of_a_double_well_against_quadrature():
    kT = 0.8
    well = [
        quad(lambda a: np.exp(-(2.5 * (a * a - 1) ** 2 + 0.4 * a) / kT), lo, hi)[0]
        for lo, hi in ((-4, 0), (0, 4))
    ]
    expected = well[1] / sum(well)
    generator = seeded(3)
    start = 0.1 * torch.randn(600, 2, 2, generator=generator, dtype=torch.float64)
    langevin = Langevin(double_well, MASSES[:2], kT, timestep=0.05, friction=1.0)
    hmc = HMC(double_well, MASSES[:2], kT, timestep=0.2, steps=8)
    for sampler, burn, count, steps in ((langevin, 500, 60, 25), (hmc, 60, 100, 3)):
        state = sampler.advance(sampler.start(start, generator), burn, generator)
        x, _ = samples(sampler, state, count, steps, generator)
        value, error = mean_and_error((x[..., 0] > 0).double())
        assert error.max() < 0.015
        assert (abs(value - expected) < 4.5 * error).all(), (type(sampler), value, expected, error)


def test_continued_run_equals_the_whole_run():
    sampler = Langevin(double_well, MASSES[:2], kT=1.0, timestep=0.05, friction=1.0)
    generator = seeded(4)
    state = sampler.start(torch.zeros(5, 2, 2, dtype=torch.float64), generator)
    half = sampler.advance(state, 20, generator)
    saved, random = half.to_arrays(), generator.get_state()
    whole = sampler.advance(half, 20, generator)
    again = torch.Generator()
    again.set_state(random)
    continued = sampler.advance(State.from_arrays(saved), 20, again)
    for name in ("positions", "velocities", "forces", "energies"):
        assert torch.equal(getattr(whole, name), getattr(continued, name))


def test_fixed_center_stays_and_has_fewer_degrees_of_freedom():
    def springs(x):  # bonds 0–1 and 1–2 alone: nothing holds the centre
        return 1.5 * ((x[:, 1:] - x[:, :-1]) ** 2).sum((1, 2))

    generator = seeded(5)
    start = torch.randn(800, 3, 2, generator=generator, dtype=torch.float64)
    for sampler, steps in (
        (Langevin(springs, MASSES, 0.7, timestep=0.1, friction=1.0, fixed_center=True), 200),
        (HMC(springs, MASSES, 0.7, timestep=0.2, steps=10, fixed_center=True), 20),
    ):
        state = sampler.advance(sampler.start(start, generator), steps, generator)
        centre = (MASSES[:, None] * (state.positions - start)).sum(1)
        assert centre.abs().max() < 1e-11  # float64, some hundred steps
        energies = []
        for _ in range(40):
            state = sampler.advance(state, steps // 10, generator)
            energies.append(state.energies)
        value, error = mean_and_error(torch.stack(energies))
        assert abs(value - 0.7 * 2) < 4 * error  # four internal coordinates, each kT/2
        kinetic = 0.5 * (MASSES[:, None] * state.velocities**2).sum((1, 2))
        error = kinetic.std() / 800**0.5
        # Langevin's velocities: bias of (ω Δt/2)² < 1 %
        assert abs(kinetic.mean() - 0.7 * 2) < 4 * error + 0.01 * 1.4


def test_dynamics_that_breaks_down_is_an_error():
    sampler = Langevin(lambda x: (x**4).sum((1, 2)), MASSES, kT=1.0, timestep=5.0, friction=1.0)
    generator = seeded()
    state = sampler.start(torch.ones(4, 3, 2, dtype=torch.float64), generator)
    with pytest.raises(RunFailed, match="shorter time step"):
        sampler.advance(state, 100, generator)
    with pytest.raises(RunFailed, match="starting positions"):
        sampler.start(torch.full((4, 3, 2), 1e300, dtype=torch.float64), generator)


# --- velocities and units ---------------------------------------------------------------------


def test_maxwell_velocities_in_ase_units():
    """Root mean square speed of argon at 300 K, √(3 kT/m) = 432.8 m/s (kinetic theory)."""
    masses = inertia(np.array([39.948]), ASE)
    v = maxwell(torch.zeros(200_000, 1, 3, dtype=torch.float64), masses, ASE.boltzmann * 300, seeded(6))
    speed = (v**2).sum(-1).mean().sqrt() * 100  # Å/ps to m/s
    # relative error of ⟨v²⟩: √(2 / 6e5) = 0.18 %, half of it for the root
    assert abs(speed - 432.8) < 4 * 0.0009 * 432.8
    assert torch.equal(inertia(np.array([2.0]), LJ), torch.tensor([2.0], dtype=torch.float64))


def test_momenta_given_zero_total():
    v = maxwell(torch.zeros(100_000, 3, 2, dtype=torch.float64), MASSES, 1.3, seeded(7), fixed_center=True)
    assert (MASSES[:, None] * v).sum(1).abs().max() < 1e-12
    # covariance of the conditional Gaussian: ⟨v_i v_j⟩ = kT (δ_ij / m_i − 1 / M)
    expected = 1.3 * (torch.diag(1 / MASSES) - 1 / MASSES.sum())
    found = torch.einsum("bix,bjx->ij", v, v) / 200_000
    assert (found - expected).abs().max() < 5 * 1.3 * (2 / 200_000) ** 0.5


# --- Hamiltonian Monte Carlo ------------------------------------------------------------------


def test_hmc_is_exact_at_a_coarse_step():
    sampler = HMC(harmonic, MASSES, kT=0.7, timestep=0.9, steps=4)
    generator = seeded(8)
    state = sampler.start(torch.zeros(1000, 3, 2, dtype=torch.float64), generator)
    state = sampler.advance(state, 100, generator)
    _, probability = sampler.move(state, generator)
    assert 0.3 < probability.mean() < 0.97  # coarse enough that the Metropolis test matters
    x, v = samples(sampler, state, 150, 1, generator)
    for value, error, expected in (
        (*mean_and_error(x**2), 0.7 / STIFFNESS),
        (*mean_and_error(MASSES[:, None] * v**2), torch.full((3, 2), 0.7, dtype=torch.float64)),
    ):
        assert (abs(value - expected) < 4.5 * error).all(), (value, expected, error)


def test_hmc_energies_are_those_of_the_gamma_distribution():
    """U of six harmonic coordinates: mean 3 kT, variance 3 kT²."""
    sampler = HMC(harmonic, MASSES, kT=0.7, timestep=0.5, steps=6)
    generator = seeded(9)
    state = sampler.start(torch.zeros(1000, 3, 2, dtype=torch.float64), generator)
    state = sampler.advance(state, 60, generator)
    energies = []
    for _ in range(100):
        state = sampler.advance(state, 1, generator)
        energies.append(state.energies)
    energies = torch.stack(energies)
    assert torch.allclose(state.energies, harmonic(state.positions))
    for values, expected in ((energies, 2.1), ((energies - 2.1) ** 2, 3 * 0.49)):
        value, error = mean_and_error(values)
        assert abs(value - expected) < 4 * error


def test_hmc_adapts_each_temperature_to_the_target():
    kT = torch.tensor([0.1, 4.0], dtype=torch.float64).repeat(100)
    first = HMC(double_well, MASSES[:2], kT, timestep=0.01, steps=8)
    generator = seeded(10)
    state = first.start(torch.ones(200, 2, 2, dtype=torch.float64), generator)
    sampler, state = first.warmed_up(state, 200, generator, target=0.8)
    assert sampler.timestep.shape == (200,) and len(sampler.timestep.unique()) == 2
    assert (sampler.timestep > 0.1).all()  # it started ten times lower
    rates = []
    for _ in range(100):
        state, probability = sampler.move(state, generator)
        rates.append(probability)
    rate = torch.stack(rates).mean(0)
    for level in (0, 1):  # 10⁴ probabilities each; the step itself wanders by some percent
        assert abs(rate[level::2].mean() - 0.8) < 0.06


def test_hmc_rejects_what_ran_into_an_overlap():
    def wall(x):  # NaN beyond 1
        return torch.sqrt(1 - x[:, 0, 0]) * 0

    sampler = HMC(wall, MASSES[:1], 1.0, timestep=0.5, steps=3)
    generator = seeded(11)
    state = sampler.advance(sampler.start(torch.zeros(50, 1, 1).double(), generator), 30, generator)
    assert torch.isfinite(state.energies).all() and (state.positions <= 1).all()


# --- replica exchange -------------------------------------------------------------------------


class TwoLevels:
    """Draws a state of energy 0 or 1 anew with fixed odds, whatever the temperature.

    Metropolis of independent proposals: exact for two levels, and slow enough that swaps matter.
    """

    def __init__(self, kT):
        self.kT = kT

    def advance(self, state, steps, generator):
        for _ in range(steps):
            new = (torch.rand(len(self.kT), generator=generator, dtype=torch.float64) < 0.3).double()
            # proposal odds 0.3 : 0.7 corrected in the acceptance
            weight = torch.where(new > 0, 0.7 / 0.3, 1.0) / torch.where(state.energies > 0, 0.7 / 0.3, 1.0)
            ratio = weight * torch.exp((state.energies - new) / self.kT)
            accept = torch.rand(len(self.kT), generator=generator, dtype=torch.float64) < ratio
            energies = torch.where(accept, new, state.energies)
            x = energies.reshape(-1, 1, 1)
            state = State(x, state.velocities, state.forces, energies)
        return state


def test_swaps_keep_the_populations_of_two_levels():
    kT = torch.tensor([0.3, 0.6, 1.5], dtype=torch.float64)
    ensembles = 2000
    exchange = ReplicaExchange(TwoLevels(per_row(kT, ensembles)), kT, ensembles)
    zeros = torch.zeros(ensembles * 3, 1, 1, dtype=torch.float64)
    state, ladder = State(zeros, zeros.clone(), zeros.clone(), zeros[:, 0, 0]), exchange.begin()
    generator = seeded(12)
    state, ladder = exchange.advance(state, ladder, 30, 2, generator)
    kept = []
    for _ in range(60):
        state, ladder = exchange.advance(state, ladder, 1, 1, generator)
        kept.append(state.energies.reshape(ensembles, 3))
    value, error = mean_and_error(torch.stack(kept))
    p = 1 / (1 + torch.exp(1 / kT))
    assert (error < 0.004).all() and (abs(value - p) < 4 * error).all()
    # Exact acceptance of a pair: only (lower 0, upper 1) is ever refused, with 1 − e^(−Δβ).
    refused = (1 - p[:-1]) * p[1:] * (1 - torch.exp(1 / kT[1:] - 1 / kT[:-1]))
    spread = (refused * (1 - refused) / ladder.attempts).sqrt()
    assert (abs(ladder.acceptance - (1 - refused)) < 6 * spread).all()  # time steps are correlated


def ladder_run(generator, rounds=80):
    kT = geometric_ladder(0.1, 1.0, 5)
    ensembles = 60
    sampler = HMC(double_well, MASSES[:1], per_row(kT, ensembles), timestep=0.1, steps=5)
    exchange = ReplicaExchange(sampler, kT, ensembles)
    start = torch.tensor([1.0, 0.0], dtype=torch.float64).expand(5 * ensembles, 1, 2)  # the shallow well
    state, ladder = sampler.start(start, generator), exchange.begin()
    state, ladder = exchange.advance(state, ladder, 150, 2, generator)
    kept = []
    for _ in range(rounds):
        state, ladder = exchange.advance(state, ladder, 3, 2, generator)
        kept.append(state.positions.reshape(ensembles, 5, 2)[..., 0])
    return kT, torch.stack(kept), state, ladder


def test_replica_exchange_crosses_what_one_temperature_does_not():
    kT, x, _, ladder = ladder_run(seeded(13))
    value, error = mean_and_error((x > 0).double())
    for level, t in enumerate(kT.tolist()):
        well = [
            quad(lambda a, t=t: np.exp(-(2.5 * (a * a - 1) ** 2 + 0.4 * a) / t), lo, hi)[0]
            for lo, hi in ((-3, 0), (0, 3))
        ]
        # 60 ensembles; at kT = 0.1 the barrier is 25 kT: without swaps all would still be at x > 0.
        # The lowest population, 3e-4, is Poisson: 10 counts of 60 · 80 correlated frames more or less
        assert abs(value[level] - well[1] / sum(well)) < 4.5 * error[level] + 2e-3
    assert ladder.round_trips.sum() > 60  # each ensemble's configurations went up and down
    assert ((ladder.acceptance > 0.2) & (ladder.acceptance <= 1)).all()


def test_walkers_are_a_permutation_and_round_trips_are_counted():
    kT = geometric_ladder(1.0, 2.0, 3)

    class Still:
        def advance(self, state, steps, generator):
            return state

    # Equal energies: every exchange is accepted, so walkers move on a fixed track.
    exchange = ReplicaExchange(Still(), kT, 1)
    zeros = torch.zeros(3, 1, 1, dtype=torch.float64)
    velocities = kT.sqrt().reshape(-1, 1, 1).clone()
    state, ladder = State(zeros, velocities, zeros, zeros[:, 0, 0]), exchange.begin()
    tracks = []
    for _ in range(12):
        state, ladder = exchange.advance(state, ladder, 1, 1, seeded())
        tracks.append(ladder.walkers[0].tolist())
        assert sorted(tracks[-1]) == [0, 1, 2]
        # velocities that are √T at their level stay so wherever they go
        assert torch.allclose(state.velocities[:, 0, 0], kT.sqrt())
    assert tracks[:3] == [[1, 0, 2], [1, 2, 0], [2, 1, 0]]
    # Walker 0: up at the second exchange, home at the fifth (period 6), and at the eleventh.
    assert ladder.round_trips[0].tolist() == [2, 1, 1]
    assert ladder.attempts.tolist() == [6, 6] and torch.equal(ladder.acceptance, torch.ones(2))


def test_forces_and_energies_travel_with_their_configuration():
    _, _, state, ladder = ladder_run(seeded(14), rounds=3)
    assert torch.allclose(state.energies, double_well(state.positions))
    x = state.positions.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(double_well(x).sum(), x)
    assert torch.allclose(state.forces, -gradient)
    again = Ladder.from_arrays(ladder.to_arrays())
    assert torch.equal(again.walkers, ladder.walkers) and int(again.rounds) == int(ladder.rounds)


def test_same_seed_same_run_and_single_precision():
    first, second = ladder_run(seeded(15), rounds=2)[1], ladder_run(seeded(15), rounds=2)[1]
    assert torch.equal(first, second)
    sampler = Langevin(harmonic, MASSES, kT=1.0, timestep=0.1, friction=1.0)
    state = sampler.start(torch.zeros(2, 3, 2), seeded())
    assert sampler.advance(state, 3, seeded()).positions.dtype == torch.float32


def test_a_potential_with_its_own_forces_is_asked_for_both():
    class Spring:
        calls = 0

        def __call__(self, x):
            raise AssertionError("asked for the energy alone")

        def energy_and_forces(self, x):
            self.calls += 1
            return harmonic(x), -STIFFNESS * x

    spring = Spring()
    sampler = HMC(spring, MASSES, 1.0, timestep=0.1, steps=3)
    generator = seeded()
    sampler.advance(sampler.start(torch.ones(2, 3, 2, dtype=torch.float64), generator), 2, generator)
    assert spring.calls == 7  # one at the start, three for each iteration
