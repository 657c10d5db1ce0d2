"""The two levels of hierarchical-flow: what depends on what, where it starts, and what heat does."""

from __future__ import annotations

import math

import peroxide
import pytest
import torch

from zoo.data.catalog import open_dataset
from zoo.data.info import DataInfo, data_info
from zoo.errors import ConfigError
from zoo.models.hierarchical_flow.model import HierarchicalConfig, HierarchicalFlow
from zoo.physics.energy import from_openmm
from zoo.physics.relax import laplace
from zoo.physics.target import BoltzmannTarget

SMALL = HierarchicalConfig(bins=8, torsion_hidden=8, hidden=16, couplings=2)


def build(config=SMALL):
    info = DataInfo(
        interface="density", units="ase", types=[1, 8], num_particles=4, particle_types=[1, 8, 8, 1],
        bonds=[(0, 1), (1, 2), (2, 3)], reference=peroxide.positions(1)[0].tolist(), kT=peroxide.KT_EV,
    )  # fmt: skip
    torch.manual_seed(0)
    model = HierarchicalFlow(config, info).double()
    return model, BoltzmannTarget(from_openmm(peroxide.XML), model.coordinates, peroxide.KT_EV)


def stirred(model):
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.2 * torch.randn_like(parameter)
    return model


def seeded(seed=1):
    return torch.Generator().manual_seed(seed)


def test_untrained_it_is_the_laplace_approximation():
    """Uniform torsion, and local coordinates with just the mean and covariance of the relaxed minimum."""
    model, target = build()
    model.prepare(target, None)
    found = laplace(target, model.coordinates.from_cartesian(torch.tensor(peroxide.positions(1)))[0][0])
    with torch.no_grad():
        q, log_q = model.draw(20_000, seeded())
    normal = torch.distributions.MultivariateNormal(found.mean, scale_tril=found.factor)
    torch.testing.assert_close(log_q, normal.log_prob(q[:, 1:]) - math.log(2 * math.pi), rtol=0, atol=1e-9)
    white = torch.linalg.solve_triangular(found.factor, (q[:, 1:] - found.mean).T, upper=False)
    assert (white @ white.T / 20_000 - torch.eye(5)).abs().max() < 0.05  # 5 standard errors
    assert abs(float(q[:, 0].cos().mean())) < 0.025 and abs(float(q[:, 0].sin().mean())) < 0.025


def test_heat_widens_the_local_level_alone():
    """Variances are proportional to T, whatever was learned; the torsions are as they were."""
    model, target = build()
    model.prepare(target, None)
    stirred(model)
    cold, log_cold = model.draw(50, seeded())
    model.rescale(4.0)
    hot, log_hot = model.draw(50, seeded())
    assert torch.equal(hot[:, 0], cold[:, 0])
    torch.testing.assert_close(hot[:, 1:] - model.mean, 2 * (cold[:, 1:] - model.mean))
    torch.testing.assert_close(log_hot, log_cold - 5 * math.log(2))
    torch.testing.assert_close(model.log_density(hot), log_hot, rtol=0, atol=1e-8)


def test_the_torsion_density_integrates_to_one():
    """And so does the local level given a torsion: the mean weight of a wider normal density."""
    model, target = build()
    model.prepare(target, None)
    stirred(model)
    with torch.no_grad():
        phi = torch.linspace(-math.pi, math.pi, 20_001, dtype=torch.float64)[:-1, None]
        assert float(model.log_torsions(phi).exp().mean() * 2 * math.pi) == pytest.approx(1, abs=1e-4)
        wide = torch.distributions.MultivariateNormal(model.mean, scale_tril=2.5 * model.factor)
        torch.manual_seed(0)
        y = wide.sample((100_000,))
        w = (model.log_local(y, torch.full((len(y), 1), 0.7).double()) - wide.log_prob(y)).exp()
        assert abs(float(w.mean()) - 1) < 4 * float(w.std()) / len(w) ** 0.5 < 0.1


def test_torsions_come_first():
    """log q splits into two levels; torsions do not see what is local, the local level sees torsions."""
    model, target = build()
    model.prepare(target, None)
    stirred(model)
    q = model.draw(20, seeded())[0].detach().requires_grad_()
    log_t = model.log_torsions(q[:, :1])
    (slope,) = torch.autograd.grad(log_t.sum(), q)
    assert not slope[:, 1:].any()
    log_y = model.log_local(q[:, 1:], q[:, :1])
    (slope,) = torch.autograd.grad(log_y.sum(), q)
    assert (slope[:, 0] != 0).all()
    torch.testing.assert_close(log_t + log_y, model.log_density(q))
    around = q.detach().clone()
    around[:, 0] += 2 * math.pi  # a full turn
    torch.testing.assert_close(model.log_local(around[:, 1:], around[:, :1]), log_y.detach())


def test_methyls_come_last_and_their_sectors_are_periods():
    """Of alanine dipeptide: φ and ψ before the ω, those before the three methyl rotors."""
    data = open_dataset("alanine-dipeptide")
    model = HierarchicalFlow(SMALL, data_info(data.split("train"), "density"))
    periods = [model.coordinates.periods[i] for i in model.order]
    assert periods == pytest.approx([2 * math.pi] * 4 + [2 * math.pi / 3] * 3)
    kinds = [model.coordinates.zmatrix.kinds[model.coordinates.torsion_rows[i]] for i in model.order]
    assert kinds[:4] == ["rotor", "rotor", "amide", "amide"]
    q, log_q = model.draw(16, seeded())
    t = q[:, : model.coordinates.circular]
    assert (t.abs() <= torch.tensor(model.coordinates.periods) / 2 + 1e-6).all()
    torch.testing.assert_close(model.log_density(q), log_q, rtol=0, atol=2e-2)


def test_from_data_it_starts_at_their_mean_and_covariance():
    model, _ = build()
    x = torch.tensor(peroxide.positions(400, seed=2))
    model.prepare(None, x)
    local = model.coordinates.from_cartesian(x)[0][:, 1:]
    torch.testing.assert_close(model.mean, local.mean(0))
    torch.testing.assert_close(model.factor @ model.factor.T, local.T.cov(), rtol=1e-2, atol=2e-8)
    with pytest.raises(ConfigError, match="an energy function or data"):
        model.prepare(None, None)


def test_marginals_of_torsions_learn_faster():
    groups = build()[0].parameter_groups()
    counts = {factor: sum(p.numel() for p in found) for factor, found in groups.items()}
    model = build()[0]
    assert counts[10.0] == model.torsions.marginal.numel()
    assert sum(counts.values()) == sum(p.numel() for p in model.parameters())


def test_loose_particles_have_no_torsions():
    info = data_info(open_dataset("dw4").split("train"), "density")
    with pytest.raises(ConfigError, match="needs internal coordinates"):
        HierarchicalFlow(SMALL, info)
