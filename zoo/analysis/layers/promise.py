"""What new neurons, or better weights, bring on the true loss: a line search over their amplitude."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from zoo.analysis.bootstrap import error_of_mean
from zoo.analysis.layers.neurons import Neurons
from zoo.analysis.layers.pairs import Place
from zoo.analysis.layers.widening import widened

#: The first amplitude promises this share of the loss.
FIRST = 3e-4
#: Each further one is so many times as large, and so many are tried.
FACTOR, TRIES = 5.0, 7


@dataclass(frozen=True)
class Promise:
    """Loss against the amplitude of what is tried.

    Args:
        amplitudes: γ `[tries]`, the first is 0.
        losses: `[tries]` means over graphs.
        best: number of the least loss; 0: nothing is brought.
        decrease: loss at 0 less that at the best amplitude.
        error: standard error of `decrease` over graphs; None for fewer than three.
    """

    amplitudes: np.ndarray
    losses: np.ndarray
    best: int
    decrease: float
    error: float | None

    @property
    def amplitude(self) -> float:
        """γ of the least loss."""
        return float(self.amplitudes[self.best])


def promise(model: nn.Module, losses: Callable[[], np.ndarray], place: Place, neurons: Neurons) -> Promise:
    """Try new neurons with growing amplitude, until the loss no longer falls; the model stays as it is.

    Args:
        model: in evaluation mode.
        losses: returns the loss of each graph `[graphs]` from the model as it is; best of graphs that the
            neurons were not made from.
        place: where.
        neurons: which.
    """
    return search(losses, partial(grown, model, place, neurons), neurons.gain)


def update_promise(
    model: nn.Module, losses: Callable[[], np.ndarray], changes: Mapping[str, Tensor], slope: float
) -> Promise:
    """The same of changes of the weights that the network has: what it can still learn as it is.

    Args:
        model: in evaluation mode; stays as it is.
        losses: see `promise`.
        changes: δW* of linear maps by name, `[outputs, columns]` with that of the bias last.
        slope: decrease of the loss for a unit of their amplitude, to first order.
    """
    return search(losses, partial(changed, model, changes), slope)


def search(
    losses: Callable[[], np.ndarray], at: Callable[[float], AbstractContextManager[None]], slope: float
) -> Promise:
    """Raise an amplitude until the mean loss no longer falls.

    Args:
        losses: returns the loss of each graph `[graphs]`.
        at: within the block the network has what is tried, with the amplitude given.
        slope: decrease of the loss for a unit of the amplitude, to first order.
    """
    tried = {0.0: losses()}

    def mean(gamma: float) -> float:
        if gamma not in tried:
            with at(gamma):
                tried[gamma] = losses()
        value = float(tried[gamma].mean())
        return value if np.isfinite(value) else np.inf

    gamma = FIRST * abs(mean(0.0)) / slope if slope > 0 else 0.0
    before = last = 0.0
    while gamma > 0 and len(tried) <= TRIES:
        if mean(gamma) >= mean(last):
            rise = mean(gamma) - mean(0.0) + slope * gamma  # a parabola with the slope at 0
            middle = _lowest((before, last, gamma), mean) if last else 0.5 * slope * gamma**2 / rise
            mean(middle)
            break
        before, last, gamma = last, gamma, FACTOR * gamma
    amplitudes = np.array(sorted(tried))
    means = np.array([mean(g) for g in amplitudes])
    best = int(means.argmin())
    gone = tried[0.0] - tried[amplitudes[best]]
    error = error_of_mean(gone) if best else None
    return Promise(amplitudes, means, best, float(gone.mean()), None if error is None else float(error))


def _lowest(x: tuple[float, float, float], mean: Callable[[float], float]) -> float:
    """Where the parabola through three points is least; the middle one where it has no lowest point there."""
    y = [mean(v) for v in x]
    if not np.isfinite(y).all():
        return x[1]
    bend, slope, _ = np.polyfit(np.array(x) / x[2], y, 2)
    at = -0.5 * slope / bend * x[2] if bend > 0 else x[1]
    return float(at) if x[0] < at < x[2] else x[1]


def grown(model: nn.Module, place: Place, neurons: Neurons, gamma: float) -> AbstractContextManager[None]:
    """Within the block the model has the neurons, with amplitude γ."""
    first, second = model.get_submodule(place.first), model.get_submodule(place.second)
    assert isinstance(first, nn.Linear) and isinstance(second, nn.Linear)
    root = gamma**0.5
    return widened(
        first, second, root * neurons.incoming, root * neurons.outgoing, gamma * neurons.correction
    )


@contextmanager
def changed(model: nn.Module, changes: Mapping[str, Tensor], gamma: float) -> Iterator[None]:
    """Within the block weights are changed by γ times `changes`, see `update_promise`."""
    old = []
    try:
        with torch.no_grad():
            for name, change in changes.items():
                module = model.get_submodule(name)
                assert isinstance(module, nn.Linear)
                old.append((module, {k: p.clone() for k, p in module.named_parameters(recurse=False)}))
                module.weight.add_(gamma * change[:, : module.in_features].to(module.weight))
                if module.bias is not None:
                    module.bias.add_(gamma * change[:, -1].to(module.bias))
        yield
    finally:
        with torch.no_grad():
            for module, values in old:
                for name, value in values.items():
                    getattr(module, name).copy_(value)
