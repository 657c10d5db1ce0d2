"""One growth: all places measured, the best one widened by its best neurons, as far as the loss falls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from zoo.analysis.layers.bottleneck import Bottleneck, bottleneck
from zoo.analysis.layers.moments import measure
from zoo.analysis.layers.neurons import Neurons, best_neurons
from zoo.analysis.layers.pairs import Place, growable
from zoo.analysis.layers.probe import GraphLoss
from zoo.data.dataset import Frames
from zoo.models.base import ZooModel
from zoo.models.growth import Swap, maps_of, neuron_cost, widen
from zoo.tasks.base import Task
from zoo.verbs.growing.search import line_search
from zoo.verbs.inside.layers_measure import exact_copy

#: What the loss is changed by, as a share of it, to measure the gain at amplitude 0.
PROBE = 1e-6


@dataclass(frozen=True)
class Candidate:
    """The best neurons that a budget buys at a place.

    Args:
        found: bottleneck of the place's second map.
        cost: parameters of a neuron.
    """

    place: Place
    found: Bottleneck
    neurons: Neurons
    cost: int

    def record(self) -> dict[str, Any]:
        """Plain facts: gains are loss per unit of amplitude."""
        return {
            "place": self.place.name,
            "neurons": self.neurons.count,
            "parameters": self.cost * self.neurons.count,
            "bottleneck": self.found.psi,
            "bottleneck_share": self.found.share,
            "promised": self.neurons.gain,
            "promised_unseen": self.neurons.unseen_gain,
        }


@dataclass(frozen=True)
class Growth:
    """Neurons of a place at an amplitude γ, and what they do to the mean loss of the graphs measured on.

    Args:
        measured: −dL/dγ at γ = 0, from losses alone.
        before, after: loss at γ = 0 and at γ.
    """

    chosen: Candidate
    amplitude: float
    measured: float
    before: float
    after: float

    def apply(self, model: ZooModel) -> list[Swap]:
        """Add the neurons to a network of the same weights."""
        neurons, root = self.chosen.neurons, self.amplitude**0.5
        swaps = widen(model, self.chosen.place.name, root * neurons.incoming, root * neurons.outgoing)
        second = maps_of(model, self.chosen.place.name)[1]
        _correct(second, self.amplitude * neurons.correction)
        return swaps


class Trial:
    """A network with neurons at a place, at any amplitude.

    Args:
        model: in evaluation mode and float64; keeps the neurons.
        losses: of single graphs, bound to it.
    """

    def __init__(self, model: ZooModel, losses: Sequence[GraphLoss], chosen: Candidate) -> None:
        self.losses, self.neurons = losses, chosen.neurons
        self.start = mean_loss(losses)
        place = chosen.place.name
        widen(model, place, 0 * chosen.neurons.incoming, 0 * chosen.neurons.outgoing)
        self.first, self.second = maps_of(model, place)
        self.correction = 0 * chosen.neurons.correction

    def loss(self, amplitude: float) -> float:
        """Mean loss over the graphs at an amplitude."""
        return self._at(amplitude**0.5, amplitude**0.5)

    def measured_gain(self) -> float:
        """−dL/dγ at γ = 0 from losses alone.

        Neurons whose incoming weights change sign, or outgoing ones, or both, take the bends of activation
        and loss out: what is left is of the order of `PROBE`.
        """
        step = PROBE * self.start / self.neurons.gain
        root = step**0.5
        signs = ((1, 1), (-1, -1), (1, -1), (-1, 1))
        return -sum(a * b * self._at(a * root, b * root) for a, b in signs) / (4 * step)

    def _at(self, incoming: float, outgoing: float) -> float:
        new = self.neurons.count
        with torch.no_grad():
            self.first.weight[-new:] = incoming * self.neurons.incoming
            self.second.weight[:, -new:] = outgoing * self.neurons.outgoing
        correction = incoming * outgoing * self.neurons.correction
        _correct(self.second, correction - self.correction)
        self.correction = correction
        return mean_loss(self.losses)


def best_growth(task: Task, frames: Frames, budget: int) -> tuple[Growth | None, list[Candidate]]:
    """Return the growth that promises most for a number of parameters, and what each place promised.

    All of the budget goes to one place, so that what counts is what it buys there: the first-order gain of as
    many neurons as the place can have for it. The gain is that of graphs which the neurons were not made
    from; where it is above 0 nowhere, all promises may be chance, and the largest of those is taken.

    Args:
        task: is not changed.
        frames: of the training split, to measure on.
        budget: parameters that may be added.

    Returns:
        None where no place can be had for the budget, or none brings the loss down.
    """
    task = exact_copy(task)
    model = task.model
    losses = list(task.sample_losses(frames))
    places, _ = growable(model, losses[0].value)
    found = candidates(model, losses, places, budget)
    if not found:
        return None, []
    hopeful = [c for c in found if c.neurons.unseen_gain > 0]
    chosen = (
        max(hopeful, key=lambda c: c.neurons.unseen_gain)
        if hopeful
        else max(found, key=lambda c: c.neurons.gain)
    )
    trial = Trial(model, losses, chosen)
    measured = trial.measured_gain()
    amplitude, after = line_search(trial.loss, trial.start, chosen.neurons.gain)
    growth = Growth(chosen, amplitude, measured, trial.start, after)
    return (growth if amplitude > 0 else None), found


def candidates(
    model: ZooModel, losses: Sequence[GraphLoss], places: Sequence[Place], budget: int
) -> list[Candidate]:
    """Return what a budget buys at each place; nothing of places where a neuron costs more.

    Args:
        model: in evaluation mode and float64.
        losses: of single graphs, bound to the model.
        places: from `growable`.
        budget: in parameters.
    """
    affordable = [place for place in places if neuron_cost(model, place.name) <= budget]
    if not affordable:
        return []
    measured = measure(model, losses, len(losses), affordable)
    out = []
    for place in affordable:
        if place.name not in measured.places:  # the loss does not depend on it
            continue
        cost = neuron_cost(model, place.name)
        second = measured.maps[place.second]
        found = bottleneck(second)
        activation = model.get_submodule(place.activation)
        neurons = best_neurons(measured.places[place.name], second, found, activation, budget // cost)
        if neurons.count and neurons.gain > 0:
            out.append(Candidate(place, found, neurons, cost))
    return out


def widen_everywhere(model: ZooModel, places: Sequence[Place], budget: int, seed: int) -> list[Swap]:
    """Add random neurons, as many at each place. They tell nothing at first.

    Their incoming weights are drawn as wide as those that the map has.

    Args:
        model: is changed.
        places: take turns, those that have grown least first.
        budget: parameters that may be added.
        seed: of the draw.
    """
    generator = torch.Generator().manual_seed(seed)
    swaps: list[Swap] = []
    while places:
        name = min(places, key=lambda place: model.growth.get(place.name, 0)).name
        budget -= neuron_cost(model, name)
        if budget < 0:
            break
        first, second = maps_of(model, name)
        weight = first.weight.detach()
        noise = torch.randn(1, first.in_features, generator=generator, dtype=weight.dtype).to(weight)
        swaps += widen(
            model, name, noise * weight.square().mean().sqrt(), weight.new_zeros(second.out_features, 1)
        )
    return swaps


def mean_loss(losses: Sequence[GraphLoss]) -> float:
    """Return the mean of the losses of graphs."""
    return float(torch.stack([loss.value().detach() for loss in losses]).mean())


@torch.no_grad()
def _correct(second: torch.nn.Linear, change: Tensor) -> None:
    """Change the old weights of a map, and its bias, which is the last column."""
    columns = change.shape[1] - int(second.bias is not None)
    second.weight[:, :columns] += change[:, :columns].to(second.weight)
    if second.bias is not None:
        second.bias += change[:, columns].to(second.bias)
