"""Trained models, loaded again to be looked into."""

from __future__ import annotations

from torch_geometric.data import Batch, Data

from zoo.errors import ZooError
from zoo.models.base import ZooModel
from zoo.models.ensemble import members_of
from zoo.registry import REGISTRY
from zoo.report.runs import Group, LeftOut
from zoo.run import Run
from zoo.verbs.evaluate import make_task
from zoo.weights import load_weights


def learned(group: Group, method: str, most: int) -> list[tuple[str, Run, ZooModel]]:
    """Return label, run and network of the best `most` models that have a method of this name.

    Of an ensemble, its first member.

    Raises:
        LeftOut: there are such models, but the weights of one cannot be loaded.
    """
    found: list[tuple[str, Run, ZooModel]] = []
    for label in group.order:
        run = group.first(label)
        if run is None or len(found) == most:
            continue
        try:
            target = REGISTRY.load_target(REGISTRY.get("models", run.config.model["name"]))
            if not hasattr(target, method):
                continue
            found.append((label, run, load_weights(run.path)))
        except ZooError as error:
            raise LeftOut(str(error)) from error
    return [(label, run, members_of(model)[0]) for label, run, model in found]


def first_graph(group: Group, run: Run, model: ZooModel) -> Data:
    """Return the first test configuration as the model's task gives it to the model, a batch of one."""
    task = make_task(model, run.config.task)
    frames = group.dataset.split("test")
    first = type(frames)(frames.dataset, frames.index[:1], frames.name)
    batch: Batch = next(iter(task.loader(first, 1)))
    return task.cast(batch)
