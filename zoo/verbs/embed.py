"""`embed`: what a network makes of frames, as numbers, whatever kind of network it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch_geometric.data import Data

from zoo import keys
from zoo.data.catalog import open_dataset
from zoo.data.dataset import Dataset, Frames
from zoo.errors import ConfigError, DataError, UnknownName
from zoo.models.base import FittedModel, ZooModel
from zoo.models.described import DescribedModel
from zoo.models.ensemble import members_of
from zoo.models.hidden import node_features
from zoo.models.latents import latent_of
from zoo.progress import progress
from zoo.run import Run
from zoo.tasks.base import Task
from zoo.verbs.evaluate import check_fits, make_task
from zoo.verbs.inside.subject import run_folder
from zoo.weights import CARD, load_weights

#: Name of the one layer of models that reduce a conformation to numbers, and of models of descriptors.
LATENT, DESCRIPTORS = "latent", "descriptors"
#: Task that gives a bare model its graphs.
TASKS = {"potential": "forces", "node": "propensity", "density": "density", "autoencoder": "reconstruction"}
#: Numbers of positions that are encoded at once.
CHUNK = 300_000

Model = Run | Path | str | ZooModel | Task


def embed(
    model: Model,
    frames: Frames | Dataset | Path | str,
    layer: str | None = None,
    *,
    nodes: bool = False,
) -> np.ndarray:
    """Return what a network makes of frames.

    - Autoencoders: the latents; positions of beads turn with the frame, so of these the distances.
    - Flows: the point of the base that a frame comes from; Cartesian frames are first turned onto the
      model's reference structure. Flows that are integrated are integrated backwards.
    - Potentials and networks of nodes: features of the nodes after a layer, the mean over the nodes.
    - Models in closed form: the descriptors that they start from, where there are any.

    Args:
        model: a run, its directory, the name of a packaged model, or a model.
        frames: of a dataset: a split, all of it, or its name or folder.
        layer: `latent`; or `layer 0` (before the first) to `layer n`, `descriptors`. By default the
            latent, or what is last.
        nodes: do not average over the nodes.

    Returns:
        `[frames, columns]` float64, or `[frames, nodes, columns]` with `nodes`.

    Raises:
        ConfigError: the model has neither latents nor layers, or no nodes are to be had of it.
        UnknownName: no such layer.
        DataError: the frames do not fit the model, or positions are not finite.
    """
    found = embed_layers(model, frames, None if layer is None else [layer], nodes=nodes)
    return next(reversed(found.values()))


def embed_layers(
    model: Model,
    frames: Frames | Dataset | Path | str,
    layers: list[str] | None = None,
    *,
    nodes: bool = False,
) -> dict[str, np.ndarray]:
    """Return what `embed` does of several layers by name, by default all, in the order of depth."""
    task, frames = task_of(model), frames_of(frames)
    check_fits(task.model, frames.dataset)
    _check_finite(frames)
    training = task.model.training
    try:
        if _of_nodes(task, layers):
            return _node_layers(task, frames, layers, nodes)
        _check_known(layers, [LATENT])
        if nodes:
            raise ConfigError("nodes have features of their own in layers alone; the latent is the frame's")
        return {LATENT: _latents(task.model, frames)}
    finally:
        task.model.train(training)


def task_of(model: Model) -> Task:
    """Return the task of a run with its trained model, or one with default settings around a model.

    Raises:
        RunError: no such run, or it has no weights.
        ConfigError: neither a run nor a packaged model.
    """
    if isinstance(model, Task):
        return model
    if isinstance(model, ZooModel):
        return make_task(model, {"name": TASKS[model.info.interface]})
    folder = run_folder(model)
    if folder is None:
        raise ConfigError(f"{model} is neither a run nor a packaged model")
    card = json.loads((folder / CARD).read_text(encoding="utf-8")) if (folder / CARD).is_file() else {}
    trained = load_weights(folder)  # says what is wrong with the folder
    return make_task(trained, card["task"])


def frames_of(frames: Frames | Dataset | Path | str) -> Frames:
    """Return frames: those given, or all of a dataset."""
    if isinstance(frames, Frames):
        return frames
    return (frames if isinstance(frames, Dataset) else open_dataset(frames)).split("all")


def _of_nodes(task: Task, layers: list[str] | None) -> bool:
    """Whether features of nodes are meant, rather than a latent."""
    if task.interface in ("potential", "node"):
        return True
    hidden = task.interface == "autoencoder" and not isinstance(task.model, FittedModel)
    return hidden and bool(layers) and layers != [LATENT]


def _check_known(layers: list[str] | None, known: list[str]) -> None:
    for layer in layers or []:
        if layer not in known:
            raise UnknownName("layer", layer, known)


def _check_finite(frames: Frames) -> None:
    x = frames.array(keys.POSITIONS)
    bad = ~np.isfinite(x).reshape(len(x), -1).all(1)
    if bad.any():
        frame = int(frames.index[bad.argmax()])
        raise DataError(
            f"{frames.dataset.name} has positions that are not finite in {int(bad.sum())} of {len(x)} "
            f"frames, first in frame {frame}"
        )


@torch.no_grad()
def _latents(model: ZooModel, frames: Frames) -> np.ndarray:
    space = latent_of(model)
    size = max(1, CHUNK // (3 * frames.dataset.system.num_particles))
    x, parts = frames.array(keys.POSITIONS), []
    with progress("embedding", len(x), "frames") as bar:
        for start in range(0, len(x), size):
            part = space.cast(x[start : start + size].astype(np.float64))
            parts.append(space.describe(part).double().cpu().numpy())
            bar.advance(len(part))
    return np.concatenate(parts)


@torch.no_grad()
def _node_layers(task: Task, frames: Frames, layers: list[str] | None, nodes: bool) -> dict[str, np.ndarray]:
    found: dict[str, list[np.ndarray]] = {}
    task.model.eval()
    with progress("embedding", len(frames), "frames") as bar:
        for graph in graphs_of(task, frames):
            states = states_of(task.model, graph)
            _check_known(layers, list(states))
            for name, h in states.items():
                if layers is None or name in layers:
                    value = h.double().cpu().numpy()
                    found.setdefault(name, []).append(value if nodes else value.mean(0))
            bar.advance()
    return {name: np.stack(values) for name, values in found.items()}


def graphs_of(task: Task, frames: Frames) -> Iterator[Data]:
    """Graphs of frames one by one, as the task gives them to its model, on the model's device."""
    weights = next(iter([*task.model.parameters(), *task.model.buffers()]), None)
    device = torch.device("cpu") if weights is None else weights.device
    for batch in task.loader(frames, 1):
        yield task.cast(batch.to(device))


def states_of(model: ZooModel, graph: Data) -> dict[str, torch.Tensor]:
    """Return features of the nodes `[nodes, channels]` of one graph by layer; descriptors of closed forms.

    Raises:
        ConfigError: the model has neither.
    """
    first = members_of(model)[0]
    if isinstance(first, FittedModel):
        if isinstance(first, DescribedModel):
            return {DESCRIPTORS: first.inputs(graph)}
        raise ConfigError(
            f"{type(first).__name__} is a formula of the positions: it has no layers, no latent and no "
            "descriptors to look at"
        )
    return node_features(model, graph)
