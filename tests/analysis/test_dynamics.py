"""Displacements, correlation and implied time scales, Rouse modes, friction, beside exact dynamics."""

from __future__ import annotations

import numpy as np
import pytest

from zoo.analysis.dynamics import (
    Estimate,
    autocorrelation,
    correlation_time,
    mean_square_displacement,
    rouse_relaxation,
    slowest_timescale,
    speed_up,
)
from zoo.analysis.friction import noise_friction
from zoo.analysis.polymers import free_displacement_squared
from zoo.analysis.tica import implied_timescales, tica
from zoo.errors import DataError


def ornstein_uhlenbeck(rng, runs: int, frames: int, decay: float, dimension: int = 3) -> np.ndarray:
    """`[runs, frames, dimension]` of unit variance with C(k) = exp(−k / decay), exactly."""
    keep = np.exp(-1 / decay)
    noise = rng.standard_normal((frames, runs, dimension))
    out = np.empty_like(noise)
    out[0] = noise[0]
    for k in range(1, frames):
        out[k] = keep * out[k - 1] + np.sqrt(1 - keep**2) * noise[k]
    return out.swapaxes(0, 1)


def test_overdamped_oscillator():
    """⟨Δr²⟩ = 6 (1 − exp(−t/τ)) of unit variance, and C(t) = exp(−t/τ); 64 runs of 100 τ: errors of 2 %."""
    tau = 20.0
    x = ornstein_uhlenbeck(np.random.default_rng(0), 64, 2000, tau)
    runs = list(x[:, :, None])
    lags = [1, 5, 20, 60, 200]
    moved = mean_square_displacement(runs, lags)
    assert moved.center == pytest.approx(6 * -np.expm1(-np.array(lags) / tau), rel=0.04)
    assert moved.internal == pytest.approx(np.zeros(5), abs=1e-20)  # one particle is its own centre
    correlation = autocorrelation(list(x), 150)
    assert correlation[:60] == pytest.approx(np.exp(-np.arange(60) / tau), abs=0.04)
    assert correlation_time(correlation) == pytest.approx(tau, rel=0.06)
    assert np.isnan(correlation_time(correlation[:30]))


def test_displacement_is_split_into_centre_and_rest():
    """Two particles of masses 1 and 3: the centre goes its way, and the rest knows nothing of it."""
    rng = np.random.default_rng(1)
    center, arm = rng.standard_normal((2, 50, 3))
    x = center[:, None] + arm[:, None] * np.array([0.75, -0.25])[:, None]
    found = mean_square_displacement([x], [3], masses=np.array([1.0, 3.0]))
    assert found.center[0] == pytest.approx(((center[3:] - center[:-3]) ** 2).sum(-1).mean())
    expected = ((arm[3:] - arm[:-3]) ** 2).sum(-1).mean() * (0.75**2 + 0.25**2) / 2
    assert found.internal[0] == pytest.approx(expected)
    assert np.isnan(mean_square_displacement([x], [50]).center[0])


def test_free_langevin_particle_diffuses_by_einstein():
    """The zoo's own dynamics: D = kT / (m γ), ballistic at first. 500 particles: 4 % at any time."""
    import torch

    from zoo.physics.samplers import Langevin

    kT, mass, rate, h, every = 0.7, 2.0, 1.5, 0.05, 10
    generator = torch.Generator().manual_seed(0)
    dynamics = Langevin(lambda x: 0 * x.sum((1, 2)), torch.tensor([mass]), kT, h, rate)
    state = dynamics.start(torch.zeros(500, 1, 3, dtype=torch.float64), generator)
    frames = [state.positions]
    for _ in range(100):
        state = dynamics.advance(state, every, generator)
        frames.append(state.positions)
    runs = list(torch.stack(frames, 1).numpy())
    lags = np.array([1, 4, 20])
    found = mean_square_displacement(runs, lags).center
    expected = free_displacement_squared(lags * every * h, kT / (mass * rate), rate)
    assert found == pytest.approx(expected, rel=0.05)


def test_tica_unmixes_processes_of_known_times():
    """Three independent processes, mixed by a matrix: their times and themselves come out again."""
    rng = np.random.default_rng(2)
    times = (50.0, 12.0, 3.0)
    x = np.concatenate([ornstein_uhlenbeck(rng, 40, 1500, t, 1) for t in times], axis=2)
    mixed = x @ rng.standard_normal((3, 3)) + 5
    found = tica(list(mixed), 5)
    assert found.timescales == pytest.approx(times, rel=0.12)
    projected = np.concatenate([found.project(r) for r in mixed])
    planted = x.reshape(-1, 3)
    for k in range(3):
        assert abs(np.corrcoef(projected[:, k], planted[:, k])[0, 1]) > 0.98
    assert np.cov(projected.T) == pytest.approx(np.eye(3), abs=0.02)
    assert implied_timescales(list(mixed), [2, 10, 2000], 1)[:2, 0] == pytest.approx(50, rel=0.15)
    assert np.isnan(implied_timescales(list(mixed), [2000], 1)).all()
    # a column that is the sum of two others changes nothing
    redundant = np.concatenate([mixed, mixed[..., :1] + mixed[..., 1:2]], axis=2)
    assert tica(list(redundant), 5).timescales == pytest.approx(found.timescales)
    with pytest.raises(DataError, match="no run is longer"):
        tica(list(mixed), 1500)
    with pytest.raises(DataError, match="nothing varies"):
        tica([np.ones((20, 2))], 1)


def test_speed_up_is_the_ratio_of_the_clocks():
    """A model that is 4 times faster, with an error that covers the truth and shrinks with data."""
    rng = np.random.default_rng(3)
    slow, fast = (ornstein_uhlenbeck(rng, 40, 1000, t, 2) for t in (40.0, 10.0))
    ratio = speed_up(*(slowest_timescale(list(x), 5) for x in (slow, fast)))
    assert abs(ratio.value - 4) < 3 * ratio.error and ratio.error < 0.8
    few = speed_up(*(slowest_timescale(list(x[:5]), 5) for x in (slow, fast)))
    assert few.error > ratio.error
    exact = speed_up(Estimate(10, 1), Estimate(5, 0))
    assert exact == Estimate(2.0, pytest.approx(0.2))


@pytest.mark.parametrize("ring", [True, False])
def test_ideal_rouse_chain(ring):
    """Overdamped springs: τ_p = ζ / (4 k sin²(π p / N)), or π p / 2N of a linear chain.

    Simulated exactly, in the eigenvectors of the chain's own matrix and not in Rouse's modes. 200 runs of
    many τ: 8 %; the ends' free translation has no τ and must not matter.
    """
    beads, dt, frames, count = 12, 0.1, 500, 200
    matrix = 2 * np.eye(beads) - np.eye(beads, k=1) - np.eye(beads, k=-1)
    if ring:
        matrix[0, -1] = matrix[-1, 0] = -1
    else:
        matrix[0, 0] = matrix[-1, -1] = 1
    rates, vectors = np.linalg.eigh(matrix)
    rng = np.random.default_rng(4)
    inner, rates = vectors[:, 1:], rates[1:]
    amplitude = rng.standard_normal((count, beads - 1, 3)) / np.sqrt(rates)[:, None]
    keep = np.exp(-rates * dt)[:, None]
    x = np.empty((count, frames, beads, 3))
    center = np.zeros((count, 3))
    for k in range(frames):
        x[:, k] = np.einsum("bm,cmx->cbx", inner, amplitude) + center[:, None]
        kick = rng.standard_normal(amplitude.shape) * np.sqrt((1 - keep**2) / rates[:, None])
        amplitude = keep * amplitude + kick
        center = center + rng.standard_normal(center.shape) * np.sqrt(2 * dt / beads)
    modes = [1, 2, 3]
    found = dt * np.array(rouse_relaxation(list(x), ring, modes, 300), float)
    p = np.array(modes)
    expected = 1 / (4 * np.sin(np.pi * p / (beads if ring else 2 * beads)) ** 2)
    assert found == pytest.approx(expected, rel=0.08)


# --- friction ---------------------------------------------------------------------------------


def test_bath_of_known_memory_on_particles_that_are_held():
    """⟨δF δF⟩ = kT k exp(−t k/ζ) in each direction gives Γ = ζ: here 2.0 and 0.5, kT = 0.6."""
    rng = np.random.default_rng(5)
    kT, stiffness, zeta, dt = 0.6, 10.0, np.array([2.0, 0.5]), 0.01
    runs = np.stack(
        [np.sqrt(kT * stiffness) * ornstein_uhlenbeck(rng, 30, 4000, z / stiffness / dt) for z in zeta],
        axis=2,
    )
    found = noise_friction(list(runs), dt, kT, 400)
    assert found.resolved and (found.error < 0.1 * zeta).all()
    assert (np.abs(found.gamma - zeta) < 4 * found.error + 0.01 * zeta).all()
    # saved too seldom: said, not hidden
    assert not noise_friction(list(runs[:, ::40]), 40 * dt, kT, 10).resolved
    with np.errstate(invalid="ignore"):
        short = noise_friction(list(runs), dt, kT, 3)
    assert np.isnan(short.gamma).all() and np.isnan(short.decay).all()


def test_moving_particle_in_a_bath():
    """A particle in a trap, coupled by a spring to a hidden overdamped one (its memory): Γ = ζ.

    The hidden particle makes no mean force: δF = F − (−K x). The particle is slow (its period is 60 times
    the memory), so that the plateau stands; what it moves meanwhile costs some percent.
    """
    rng = np.random.default_rng(6)
    kT, mass, trap, spring, zeta, dt, every = 1.0, 100.0, 1.0, 4.0, 4.0, 0.01, 5
    count, frames = 200, 1200
    x = rng.standard_normal((count, 3)) * np.sqrt(kT / trap)
    y = x + rng.standard_normal((count, 3)) * np.sqrt(kT / spring)
    v = rng.standard_normal((count, 3)) * np.sqrt(kT / mass)
    keep = np.exp(-spring / zeta * dt)
    noise = []
    for step in range(frames * every):
        force = -trap * x + spring * (y - x)
        if step % every == 0:
            noise.append(force + trap * x)
        v = v + dt * force / mass
        x = x + dt * v
        y = x + keep * (y - x) + np.sqrt((1 - keep**2) * kT / spring) * rng.standard_normal((count, 3))
    runs = list(np.array(noise).swapaxes(0, 1)[:, :, None])
    found = noise_friction(runs, dt * every, kT, 200)
    assert found.resolved
    assert found.gamma[0] == pytest.approx(zeta, rel=0.1)
