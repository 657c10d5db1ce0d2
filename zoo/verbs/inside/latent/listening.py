"""Which particles a latent listens to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import torch
from torch import Tensor
from torch_geometric.data import Data

from zoo import keys
from zoo.analysis.latent.maps import principal
from zoo.analysis.latent.sensitivity import fluctuation, sensitivity
from zoo.data.dataset import Frames
from zoo.models.latents import Latent
from zoo.progress import progress
from zoo.tasks.base import Task
from zoo.verbs.embed import graphs_of, states_of
from zoo.verbs.inside.latent.samples import Samples

#: Positions `[1, particles, 3]` → `[1, columns]`.
Encode = Callable[[Tensor], Tensor]

#: Frames that derivatives are averaged over.
FRAMES = 24
#: Columns that are looked at one by one; of more, principal components.
WIDEST, COMPONENTS = 6, 4


def listening(task: Task, space: Latent | None, samples: Samples) -> tuple[np.ndarray, list[str]]:
    """Return ⟨|∂z_k/∂x_i|⟩ σ_i / std z_k `[columns, particles]` without unit, and the columns' names.

    σ_i is by how much particle i moves in the data, superposed, and std z_k by how much the latent does:
    about the share of the latent's spread that the particle's own motion makes. Of wide latents and of
    layers the columns are principal components; of a flow, its first torsions.
    """
    values, names = samples.values, samples.names
    if any(samples.periods):
        columns, projection = values[:, :WIDEST], None
        names = names[:WIDEST]
    elif values.shape[1] <= WIDEST:
        columns, projection = values, None
    else:
        axes = principal(values, COMPONENTS)
        columns, projection = axes.project(values), torch.from_numpy(axes.vectors)
        names = [f"PC{k + 1}" for k in range(columns.shape[1])]
    rows = np.unique(np.linspace(0, len(samples.frames) - 1, min(FRAMES, len(samples.frames))).astype(int))
    x = torch.from_numpy(np.asarray(samples.frames.array(keys.POSITIONS), np.float64))
    few = Frames(samples.frames.dataset, samples.frames.index[rows], samples.frames.name)
    with progress("derivatives", len(rows), "frames") as bar:
        total = torch.zeros(columns.shape[1], x.shape[1], dtype=torch.float64)
        for encode, start in _encoders(task, space, samples.layer, few):
            picked = partial(_picked, encode=encode, most=len(names), projection=projection)
            total += sensitivity(picked, start).double().cpu()
            bar.advance()
    spread = _spread(columns, samples.periods[: columns.shape[1]])
    found = total.numpy() / len(rows) * fluctuation(x).numpy() / spread[:, None]
    return found, names


def _spread(columns: np.ndarray, periods: list[float | None]) -> np.ndarray:
    """Standard deviation of each column; of an angle, of its deviation from the mean direction."""
    out = columns.std(0)
    for k, period in enumerate(periods):
        if period is not None:
            turn = np.exp(2j * np.pi * columns[:, k] / period)
            out[k] = (np.angle(turn / turn.mean()) * period / (2 * np.pi)).std()
    return np.maximum(out, 1e-12)


def _picked(point: Tensor, *, encode: Encode, most: int, projection: Tensor | None) -> Tensor:
    """The columns that are looked at."""
    z = encode(point)
    return z[:, :most] if projection is None else z @ projection.to(z)


def _encoders(
    task: Task, space: Latent | None, layer: str, frames: Frames
) -> Iterator[tuple[Encode, Tensor]]:
    """Functions of positions `[1, particles, 3]` → `[1, columns]`, and the positions of a frame each."""
    if space is not None:
        for x in frames.array(keys.POSITIONS):
            yield space.describe, space.cast(np.asarray(x, np.float64)[None])
        return
    for graph in graphs_of(task, frames):
        yield partial(_mean, task=task, graph=graph, layer=layer), graph[keys.POS].detach()[None]


def _mean(point: Tensor, *, task: Task, graph: Data, layer: str) -> Tensor:
    """Mean over the nodes of their features, of the graph with its nodes at `point`."""
    graph[keys.POS] = point[0]
    return states_of(task.model, graph)[layer].mean(0, keepdim=True)
