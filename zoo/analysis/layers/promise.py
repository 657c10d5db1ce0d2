"""What new neurons bring on the true loss: a line search over their amplitude."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np
from torch import nn

from zoo.analysis.bootstrap import error_of_mean
from zoo.analysis.layers.neurons import Neurons
from zoo.analysis.layers.pairs import Place
from zoo.analysis.layers.widening import widened

#: The first amplitude promises this share of the loss.
FIRST = 0.01
#: Each further one is so many times as large, and so many are tried.
FACTOR, TRIES = 3.0, 9


@dataclass(frozen=True)
class Promise:
    """Loss against the amplitude of new neurons.

    Args:
        amplitudes: γ `[tries]`, the first is 0.
        losses: `[tries]` means over graphs.
        best: number of the least loss; 0: the neurons bring nothing.
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
    before = losses()
    found = [before]
    amplitudes = [0.0]
    gamma = FIRST * abs(float(before.mean())) / neurons.gain if neurons.gain > 0 else 0.0
    while gamma > 0 and len(found) <= TRIES:
        with grown(model, place, neurons, gamma):
            after = losses()
        amplitudes.append(gamma)
        found.append(after)
        if not after.mean() < found[-2].mean():
            break
        gamma *= FACTOR
    means = np.array([values.mean() for values in found])
    best = int(np.nanargmin(means))
    gone = before - found[best]
    error = error_of_mean(gone) if best else None
    return Promise(
        np.array(amplitudes), means, best, float(gone.mean()), None if error is None else float(error)
    )


def grown(model: nn.Module, place: Place, neurons: Neurons, gamma: float) -> AbstractContextManager[None]:
    """Within the block the model has the neurons, with amplitude γ."""
    first, second = model.get_submodule(place.first), model.get_submodule(place.second)
    assert isinstance(first, nn.Linear) and isinstance(second, nn.Linear)
    root = gamma**0.5
    return widened(
        first, second, root * neurons.incoming, root * neurons.outgoing, gamma * neurons.correction
    )
