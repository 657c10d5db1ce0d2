"""The flow: its density, its start, and that flow matching finds a known distribution."""

from __future__ import annotations

import math

import pytest
import torch
from equivariant_cases import frames, made

from zoo.errors import ConfigError
from zoo.models.equivariant_flow.config import EquivariantFlowConfig
from zoo.models.equivariant_flow.model import EquivariantFlow
from zoo.models.equivariant_flow.prior import RotationInvariantGaussian
from zoo.physics.coordinates import CenteredCartesian
from zoo.physics.target import BoltzmannTarget


@pytest.mark.parametrize("field", ["egnn", "gat"])
def test_density_integrates_to_one_on_two_particles_in_the_plane(field: str) -> None:
    model = made(particles=2, space=2, field=field, tolerance=1e-4)
    side = torch.linspace(-7, 7, 41, dtype=torch.float64)
    grid = torch.cartesian_prod(side, side)
    with torch.no_grad():
        density = model.log_density(grid).exp()
        start = model.prior.log_density(grid).exp()
    cell = float(side[1] - side[0]) ** 2
    assert float(density.sum()) * cell == pytest.approx(1, abs=2e-3)
    assert float((density - start).abs().sum()) * cell > 0.05  # it has moved


def test_likelihood_agrees_with_another_solver_at_tighter_tolerance() -> None:
    model = made(tolerance=1e-4)
    with torch.no_grad():
        q, log_q = model.draw(8, torch.Generator().manual_seed(0))
        model.config = model.config.model_copy(update={"solver": "rk4", "steps": 100})
        fine = model.log_density(q)
    assert (fine - model.prior.log_density(q)).abs().max() > 0.1
    assert torch.allclose(log_q, fine, atol=1e-2)


def test_hutchinson_is_unbiased_along_the_whole_flow() -> None:
    exact, estimate = (
        made(solver="rk4", steps=8),
        made(solver="rk4", steps=8, divergence="hutchinson", probes=4),
    )
    q = exact.coordinates.from_cartesian(frames(exact, 1))[0]
    with torch.no_grad():
        torch.manual_seed(0)
        many = estimate.log_density(q.expand(300, -1))
        error = float(many.std()) / len(many) ** 0.5
        assert 1e-4 < error
        assert abs(float(many.mean() - exact.log_density(q)[0])) < 4 * error


def test_density_knows_no_orientation_and_no_order() -> None:
    model = made(tolerance=1e-7)
    x = frames(model, 3)
    turn = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(1), dtype=x.dtype)).Q
    assert torch.allclose(model.log_prob(x @ turn), model.log_prob(x), atol=1e-5)
    assert torch.allclose(model.log_prob(x[:, [4, 2, 0, 1, 3]]), model.log_prob(x), atol=1e-5)


def test_gaussian_of_a_phantom_chain() -> None:
    """Rouse's chain: its scalar products are found again, and its entropy is that of its bonds."""
    n, generator = 12, torch.Generator().manual_seed(0)
    bonds = torch.randn(20_000, n - 1, 3, generator=generator, dtype=torch.float64)
    x = torch.cat([torch.zeros(20_000, 1, 3, dtype=torch.float64), bonds.cumsum(1)], 1)
    coordinates = CenteredCartesian(n)
    prior = RotationInvariantGaussian(coordinates).double()
    q = coordinates.from_cartesian(x)[0]
    prior.fit(q, isotropic=False)
    y = coordinates.to_cartesian(prior.draw(20_000, generator))[0]
    ends = (y[:, -1] - y[:, 0]).square().sum(1).mean()
    assert float(ends) == pytest.approx(3 * (n - 1), rel=0.03)
    # bonds are unit normal, and |dq/dbonds| = N^(-3/2)
    entropy = 1.5 * (n - 1) * math.log(2 * math.pi * math.e) - 1.5 * math.log(n)
    assert float(-prior.log_density(q).mean()) == pytest.approx(entropy, abs=0.3)


def test_width_is_chosen_by_the_energy() -> None:
    """Of a harmonic trap the best Gaussian is the exact one, of width √(kT/k)."""
    coordinates = CenteredCartesian(4)
    target = BoltzmannTarget(lambda x: 0.5 * 9.0 * x.square().sum((1, 2)), coordinates, kT=4.0)
    prior = RotationInvariantGaussian(coordinates).double()
    prior.fit_energy(target)
    assert float(prior.factor[0, 0]) == pytest.approx(2 / 3, rel=0.1)
    assert target.evaluations == 25 * 200


@pytest.mark.parametrize("field", ["egnn", "gat"])
def test_matching_learns_a_distance(field: str) -> None:
    """Two particles at a distance of 2 ± 0.1: ⟨r⟩, its spread and the entropy of the draws follow."""
    generator = torch.Generator().manual_seed(0)
    r = 2 + 0.1 * torch.randn(2000, generator=generator)
    angle = 2 * math.pi * torch.rand(2000, generator=generator)
    half = 0.5 * r[:, None] * torch.stack([angle.cos(), angle.sin()], 1)
    x = torch.nn.functional.pad(torch.stack([half, -half], 1), (0, 1))
    model = made(particles=2, space=2, noise=0.0, field=field, num_gaussians=24).float()
    model.prepare(None, x)
    q = model.coordinates.from_cartesian(x)[0]
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    torch.manual_seed(1)
    for step in range(300):
        for group in optimizer.param_groups:
            group["lr"] = 1e-2 * (1 - step / 300)
        optimizer.zero_grad()
        model.matching_loss(q[torch.randint(2000, (128,))]).backward()
        optimizer.step()
    drawn, _ = model.sample(1000, generator)
    d = torch.linalg.vector_norm(drawn[:, 0] - drawn[:, 1], dim=-1)
    assert float(d.mean()) == pytest.approx(2, abs=0.05)
    assert float(d.std()) < 0.25  # the Gaussian that it starts from has 1.05
    # q = (x0 − x1)/√2 in the plane: entropy of r, of the angle, and of the Jacobian r/2
    exact = 0.5 * math.log(2 * math.pi * math.e * 0.01) + math.log(2 * math.pi) + math.log(2 / 2)
    nll = float(-model.log_prob(x[:500]).mean())
    assert exact - 0.1 < nll < exact + 0.4


def test_what_it_cannot_do_is_said() -> None:
    with pytest.raises(ValueError, match="Cartesian"):
        EquivariantFlowConfig(coordinates="internal")
    with pytest.raises(ValueError, match="divide"):
        EquivariantFlowConfig(field="gat", hidden_channels=10, heads=4)
    info = made().info.model_copy(update={"interface": "potential"})
    with pytest.raises(ConfigError, match="densities"):
        EquivariantFlow(EquivariantFlowConfig(), info)
