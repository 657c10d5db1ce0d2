"""Integrators against equations whose solutions are known."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from zoo.errors import RunFailed
from zoo.models.flows.ode import State, dormand_prince, runge_kutta

ROUND = torch.tensor([[1.0, 0.0], [0.0, 2.0]], dtype=torch.float64)


def circle(_: float, state: State) -> State:
    """A turn, and the time that has passed."""
    x, _time = state
    return torch.stack([-x[:, 1], x[:, 0]], 1), torch.ones_like(_time)


def turned(angle: float) -> Tensor:
    cos, sin = math.cos(angle), math.sin(angle)
    return ROUND @ torch.tensor([[cos, sin], [-sin, cos]], dtype=torch.float64)


def test_runge_kutta_is_of_fourth_order() -> None:
    errors = []
    for steps in (10, 20):
        x, time = runge_kutta(circle, (ROUND, torch.zeros(2, dtype=torch.float64)), 0.0, 2.0, steps)
        errors.append(float((x - turned(2.0)).abs().max()))
        assert torch.allclose(time, torch.full_like(time, 2.0))
    assert 13 < errors[0] / errors[1] < 19


@pytest.mark.parametrize("tolerance", [1e-3, 1e-6, 1e-9])
def test_dormand_prince_keeps_its_tolerance_both_ways(tolerance: float) -> None:
    start: State = (ROUND, torch.zeros(2, dtype=torch.float64))
    there = dormand_prince(circle, start, 0.0, 2.0, tolerance)
    assert float((there[0] - turned(2.0)).abs().max()) < 20 * tolerance
    back = dormand_prince(circle, there, 2.0, 0.0, tolerance)
    assert float((back[0] - ROUND).abs().max()) < 40 * tolerance
    assert float(back[1].abs().max()) < 1e-9


def test_steps_follow_the_equation() -> None:
    """A fast start and a slow rest: short steps where they are needed alone."""
    times: list[float] = []

    def decay(t: float, state: State) -> State:
        times.append(t)
        return (-200 * math.exp(-20 * t) * state[0],)

    (x,) = dormand_prince(decay, (torch.ones(1, 1, dtype=torch.float64),), 0.0, 1.0, 1e-6)
    assert float(x) == pytest.approx(math.exp(-10 * (1 - math.exp(-20))), rel=1e-2)
    assert sum(t < 0.25 for t in times) > 2 * sum(t > 0.75 for t in times)


def test_gradients_go_through_the_steps() -> None:
    rate = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
    (x,) = runge_kutta(lambda t, s: (rate * s[0],), (torch.ones(1, 1, dtype=torch.float64),), 0.0, 1.0, 20)
    (gradient,) = torch.autograd.grad(x.sum(), rate)
    assert float(gradient) == pytest.approx(math.exp(0.7), rel=1e-6)


def test_what_blows_up_is_refused() -> None:
    with pytest.raises(RunFailed, match="rk4"):
        dormand_prince(lambda t, s: (s[0].square(),), (torch.full((1, 1), 2.0),), 0.0, 1.0, 1e-4)
