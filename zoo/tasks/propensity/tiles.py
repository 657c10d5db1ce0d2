"""Targets of systems that are too large for one graph: tile by tile, in memory that one tile needs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch_geometric.data import Batch

from zoo import keys
from zoo.data.dataset import Frames
from zoo.data.graph import Graph
from zoo.errors import ConfigError
from zoo.graphs import neighbor_list
from zoo.graphs.tiles import Tile, tiles
from zoo.models.base import ZooModel
from zoo.models.described import DescribedModel
from zoo.progress import Bar
from zoo.tasks.propensity.streamed import streamed_descriptors

#: Frames with more particles than this are predicted tile by tile.
LARGE = 50_000
#: Directed edges of one tile, about: 64 channels of single precision are 0.5 GB.
EDGES = 2_000_000


@dataclass(frozen=True)
class Whole:
    """One configuration, however large.

    Args:
        positions: `[N, 3]` float64, in the unit of length.
        types: `[N]` int64.
        cell: `[3, 3]` float64; None where nothing is periodic.
        pbc: periodic along each lattice vector.
        energies: `[N]` of each particle, where they are more than the positions tell.
        offsets: `[N]` distance of each from the configuration's own positions, where these are others.
    """

    positions: Tensor
    types: Tensor
    cell: Tensor | None
    pbc: tuple[bool, bool, bool]
    energies: Tensor | None = None
    offsets: Tensor | None = None

    @classmethod
    def of(cls, frames: Frames, number: int) -> Whole:
        """Return a frame of a split, at the positions that `frames` stand at."""
        graph = frames[number]
        system = frames.dataset.system
        positions = frames.positions_of(number)
        cell = None
        if system.periodic:
            cells = frames.dataset.arrays[keys.CELLS]
            cell = torch.from_numpy(np.array(cells[int(frames.index[number])], np.float64))
        return cls(
            torch.from_numpy(np.array(positions, np.float64)), graph[keys.Z], cell, system.pbc,
            graph.get(keys.LOCAL_ENERGY), graph.get(keys.OFFSET),
        )  # fmt: skip

    def edge(self, halo: float, cutoff: float, edges: int) -> float:
        """Return the width of a core whose tile has about so many edges, at least half of the halo's."""
        flat = not bool(self.positions[:, 2].any())
        d = 2 if flat else 3
        if self.cell is not None and all(self.pbc[:d]):
            size = float(torch.linalg.det(self.cell[:d, :d]).abs())
        else:
            span = self.positions[:, :d].amax(0) - self.positions[:, :d].amin(0)
            size = float(span.clamp_min(1e-6).prod())
        density = len(self.positions) / size
        ball = math.pi * cutoff**2 if flat else 4 / 3 * math.pi * cutoff**3
        particles = edges / max(1.0, density * ball)
        return max((particles / density) ** (1 / d) - 2 * halo, halo / 2, density ** (-1 / d))


def predict_whole(
    predict: Callable[[Batch], dict[str, Tensor]],
    model: ZooModel,
    whole: Whole,
    views: Sequence[Whole] | None = None,
    edges: int = EDGES,
    bar: Bar | None = None,
) -> dict[str, Tensor]:
    """Return predictions `[N, …]` of one configuration, which are those of one graph of all of it.

    Args:
        predict: gives the predictions of a batch.
        model: whose predictions they are; of an ensemble, one member.
        whole: the configuration at the positions of its graphs.
        views: at the positions of the descriptors, side by side; None: those of `whole`.
        edges: of one tile, about.
        bar: counts particles.

    Raises:
        ConfigError: the model does not tell how far it looks.
    """
    layers = model.message_layers
    if layers is None:
        raise ConfigError(
            f"{type(model).__name__} does not tell its message_layers, which systems of more than "
            f"{LARGE:,} particles need; add the property to the model"
        )
    reach, descriptors = model.cutoff, None
    if isinstance(model, DescribedModel):
        reach = model.reach
        parts = [streamed_descriptors(model, view, edges) for view in views or [whole]]
        descriptors = parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)
        del parts
    out: dict[str, Tensor] = {}
    # a little more, so that single precision loses no edge; longer ones have no effect
    cutoff = reach * (1 + 1e-5)
    for tile in tiles(
        whole.positions, layers * cutoff, whole.edge(layers * cutoff, cutoff, edges), whole.cell, whole.pbc
    ):
        graph = tile_graph(tile, whole.types, cutoff)
        if descriptors is not None:
            graph[keys.DESCRIPTORS] = descriptors[tile.source]
        graph[keys.FRAME] = torch.zeros(1, dtype=torch.long)
        for name, value in predict(Batch.from_data_list([graph])).items():
            if name not in out:
                out[name] = value.new_empty(len(whole.types), *value.shape[1:])
            out[name][tile.core] = value[: len(tile.core)]
        if bar is not None:
            bar.advance(len(tile.core))
    return out


def tile_graph(tile: Tile, types: Tensor, cutoff: float) -> Graph:
    """Return the graph of a tile, in open space, with edges up to `cutoff`; 0: without edges."""
    graph = Graph(pos=tile.positions.float(), z=types[tile.source])
    if cutoff > 0:
        found = neighbor_list(tile.positions, cutoff)
        graph.edge_index, graph.edge_pair, graph.pair_edge = (
            found.edge_index,
            found.edge_pair,
            found.pair_edge,
        )
    else:
        none = torch.zeros(0, dtype=torch.long)
        graph.edge_index, graph.edge_pair, graph.pair_edge = none.new_zeros(2, 0), none, none
    return graph
