"""Where in a network new neurons would bring most."""

from __future__ import annotations

import numpy as np

from zoo.analysis.layers.neurons import Neurons
from zoo.analysis.layers.probe import GraphLoss
from zoo.analysis.layers.promise import Promise, promise, update_promise
from zoo.data.dataset import Frames
from zoo.progress import progress
from zoo.tasks.metrics import metric
from zoo.verbs.inside.layers_measure import Layers, sample
from zoo.verbs.inside.record import Inside

#: Singular values that are kept of a place.
VALUES = 32
#: Fewest further graphs that neurons are tried on; where there are fewer, they are tried on those measured.
FEWEST = 4


def growth(record: Inside, layers: Layers, split: Frames, count: int, search: bool, seed: int) -> None:
    """Add what the best neurons of each place promise, and beside it what the weights that are there can.

    Arrays, a row for each of `facts["places"]`: `gain`, `unseen_gain`, `gain_error` per unit of amplitude,
    `gain_share` of what is wanted, `singular_values [places, VALUES]` (NaN behind the last one),
    `cost` in parameters; with `search` also `decrease`, `decrease_error` of the loss by line search on graphs
    that the neurons were not made from, and `[places, tries]` `tried_amplitudes`, `tried_promises` (γ times
    `gain`) and `tried_losses` (changes of the loss), as shares of the loss or in nats (`facts["loss_unit"]`).
    """
    names = list(layers.places)
    record.facts["places"] = names
    if not names:
        return
    found = [layers.neurons(name, count) for name in names]
    wanted = [layers.bottleneck(layers.places[name].second).wanted for name in names]
    record.facts["neurons"] = [neurons.count for neurons in found]
    record.arrays |= {
        "gain": np.array([n.gain for n in found]),
        "unseen_gain": np.array([n.unseen_gain for n in found]),
        "gain_error": np.array([np.nan if n.unseen_error is None else n.unseen_error for n in found]),
        "gain_share": np.array(
            [n.unseen_gain / n.slope / w if w > 0 else 0.0 for n, w in zip(found, wanted, strict=True)]
        ),
        "singular_values": np.stack([_values(n) for n in found]),
        "cost": np.array([layers.cost(name, n) for name, n in zip(names, found, strict=True)]),
    }
    if not search:
        _best(record, record.arrays["gain_share"], "gain_share")
        return
    own, tried = _tried(layers, found, split, seed)
    # a negative log-likelihood has no zero to be a share of
    size = 1.0 if record.facts["loss_unit"] == "nat" else float(tried[0].losses[0])
    record.arrays |= {
        "decrease": np.array([t.decrease for t in tried]) / size,
        "decrease_error": np.array([np.nan if t.error is None else t.error for t in tried]) / size,
        "tried_amplitudes": _padded([t.amplitudes for t in tried]),
        "tried_losses": _padded([(t.losses - t.losses[0]) / size for t in tried]),
        "tried_promises": _padded([t.amplitudes * n.gain / size for t, n in zip(tried, found, strict=True)]),
    }
    record.numbers["update_decrease"] = metric(
        own.decrease / size, record.facts["loss_unit"], None if own.error is None else own.error / size
    )
    _best(record, record.arrays["decrease"], "decrease")


def _tried(layers: Layers, found: list[Neurons], split: Frames, seed: int) -> tuple[Promise, list[Promise]]:
    """What the best change of all weights brings, and what the neurons of each place do."""
    model = layers.task.model
    used = set(layers.frames.index.tolist())
    rest = np.array([i for i in split.index.tolist() if i not in used], np.int64)
    other = sample(Frames(split.dataset, rest, split.name), max(FEWEST, len(used)), seed)
    if len(other) < FEWEST:
        other = layers.frames
    losses = list(layers.task.sample_losses(other))
    out = []
    with progress("neurons on trial", len(found), "places") as bar:
        for name, neurons in zip(layers.places, found, strict=True):
            out.append(promise(model, lambda: _values_of(losses), layers.places[name], neurons))
            bar.advance()
    changes = {
        n: layers.bottleneck(n).update for n in layers.measured.maps if n in dict(model.named_modules())
    }
    slope = sum(layers.slope(name) for name in changes)
    return update_promise(model, lambda: _values_of(losses), changes, slope), out


def _values_of(losses: list[GraphLoss]) -> np.ndarray:
    return np.array([float(loss.evaluated()) for loss in losses])


def _best(record: Inside, score: np.ndarray, kind: str) -> None:
    """The place that brings most for a parameter."""
    per_parameter = score / record.arrays["cost"]
    best = int(per_parameter.argmax())
    record.facts["best_place"] = record.facts["places"][best] if score[best] > 0 else None
    record.facts["best_by"] = kind
    error = record.arrays["decrease_error"][best] if kind == "decrease" else np.nan
    name = "growth_decrease" if kind == "decrease" else "growth_gain_share"
    unit = record.facts["loss_unit"] if kind == "decrease" else "1"
    record.numbers[name] = metric(score[best], unit, None if np.isnan(error) else float(error))
    record.numbers[f"{name}_per_parameter"] = metric(per_parameter[best], unit)


def _values(neurons: Neurons) -> np.ndarray:
    out = np.full(VALUES, np.nan)
    values = neurons.values.numpy()[:VALUES]
    out[: len(values)] = values
    return out


def _padded(rows: list[np.ndarray]) -> np.ndarray:
    out = np.full((len(rows), max(len(row) for row in rows)), np.nan)
    for k, row in enumerate(rows):
        out[k, : len(row)] = row
    return out
