"""One growth: all places measured, the best one widened by its best neurons, as far as the loss falls."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch

from zoo.analysis.layers.bottleneck import Bottleneck, bottleneck
from zoo.analysis.layers.moments import measure
from zoo.analysis.layers.neurons import Neurons, best_neurons
from zoo.analysis.layers.pairs import Place, growable
from zoo.analysis.layers.probe import GraphLoss
from zoo.analysis.layers.widening import widened
from zoo.data.dataset import Frames
from zoo.models.base import ZooModel
from zoo.models.growth import Swap, maps_of, neuron_cost, widen
from zoo.tasks.base import Task
from zoo.verbs.growing.search import line_search
from zoo.verbs.inside.layers_measure import RIDGE, exact_copy

#: What the loss is changed by, as a share of it, to measure the gain at amplitude 0.
PROBE = 1e-6
#: Places that are widened in one event; the parameters that are left are for the next.
MOST = 4
#: Particles of graphs whose loss is computed together.
TOGETHER = 4096


@dataclass(frozen=True)
class Candidate:
    """The best neurons that a budget buys at a place.

    Args:
        found: bottleneck of the place's second map.
        largest: amplitude at which the weights of the largest neuron are as large as those that are there.
        cost: parameters of a neuron.
    """

    place: Place
    found: Bottleneck
    neurons: Neurons
    largest: float
    cost: int

    def record(self) -> dict[str, Any]:
        """Plain facts: gains are loss per unit of amplitude."""
        return {
            "place": self.place.name,
            "neurons": self.neurons.count,
            "cost": self.cost * self.neurons.count,
            "bottleneck": self.found.psi,
            "bottleneck_share": self.found.share,
            "promised": self.neurons.gain,
            "promised_unseen": self.neurons.unseen_gain,
        }


@dataclass(frozen=True)
class Growth:
    """Neurons of a place at an amplitude γ, and what they do to the mean loss of the graphs measured on.

    Args:
        places: what each place promised, the chosen one as well.
        measured: −dL/dγ at γ = 0, from losses alone.
        before, after: loss at γ = 0 and at γ.
        linear: incoming and outgoing weights are both times √γ, so that the activation hardly bends; or else
            the outgoing ones times γ, and the incoming ones as large as those of other neurons.
    """

    chosen: Candidate
    places: list[Candidate]
    amplitude: float
    linear: bool
    measured: float
    before: float
    after: float

    def record(self) -> dict[str, Any]:
        """Plain facts."""
        return {
            "added": {self.chosen.place.name: self.chosen.neurons.count},
            **self.chosen.record(),
            "measured": self.measured,
            "amplitude": self.amplitude,
            "loss": {"before": self.before, "after": self.after},
            "places": [candidate.record() for candidate in self.places],
        }

    def apply(self, model: ZooModel) -> list[Swap]:
        """Add the neurons to a network of the weights that were measured."""
        neurons, place = self.chosen.neurons, self.chosen.place.name
        small = self.amplitude**0.5 if self.linear else 1.0
        second, change = maps_of(model, place)[1], self.amplitude * neurons.correction
        with torch.no_grad():
            second.weight.add_(change[:, : second.in_features].to(second.weight))
            if second.bias is not None:
                second.bias.add_(change[:, -1].to(second.bias))
        return widen(model, place, small * neurons.incoming, self.amplitude / small * neurons.outgoing)


class Trial:
    """Neurons at a place of a network, at any amplitude. The network stays as it is.

    Args:
        model: in evaluation mode and float64.
        losses: of equally many graphs each, bound to it.
    """

    def __init__(self, model: ZooModel, losses: Sequence[GraphLoss], chosen: Candidate) -> None:
        self.losses, self.neurons = losses, chosen.neurons
        self.first, self.second = maps_of(model, chosen.place.name)
        self.start = mean_loss(losses)

    def loss(self, amplitude: float) -> float:
        """Mean loss over the graphs at an amplitude of the outgoing weights."""
        return self._at(1.0, amplitude)

    def linear_loss(self, amplitude: float) -> float:
        """The same at an amplitude whose root both have, as the promise has it."""
        return self._at(amplitude**0.5, amplitude**0.5)

    def measured_gain(self) -> float:
        """−dL/dγ at γ = 0 from losses alone.

        Neurons whose incoming weights change sign, or outgoing ones, or both, take the bends of activation
        and loss out: what is left is of the order of `PROBE`.
        """
        step = PROBE * (abs(self.start) or 1.0) / self.neurons.gain
        root = step**0.5
        signs = ((1, 1), (-1, -1), (1, -1), (-1, 1))
        return -sum(a * b * self._at(a * root, b * root) for a, b in signs) / (4 * step)

    def _at(self, a: float, b: float) -> float:
        new = self.neurons
        with widened(self.first, self.second, a * new.incoming, b * new.outgoing, a * b * new.correction):
            return mean_loss(self.losses)


def best_growths(task: Task, frames: Frames, budget: int) -> Iterator[Growth]:
    """Spend a number of parameters where they promise most, place by place, each measured anew.

    What counts is what the rest of the budget buys at a place: the first-order gain of as many neurons as it
    pays for, or as the place has directions. The gain is that of graphs which the neurons were not made from;
    where it is above 0 nowhere, all promises may be chance, and the largest of those is taken.

    Args:
        task: is not changed.
        frames: of the training split, to measure on.
        budget: parameters that may be added.
    """
    task = exact_copy(task)
    model = task.model
    for _ in range(MOST):
        losses = list(task.sample_losses(frames))
        places, _ = growable(model, losses[0].value)
        found = candidates(model, losses, places, budget)
        if not found:
            return
        hopeful = [c for c in found if c.neurons.unseen_gain > 0]
        chosen = (
            max(hopeful, key=lambda c: c.neurons.unseen_gain)
            if hopeful
            else max(found, key=lambda c: c.neurons.gain)
        )
        trial = Trial(model, _together(task, frames, losses), chosen)
        measured = trial.measured_gain()
        # small neurons only where those of the usual size bring nothing: they take long to learn to bend
        linear = False
        amplitude, after = line_search(trial.loss, trial.start, chosen.neurons.gain, chosen.largest)
        if amplitude == 0:
            linear = True
            amplitude, after = line_search(
                trial.linear_loss, trial.start, chosen.neurons.gain, chosen.largest
            )
        if amplitude == 0:
            return
        growth = Growth(chosen, found, amplitude, linear, measured, trial.start, after)
        growth.apply(model)
        yield growth
        budget -= chosen.cost * chosen.neurons.count


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
        joint = measured.places[place.name]
        neurons = best_neurons(joint, second, found, activation, budget // cost, RIDGE)
        if neurons.count and neurons.gain > 0:
            out.append(Candidate(place, found, *_sized(model, place.name, neurons), cost))
    return out


def _sized(model: ZooModel, place: str, neurons: Neurons) -> tuple[Neurons, float]:
    """The same neurons with incoming weights as large as those that are there already.

    What a neuron adds to first order is the product of incoming and outgoing weights, so that the rest of its
    size goes to the latter. Also returns the largest amplitude, see `Candidate`.
    """
    first, second = maps_of(model, place)
    into, out_of = (
        new.square().mean(dim) / old.detach().square().mean().clamp_min(1e-300)
        for new, old, dim in ((neurons.incoming, first.weight, 1), (neurons.outgoing, second.weight, 0))
    )
    factor = into.clamp_min(1e-300).rsqrt()
    sized = replace(neurons, incoming=neurons.incoming * factor[:, None], outgoing=neurons.outgoing / factor)
    return sized, 1 / float((into * out_of).sqrt().max())


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
        outgoing = weight.new_zeros(second.out_features, 1)
        swaps += widen(model, name, noise * weight.square().mean().sqrt(), outgoing)
    return swaps


def mean_loss(losses: Sequence[GraphLoss]) -> float:
    """Return the mean of losses."""
    return float(torch.stack([loss.evaluated() for loss in losses]).mean())


def _together(task: Task, frames: Frames, single: list[GraphLoss]) -> list[GraphLoss]:
    """Losses of several graphs at a time, which is quicker, where their mean is that of single graphs."""
    most = max(1, TOGETHER // frames.dataset.system.num_particles)
    size = max(d for d in range(1, min(most, len(frames)) + 1) if len(frames) % d == 0)
    if size == 1:
        return single
    joined, expected = list(task.sample_losses(frames, size)), mean_loss(single)
    return joined if abs(mean_loss(joined) - expected) <= 1e-9 * abs(expected) else single
