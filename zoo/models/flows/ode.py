"""Ordinary differential equations in torch: fixed steps and steps chosen by an error estimate."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from zoo.errors import RunFailed

#: Tensors that are integrated together, each with the batch as its first axis.
State = tuple[Tensor, ...]
#: (t, state) → time derivative of the state.
Slope = Callable[[float, State], State]

#: Dormand and Prince, J. Comput. Appl. Math. 6, 19 (1980): weights that each stage gives to those before.
_STAGES = (
    (1 / 5,),
    (3 / 40, 9 / 40),
    (44 / 45, -56 / 15, 32 / 9),
    (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
    (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
    (35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84),
)
_TIMES = (1 / 5, 3 / 10, 4 / 5, 8 / 9, 1.0, 1.0)
#: Fifth order less fourth order.
_ERROR = (71 / 57600, 0.0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40)
#: Steps that were tried before an equation is given up.
MAX_STEPS = 2000


def runge_kutta(slope: Slope, state: State, start: float, stop: float, steps: int) -> State:
    """Integrate with the classical Runge-Kutta method, four evaluations a step, error O(step⁴).

    Differentiable with respect to whatever the slope depends on.
    """
    h = (stop - start) / steps
    for n in range(steps):
        t = start + n * h
        k1 = slope(t, state)
        k2 = slope(t + h / 2, _moved(state, h, (0.5,), (k1,)))
        k3 = slope(t + h / 2, _moved(state, h, (0.5,), (k2,)))
        k4 = slope(t + h, _moved(state, h, (1.0,), (k3,)))
        state = _moved(state, h, (1 / 6, 1 / 3, 1 / 3, 1 / 6), (k1, k2, k3, k4))
    return state


def dormand_prince(
    slope: Slope, state: State, start: float, stop: float, tolerance: float, first: float = 0.05
) -> State:
    """Integrate with the embedded pair of Dormand and Prince; one step size for the whole batch.

    Args:
        slope: right-hand side.
        state: at `start`.
        start, stop: times, in either order.
        tolerance: of the worst row's root mean square error in one step, absolute and relative.
        first: length of the first step that is tried, as a share of the interval.

    Raises:
        RunFailed: the tolerance was not met in `MAX_STEPS` steps, or the slope is not finite.
    """
    span, done, size = stop - start, 0.0, first
    k1 = slope(start, state)
    for _ in range(MAX_STEPS):
        size = min(size, 1 - done)
        t, h = start + done * span, size * span
        k = [k1]
        for weights, time in zip(_STAGES, _TIMES, strict=True):
            new = _moved(state, h, weights, k)
            k.append(slope(t + time * h, new))
        error = _error(state, new, k, h, tolerance)
        if error <= 1:
            done, state, k1 = done + size, new, k[-1]
            if done > 1 - 1e-12:
                return state
        size *= min(5.0, max(0.2, 0.9 * max(error, 1e-10) ** -0.2)) if error < torch.inf else 0.2
    raise RunFailed(
        f"the flow's equation was not integrated to {tolerance:g} in {MAX_STEPS} steps: train longer, raise "
        "model.tolerance, or set model.solver=rk4"
    )


def _moved(
    state: State, h: float, weights: tuple[float, ...], slopes: list[State] | tuple[State, ...]
) -> State:
    used = [(w, k) for w, k in zip(weights, slopes, strict=True) if w]
    return tuple(y + h * sum(w * k[n] for w, k in used) for n, y in enumerate(state))


@torch.no_grad()
def _error(before: State, after: State, slopes: list[State], h: float, tolerance: float) -> float:
    """Largest error of a row over what is allowed; infinite where something is not finite."""
    worst = 0.0
    for n, (a, b) in enumerate(zip(before, after, strict=True)):
        off = torch.stack([h * w * k[n] for w, k in zip(_ERROR, slopes, strict=True) if w]).sum(0)
        share = off / (tolerance * (1 + torch.maximum(a.abs(), b.abs())))
        ratio = float(share.reshape(len(share), -1).square().mean(1).sqrt().max())
        worst = max(worst, ratio) if ratio == ratio else torch.inf
    return worst
