"""`zoo analyze … layers`: which layers of a network lack expressive power, and in what health all are."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from zoo.analysis.bootstrap import error_of_mean
from zoo.config import Strict
from zoo.errors import ConfigError
from zoo.models.base import FittedModel, ZooModel
from zoo.models.density import DensityModel
from zoo.tasks.metrics import metric
from zoo.verbs.evaluate import data_digest
from zoo.verbs.inside.layers_flags import flags
from zoo.verbs.inside.layers_growth import growth
from zoo.verbs.inside.layers_health import health
from zoo.verbs.inside.layers_measure import Layers, default_graphs, measure_layers
from zoo.verbs.inside.record import Inside
from zoo.verbs.inside.subject import Subject


class Options(Strict):
    """What is looked at, and how dearly."""

    split: Literal["train", "val"] = Field(
        "train", description="graphs of which split; the loss of train is what training brings down"
    )
    neurons: int = Field(4, ge=1, description="neurons to add at a place, of which the gain is told")
    line_search: bool = Field(
        True, description="try the neurons of each place on the true loss of further graphs; the dearest part"
    )


def look(
    subject: Subject, options: Options, *, against: Subject | None, frames: int | None, seed: int
) -> Inside:
    """Look at the layers of a trained network.

    Arrays: `share`, `share_error`, `fitted_share`, `psi`, `wanted` `[maps]` of bottlenecks, with names in
    `facts["maps"]`; see `growth` and `health` for the others.

    Args:
        subject: a run.
        options: settings.
        against: must be None; runs are compared by the pictures of several records.
        frames: graphs to measure on; by default 32 of small molecules, fewer of large systems.
        seed: of the draw of graphs.

    Raises:
        ConfigError: no run, a model in closed form, or one without linear maps.
        DataError: fewer than two graphs, or a loss that is no finite number.
    """
    if against is not None:
        raise ConfigError("layers are compared by `zoo report RUN RUN`, not by --against")
    task = subject.trained
    if isinstance(task.model, FittedModel):
        raise ConfigError(f"{subject.label} was fitted in closed form: there is no gradient to follow")
    data = subject.data
    split = data.split(options.split)
    layers = measure_layers(task, split, frames or default_graphs(data.system.num_particles), seed)
    record = Inside("layers", subject.label)
    _bottlenecks(record, layers)
    record.facts |= _loss(task.model)
    losses = layers.measured.losses.numpy()
    error = error_of_mean(losses)
    record.numbers["loss"] = metric(
        losses.mean(), record.facts["loss_unit"], None if error is None else float(error)
    )
    growth(record, layers, split, options.neurons, options.line_search, seed)
    health(record, layers)
    record.facts |= {
        "options": options.model_dump(),
        "not_growable": layers.refused,
        "not_covered": layers.unseen,
        "dataset": data.name,
        "digest": data_digest(data),
        "split": options.split,
        "graphs": len(layers.frames),
        "groups": layers.measured.groups,
        "frames": [int(i) for i in layers.frames.index],
        "seed": seed,
    }
    flags(record)
    return record


def _bottlenecks(record: Inside, layers: Layers) -> None:
    names = list(layers.measured.maps)
    found = [layers.bottleneck(name) for name in names]
    moments = [layers.measured.maps[name] for name in names]
    record.facts["maps"] = names
    record.arrays |= {
        "share": np.array([b.share for b in found]),
        "share_error": np.array([np.nan if b.share_error is None else b.share_error for b in found]),
        "fitted_share": np.array([b.fitted_share for b in found]),
        "psi": np.array([b.psi for b in found]),
        "wanted": np.array([b.wanted for b in found]),
        "length": np.array([m.length for m in moments]),
        "rows": np.array([float(m.rows.sum()) for m in moments]),
        "parameters": np.array([m.view.outputs * m.view.columns for m in moments]),
    }
    shares = record.arrays["share"]
    worst = int(shares.argmax())
    record.numbers["bottleneck_max"] = metric(shares[worst], "1", found[worst].share_error)
    record.numbers["bottleneck_median"] = metric(float(np.median(shares)), "1")
    record.facts["bottleneck_max"] = names[worst]


def _loss(model: ZooModel) -> dict[str, str]:
    """Which loss it is, and its unit: "1" or "nat"."""
    if not isinstance(model, DensityModel):
        return {"loss": "the task's own, of each graph by itself", "loss_unit": "1"}
    if type(model).matching_loss is DensityModel.matching_loss:
        return {"loss": "negative log-likelihood of the data, also of energy training", "loss_unit": "nat"}
    return {"loss": "matching loss of the data, also of energy training", "loss_unit": "1"}
