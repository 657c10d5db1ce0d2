"""Annealed importance sampling against integrals that are known."""

from __future__ import annotations

import math

import pytest
import torch
from scipy.integrate import quad
from scipy.special import i0, i1

from zoo.physics.samplers import AIS

CHAINS = 4000


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def normal(x):
    """Standard normal, normalised."""
    return -0.5 * (x * x).sum(1) - 0.5 * x.shape[1] * math.log(2 * math.pi)


def draws(dim, seed, chains=CHAINS):
    return torch.randn(chains, dim, generator=seeded(seed), dtype=torch.float64)


def weighted(result, values):
    """Self-normalised average and its standard error (delta method)."""
    w = (result.log_weights - result.log_weights.max()).exp()
    w = w / w.sum()
    mean = (w * values).sum()
    return mean, (w**2 * (values - mean) ** 2).sum().sqrt()


def mean_weight(result):
    """Mean weight and its standard error: chains are independent."""
    w = result.log_weights.exp()
    return w.mean(), w.std() / len(w) ** 0.5


MEAN, WIDTH = torch.tensor([1.5, -1.0, 0.5, 0.0]).double(), torch.tensor([0.6, 1.2, 0.8, 0.4]).double()


def shifted(x):
    """Gaussian of other means and widths, not normalised: Z = Π σ √(2π)."""
    return -0.5 * (((x - MEAN) / WIDTH) ** 2).sum(1)


@pytest.mark.parametrize("levels, timestep", [(10, 0.4), (2, 0.7)])  # 2: far from equilibrium
def test_gaussian_to_gaussian(levels, timestep):
    beta = torch.arange(1, levels + 1).double() / (levels + 1)
    result = AIS(normal, shifted, beta, timestep).run(draws(4, 1), seeded(2))
    exact = float(WIDTH.prod()) * (2 * math.pi) ** 2
    value, error = mean_weight(result)
    assert error < 0.08 * exact  # the comparison is sharp …
    assert abs(value - exact) < 4 * error  # … and four standard errors of 4000 independent weights
    for i in range(4):
        mean, error = weighted(result, result.positions[:, i])
        assert abs(mean - MEAN[i]) < 4 * error
        square, error = weighted(result, (result.positions[:, i] - MEAN[i]) ** 2)
        assert abs(square - WIDTH[i] ** 2) < 4 * error
    torch.testing.assert_close(result.log_target, shifted(result.positions))
    torch.testing.assert_close(result.log_start, normal(result.positions))


def test_annealing_is_worth_its_steps():
    plain = AIS(normal, shifted, torch.zeros(0)).run(draws(4, 1), seeded())
    torch.testing.assert_close(plain.log_weights, shifted(draws(4, 1)) - normal(draws(4, 1)))
    beta = torch.linspace(0, 1, 22).double()[1:-1]
    annealed = AIS(normal, shifted, beta, 0.4).run(draws(4, 1), seeded())
    spread = [(r.log_weights - r.log_weights.max()).exp() for r in (plain, annealed)]
    ess = [float(w.sum() ** 2 / (w * w).sum()) / CHAINS for w in spread]
    # plain: Π ⟨w⟩²/⟨w²⟩ of the four Gaussians, by hand, is 1.2 %
    assert ess[0] < 0.05 and ess[1] > 0.5


def test_the_final_density_can_be_the_square_over_the_start():
    """α = 2: p²/q of Gaussians is a Gaussian of precision 2/σ² − 1."""
    width = torch.tensor([0.6, 1.1]).double()

    def target(x):
        return -0.5 * ((x - 1) ** 2 / width**2).sum(1)

    beta = torch.linspace(0, 1, 12).double()[1:]  # also moves at β = 1
    result = AIS(normal, target, beta, 0.4, alpha=2.0).run(draws(2, 3), seeded(4))
    precision = 2 / width**2 - 1
    centre = 2 / width**2 / precision
    height = precision * centre**2 / 2 - 1 / width**2
    exact = float(((2 * math.pi) * precision**-0.5 * height.exp()).prod())
    value, error = mean_weight(result)
    assert error < 0.08 * exact and abs(value - exact) < 4 * error
    for i in range(2):
        mean, error = weighted(result, result.positions[:, i])
        assert error < 0.05 and abs(mean - centre[i]) < 4 * error
    # under it ⟨q/p⟩ = ∫p / ∫p²/q
    back, error = weighted(result, (result.log_start - result.log_target).exp())
    assert abs(back - float(width.prod()) * 2 * math.pi / exact) < 4 * error


def test_double_well():
    """Both wells with their weights, from a start that lies in one of them."""

    def well(a):
        return 6 * (a * a - 1) ** 2 + 0.8 * a

    def start(x):
        return -0.5 * (((x - 0.8) / 0.7) ** 2).sum(1) - math.log(0.7 * math.sqrt(2 * math.pi))

    left, right = (quad(lambda a: math.exp(-well(a)), *ends)[0] for ends in ((-3, 0), (0, 3)))
    beta = torch.linspace(0, 1, 22).double()[1:-1]
    sampler = AIS(start, lambda x: -well(x[:, 0]), beta, 0.15, steps=6)
    result = sampler.run(0.8 + 0.7 * draws(1, 5), seeded(6))
    value, error = mean_weight(result)
    assert error < 0.1 * (left + right) and abs(value - left - right) < 4 * error
    share, error = weighted(result, (result.positions[:, 0] < 0).double())
    assert error < 0.05 and abs(share - left / (left + right)) < 4 * error


def test_a_circle_and_scaled_coordinates():
    """Von Mises × Gaussian: the mode lies on the seam, and the two coordinates differ 100-fold in width."""
    kappa = 4.0

    def target(x):
        return kappa * torch.cos(x[:, 0] - 3.1) - 0.5 * (x[:, 1] / 0.005) ** 2

    def start(x):
        return -0.5 * (x[:, 1] / 0.01) ** 2 - math.log(0.01 * math.sqrt(2 * math.pi) * 2 * math.pi)

    def wrap(x):
        angle = torch.remainder(x[:, :1] + math.pi, 2 * math.pi) - math.pi
        return torch.cat([angle, x[:, 1:]], 1)

    first = 2 * math.pi * (torch.rand(CHAINS, 1, generator=seeded(7), dtype=torch.float64) - 0.5)
    x = torch.cat([first, 0.01 * draws(1, 8)], 1)
    beta = torch.linspace(0, 1, 12).double()[1:-1]
    sampler = AIS(start, target, beta, 0.5, scale=torch.tensor([1.0, 0.008]), wrap=wrap)
    result = sampler.run(x, seeded(9))
    assert (result.positions[:, 0].abs() <= math.pi).all() and (result.acceptance > 0.5).all()
    exact = 2 * math.pi * i0(kappa) * 0.005 * math.sqrt(2 * math.pi)
    value, error = mean_weight(result)
    assert error < 0.05 * exact and abs(value - exact) < 4 * error
    cosine, error = weighted(result, torch.cos(result.positions[:, 0] - 3.1))
    assert abs(cosine - i1(kappa) / i0(kappa)) < 4 * error


def test_beyond_the_domain_nothing_counts():
    """Half a Gaussian, NaN elsewhere: chains that begin outside keep the weight zero; the mean is right."""

    def half(x):
        return torch.where(x[:, 0] > 0, -0.5 * (x * x).sum(1), torch.nan)

    result = AIS(normal, half, torch.tensor([0.3, 0.7]), 0.5).run(draws(2, 10), seeded(11))
    outside = result.log_weights == -torch.inf
    assert 0.4 < outside.double().mean() < 0.6 and not result.log_weights.isnan().any()
    assert (result.positions[~outside, 0] > 0).all()
    value, error = mean_weight(result)
    assert abs(value - math.pi) < 4 * error


def test_steps_adapt_to_the_acceptance_that_is_asked_for():
    levels = torch.linspace(0.1, 1, 10).double()
    sampler = AIS(normal, lambda x: -15 * ((x - 0.1) ** 2).sum(1), levels, timestep=0.02)
    for seed in range(60):
        sampler = sampler.adapted(sampler.run(draws(20, seed, 200), seeded(seed)).acceptance)
    result = sampler.run(draws(20, 99, 1000), seeded(99))
    # the steps wander with the noise of 200 chains
    assert ((result.acceptance - 0.65).abs() < 0.1).all(), result.acceptance
    # the density gets stiffer with β, 1 + 29 β: the same acceptance at a step in units of its width
    step = sampler.timestep * (1 + 29 * levels).sqrt()
    assert sampler.timestep[0] > 1.5 * sampler.timestep[-1] and (step / step.mean() - 1).abs().max() < 0.1


def test_evaluations_are_counted_and_given_gradients_used():
    class Target:
        rows = 0

        def log_density_and_gradient(self, x):
            self.rows += len(x)
            return shifted(x), -(x - MEAN) / WIDTH**2, "energy"

    target, levels = Target(), torch.tensor([0.3, 0.6, 1.0])
    sampler = AIS(normal, target, levels, 0.3, steps=3, iterations=2)
    result = sampler.run(draws(4, 12, 50), seeded(13))
    assert target.rows == 50 * sampler.evaluations == 50 * (1 + 3 * 2 * 3)
    by_autograd = AIS(normal, shifted, levels, 0.3, steps=3, iterations=2).run(draws(4, 12, 50), seeded(13))
    torch.testing.assert_close(result.log_weights, by_autograd.log_weights)
    assert torch.equal(result.positions, sampler.run(draws(4, 12, 50), seeded(13)).positions)


@pytest.mark.parametrize("levels", [[0.0, 0.5], [0.5, 0.5], [0.6, 0.4], [0.5, 1.1]])
def test_levels_that_do_not_ascend_are_refused(levels):
    with pytest.raises(ValueError, match="ascend"):
        AIS(normal, shifted, torch.tensor(levels))
