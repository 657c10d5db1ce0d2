"""Flows that are a stack of bijections: the whole Jacobian; whitening; the mixture's weights."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

import zoo
from zoo.data.info import DataInfo, data_info
from zoo.models.flows.composed import ComposedFlow
from zoo.models.flows.whitening import Whitening
from zoo.models.mixture_flow.base import WIDEST, TorusMixture
from zoo.physics.coordinates import CenteredCartesian
from zoo.registry import REGISTRY
from zoo.testing.density_cases import chain_info, particles_info
from zoo.testing.subject import perturb


def stacks() -> list[str]:
    names = [e.name for e in REGISTRY.entries("models") if e.builtin]
    specs = {name: REGISTRY.get("models", name) for name in names}
    return [
        n
        for n, s in specs.items()
        if "density" in s.tasks and issubclass(REGISTRY.load_target(s), ComposedFlow)
    ]


def build(name: str, info: DataInfo, **options: object) -> ComposedFlow:
    torch.manual_seed(0)
    spec = REGISTRY.get("models", name)
    return REGISTRY.load_target(spec)(REGISTRY.load_config(spec)(**options), info)


@pytest.mark.parametrize("name", stacks())
@pytest.mark.parametrize("coordinates", ["internal", "mixed", "cartesian"])
def test_volume_is_that_of_autograd(name: str, coordinates: str) -> None:
    """log q(q) − log base(u) = log |du/dq| by autograd, with either sort of coordinates."""
    model = build(name, chain_info(), coordinates=coordinates)
    perturb(model)
    model.double()
    q = model.draw(2, torch.Generator().manual_seed(1))[0].detach()
    for row in q:
        jacobian = torch.autograd.functional.jacobian(lambda x: model.unbent(x[None])[0][0], row)
        base = model.base.log_density(model.unbent(row[None])[0])
        volume = model.log_density(row[None]) - base
        assert torch.linalg.slogdet(jacobian)[1].item() == pytest.approx(volume.item(), abs=1e-7)


@pytest.mark.parametrize("name", stacks())
def test_starts_as_its_base(name: str) -> None:
    """Untrained, log q is the control's, up to 0.4 a torsion: mixture and logistic are not quite even."""
    model, control = build(name, chain_info()).double(), build("laplace", chain_info()).double()
    q = control.draw(64, torch.Generator().manual_seed(2))[0]
    off = (model.log_density(q) - control.log_density(q)).median().abs()
    assert off < 0.4 * model.coordinates.circular


def test_whitened_data_are_white() -> None:
    """After `prepare` with data, local columns have mean zero and the unit matrix as covariance."""
    data = zoo.load_dataset("alanine-dipeptide/replica-exchange")
    info = data_info(data.split("train"), "density")
    model = build("laplace", info)
    x = torch.from_numpy(data.array("positions")[::4].astype(np.float64))
    model.prepare(None, x)
    u, _ = model.whitening.inverse(model.coordinates.from_cartesian(x)[0])
    local = u[:, model.coordinates.circular :]
    torch.testing.assert_close(local.mean(0), torch.zeros_like(local[0]), rtol=0, atol=1e-6)
    torch.testing.assert_close(local.T.cov(), torch.eye(local.shape[1]).to(local), rtol=0, atol=1e-4)


def test_particles_are_alike_and_tumble() -> None:
    """Without bonds: one width in all directions, that of the data."""
    info = particles_info()
    coordinates = CenteredCartesian(4)
    whitening = Whitening(coordinates, info)
    x = torch.randn(200, 4, 3, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    whitening.prepare(coordinates, None, x)
    centred = x - x.mean(1, keepdim=True)
    width = (centred.square().sum((1, 2)).mean() / 9).sqrt()
    torch.testing.assert_close(whitening.factor, width * torch.eye(9).double(), rtol=1e-5, atol=1e-9)
    assert not whitening.mean.any()


def test_mixture_integrates_to_one_when_widest() -> None:
    """The images that are left out do not matter."""
    base = TorusMixture(1, 0, 3).double()
    with torch.no_grad():
        base.spread.fill_(30.0)
    assert base._width().max().item() == pytest.approx(WIDEST)
    angle = 2 * math.pi * (torch.arange(400, dtype=torch.float64)[:, None] / 400) - math.pi
    assert base.log_density(angle).exp().mean().item() * 2 * math.pi == pytest.approx(1, abs=1e-12)


def test_gradient_of_reverse_kl_with_the_mixtures_weights() -> None:
    """Path gradient and `log_choice` together are the derivative of KL(q ‖ p), known by quadrature."""
    base = TorusMixture(1, 0, 3).double()
    with torch.no_grad():
        base.logits.copy_(torch.tensor([0.5, -0.3, 0.1]))
        base.spread.fill_(-0.5)

    def log_p(t: torch.Tensor) -> torch.Tensor:
        return 2 * (2 * t[:, 0]).cos() + 0.7 * t[:, 0].sin()

    grid = 2 * math.pi * (torch.arange(2000, dtype=torch.float64)[:, None] / 2000) - math.pi
    log_q = base.log_density(grid)
    exact = (log_q.exp() * (log_q - log_p(grid))).mean() * 2 * math.pi
    expected = torch.autograd.grad(exact, list(base.parameters()), allow_unused=True)
    u, _ = base.draw(200_000, torch.Generator().manual_seed(4), base.logits)
    there = u.detach()
    frozen = TorusMixture(1, 0, 3).double()
    frozen.load_state_dict(base.state_dict())
    cost = (base.log_density(there) - log_p(there)).detach()
    each = base.log_components(there).detach()
    choice = torch.logsumexp(each + base.logits.log_softmax(0), 1)
    frozen.requires_grad_(False)
    value = (frozen.log_density(u) - log_p(u)).mean() + (choice * (cost - cost.mean())).mean()
    found = torch.autograd.grad(value, list(base.parameters()), allow_unused=True)
    for a, b in zip(found, expected, strict=True):
        if b is not None and b.numel():
            torch.testing.assert_close(a, b, rtol=0.03, atol=0.005)
    assert expected[0].abs().max() > 0.05, "the weights' gradient is too small to tell"
