"""Moments of a trained network's layers on some graphs of a split, and what follows from them."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from zoo.analysis.layers.bottleneck import Bottleneck, bottleneck
from zoo.analysis.layers.maps import linear_maps, unseen
from zoo.analysis.layers.moments import Measured, measure
from zoo.analysis.layers.neurons import Neurons, best_neurons
from zoo.analysis.layers.pairs import Place, growable
from zoo.analysis.layers.probe import GraphLoss
from zoo.data.dataset import Frames
from zoo.errors import ConfigError
from zoo.progress import Bar, progress
from zoo.tasks.base import Task

#: Of the inputs of new neurons, see `best_neurons`: without it they look at what varies least.
RIDGE = 0.1
#: Graphs that are measured, unless told: at most `MOST`, at least `FEWEST`, about `PARTICLES` in all.
MOST, FEWEST, PARTICLES = 32, 6, 6000


@dataclass
class Layers:
    """What was measured of a network.

    Args:
        task: float64 copy in evaluation mode, with its own model.
        frames: that were measured.
        measured: moments of all linear maps and places.
        places: where neurons can be added, by name.
        refused: why they cannot elsewhere, by name.
        unseen: names and sizes of parameters that no linear map in use has.
    """

    task: Task
    frames: Frames
    measured: Measured
    places: dict[str, Place]
    refused: dict[str, str]
    unseen: dict[str, int]
    _found: dict[str, Bottleneck] = field(default_factory=dict, repr=False)

    def bottleneck(self, name: str) -> Bottleneck:
        """Return the bottleneck of a linear map."""
        if name not in self._found:
            self._found[name] = bottleneck(self.measured.maps[name])
        return self._found[name]

    def neurons(self, place: str, count: int) -> Neurons:
        """Return the best neurons for a place."""
        at = self.places[place]
        activation = self.task.model.get_submodule(at.activation)
        second = self.measured.maps[at.second]
        return best_neurons(
            self.measured.places[place], second, self.bottleneck(at.second), activation, count, RIDGE
        )

    def slope(self, name: str) -> float:
        """Return what the best change of a map takes from the loss for a unit of its amplitude."""
        moments = self.measured.maps[name]
        total = moments.cross.sum(0) / moments.graphs.sum()
        return float((self.bottleneck(name).update.T * total).sum())

    def cost(self, place: str, neurons: Neurons) -> int:
        """Return the number of parameters that neurons add, biases counted."""
        first = self.measured.maps[self.places[place].first].view
        return neurons.parameters + int(first.bias) * neurons.count


def measure_layers(task: Task, frames: Frames, graphs: int, seed: int = 0) -> Layers:
    """Measure the layers of a task's network; neither task nor model are changed.

    Args:
        task: with the network.
        frames: of a split.
        graphs: how many of them, drawn at random.
        seed: of the draw.

    Raises:
        ConfigError: the network has no linear map that its loss depends on.
        DataError: fewer than two frames, or a loss that is no finite number.
    """
    task = exact_copy(task)
    model = task.model
    if not linear_maps(model):
        raise ConfigError(f"{type(model).__name__} has no linear maps to look into")
    chosen = sample(frames, graphs, seed)
    first = next(iter(task.sample_losses(chosen)))
    places, refused = growable(model, first.value)
    with progress("layers", len(chosen), "graphs") as bar:
        measured = measure(model, _counted(task.sample_losses(chosen), bar), len(chosen), places)
    if not measured.maps:
        raise ConfigError(f"the loss of {type(model).__name__} depends on none of its linear maps")
    modules = {name.partition("[")[0] for name in measured.maps}
    known = {place.name: place for place in places if place.name in measured.places}
    return Layers(task, chosen, measured, known, refused, unseen(model, modules))


def default_graphs(particles: int) -> int:
    """How many graphs of a system are measured unless told."""
    return max(FEWEST, min(MOST, PARTICLES // max(particles, 1)))


def exact_copy(task: Task) -> Task:
    """Return the task with a copy of its model, in float64 and evaluation mode."""
    model = copy.deepcopy(task.model).cpu().double()
    return type(task)(model, task.options).double().eval()


def sample(frames: Frames, count: int, seed: int) -> Frames:
    """Return at most `count` frames drawn without replacement, in their order."""
    rng = np.random.default_rng(seed)
    rows = np.sort(rng.choice(len(frames), min(count, len(frames)), replace=False))
    return Frames(frames.dataset, frames.index[rows], frames.name)


def _counted(losses: Iterator[GraphLoss], bar: Bar) -> Iterator[GraphLoss]:
    for loss in losses:
        yield loss
        bar.advance()
