"""In what health the layers of a network are: ranks, dead units, gradients, attention, smoothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from zoo import keys
from zoo.analysis.bootstrap import error_of_mean
from zoo.analysis.layers.activity import Activity
from zoo.analysis.layers.smoothing import attention_entropy, dirichlet_energy, mean_cosine_distance
from zoo.errors import ConfigError
from zoo.models.ensemble import members_of
from zoo.models.hidden import node_features
from zoo.tasks.metrics import metric
from zoo.verbs.inside.layers_measure import Layers
from zoo.verbs.inside.record import Inside

#: Graphs on which activations, attention and smoothing are looked at.
GRAPHS = 8


def health(record: Inside, layers: Layers) -> None:
    """Add the health of the layers.

    Arrays: `rank`, `effective_rank`, `condition`, `second_axis`, `units` `[maps]` of each map's inputs, and
    its `outputs`;
    `gradient`, `gradient_error` `[maps]`, root mean square over the weights of ∂L/∂W of a graph; `dead`,
    `activation_units` `[activations]` with names in `facts["activations"]`; of networks that have it
    `attention_entropy`, `attention_error` `[layers, heads]`; of networks of nodes `dirichlet`,
    `dirichlet_error`, `cosine_distance`, `cosine_error` `[states]` with names in `facts["states"]`.
    """
    _activity(record, layers)
    _gradients(record, layers)
    _attention(record, layers)
    _smoothing(record, layers)


def _activity(record: Inside, layers: Layers) -> None:
    activity = Activity(layers.task.model)
    for number, loss in enumerate(layers.task.sample_losses(layers.frames)):
        if number == GRAPHS:
            break
        activity.watch(loss.value)
    spectra, names = activity.spectra(), record.facts["maps"]
    record.arrays |= {
        "rank": np.array([spectra[n].rank for n in names]),
        "effective_rank": np.array([spectra[n].effective_rank for n in names]),
        "condition": np.array([spectra[n].condition for n in names]),
        "second_axis": np.array([spectra[n].second for n in names]),
        "units": np.array([len(spectra[n].values) for n in names]),
        "outputs": np.array([layers.measured.maps[n].view.outputs for n in names]),
    }
    shares = record.arrays["effective_rank"] / record.arrays["units"]
    record.numbers["effective_rank_share_min"] = metric(float(shares.min()), "1")
    record.numbers["condition_max"] = metric(float(record.arrays["condition"].max()), "1")
    units = activity.units()
    record.facts["activations"] = list(units)
    record.facts["activation_kinds"] = [u.activation for u in units.values()]
    record.facts["dead_units"] = {name: u.dead.tolist() for name, u in units.items() if len(u.dead)}
    if units:
        dead = np.array([len(u.dead) for u in units.values()])
        total = np.array([u.units for u in units.values()])
        record.arrays |= {"dead": dead, "activation_units": total}
        record.numbers["dead_units"] = metric(dead.sum() / total.sum(), "1")


def _gradients(record: Inside, layers: Layers) -> None:
    names = record.facts["maps"]
    norms = np.stack([layers.measured.maps[n].gradients.numpy() for n in names])  # [maps, graphs]
    means = norms.mean(1)
    errors = error_of_mean(norms.T)
    record.arrays |= {
        "gradient": means,
        "gradient_error": np.full(len(names), np.nan) if errors is None else errors,
    }
    known = means[means > 0]
    if len(known):
        record.numbers["gradient_spread"] = metric(float(known.max() / known.min()), "1")


def _attention(record: Inside, layers: Layers) -> None:
    model = members_of(layers.task.model)[0]
    attend = getattr(model, "return_attention", None)
    if attend is None:
        return

    def of_graph(graph: Any) -> np.ndarray:
        receivers = graph[keys.EDGE_INDEX][1]
        return np.stack([attention_entropy(weight, own, receivers) for weight, own in attend(graph)])

    values = _over_graphs(layers, of_graph)  # [graphs, layers, heads]
    mean, error = values.mean(0), error_of_mean(values)
    record.arrays |= {
        "attention_entropy": mean,
        "attention_error": np.full_like(mean, np.nan) if error is None else error,
    }
    record.numbers["attention_entropy"] = metric(float(mean.mean()), "1")


def _smoothing(record: Inside, layers: Layers) -> None:
    if layers.task.interface not in ("potential", "node"):
        return
    model = layers.task.model
    names: list[str] = []

    def of_graph(graph: Any) -> np.ndarray:
        states = node_features(model, graph)
        names[:] = list(states)
        edges = graph[keys.EDGE_INDEX]
        if not edges.shape[1]:
            raise ConfigError(f"{type(model).__name__} has no neighbours whose features could become alike")
        return np.array([[dirichlet_energy(h, edges), mean_cosine_distance(h)] for h in states.values()])

    try:
        values = _over_graphs(layers, of_graph)  # [graphs, states, 2]
    except ConfigError as reason:  # no features of nodes, or no edges
        record.facts["no_smoothing"] = str(reason)
        return
    mean, error = values.mean(0), error_of_mean(values)
    error = np.full_like(mean, np.nan) if error is None else error
    record.facts["states"] = names
    record.arrays |= {
        "dirichlet": mean[:, 0], "dirichlet_error": error[:, 0],
        "cosine_distance": mean[:, 1], "cosine_error": error[:, 1],
    }  # fmt: skip
    record.numbers["dirichlet_last"] = metric(mean[-1, 0], "1", _plain(error[-1, 0]))
    record.numbers["cosine_distance_last"] = metric(mean[-1, 1], "1", _plain(error[-1, 1]))


def _over_graphs(layers: Layers, of_graph: Callable[[Any], np.ndarray]) -> np.ndarray:
    task, found = layers.task, []
    with torch.no_grad():
        for number, batch in enumerate(task.loader(layers.frames, 1)):
            if number == GRAPHS:
                break
            found.append(of_graph(task.cast(batch)))
    return np.stack(found)


def _plain(error: float) -> float | None:
    return None if np.isnan(error) else float(error)
