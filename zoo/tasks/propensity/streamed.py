"""Descriptors of a large system: local ones tile by tile, then means over neighbours of all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse
import torch
from torch import Tensor

from zoo.descriptors.operators import weights
from zoo.graphs import edge_vectors, neighbor_list
from zoo.graphs.tiles import Tile, tiles
from zoo.models.described import DescribedModel

if TYPE_CHECKING:
    from zoo.tasks.propensity.tiles import Whole

#: Columns that a mean is taken of in one go.
COLUMNS = 32


class StreamedMean:
    """`zoo.descriptors.operators.Operator` of a large system, built tile by tile.

    12 bytes for each neighbour nearer than `reach`.

    Args:
        nodes: number of particles.
        decay, reach, fade: see `zoo.descriptors.operators.weights`.
    """

    def __init__(self, nodes: int, decay: float, reach: float, *, fade: bool = False) -> None:
        self.nodes, self.decay, self.reach, self.fade = nodes, decay, reach, fade
        self.total = torch.zeros(nodes, dtype=torch.float64)
        self._rows: list[tuple[np.ndarray, scipy.sparse.csr_matrix]] = []

    def add(self, tile: Tile, edges: Tensor, r: Tensor) -> None:
        """Add the rows of a tile's core: `edges [2, E]` of the tile that end there, lengths `r [E]`."""
        near = r < self.reach
        n = len(tile.core)
        own = torch.arange(n)
        receive = torch.cat([edges[1, near], own])
        send = torch.cat([tile.source[edges[0, near]], tile.core])
        weight = torch.cat([weights(r[near], self.decay, self.reach, self.fade), r.new_ones(n)])
        total = r.new_zeros(n).index_add_(0, receive, weight)
        order = receive.argsort(stable=True)
        start = np.zeros(n + 1, np.int32)
        start[1:] = torch.bincount(receive, minlength=n).cumsum(0).numpy()
        values = (weight / total[receive])[order].numpy()
        columns = send[order].to(torch.int32).numpy()
        matrix = scipy.sparse.csr_matrix((values, columns, start), shape=(n, self.nodes))
        self._rows.append((tile.core.numpy(), matrix))
        self.total[tile.core] = total

    def __matmul__(self, fields: Tensor) -> Tensor:
        """Return the means `[nodes, columns]` of fields of either precision, summed in float64."""
        x, out = fields.numpy(), np.empty(tuple(fields.shape), fields.numpy().dtype)
        for first in range(0, x.shape[1], COLUMNS):
            block = np.ascontiguousarray(x[:, first : first + COLUMNS], np.float64)
            for rows, matrix in self._rows:
                out[rows, first : first + COLUMNS] = matrix @ block
        return torch.from_numpy(out)


def streamed_descriptors(model: DescribedModel, whole: Whole, edges: int) -> Tensor:
    """Return descriptors `[N, …]` float32 of one kind of positions.

    Args:
        model: whose descriptors.
        whole: the configuration.
        edges: of one tile, about.
    """
    describer, settings = model.describer, model.describer.settings
    nodes, kind, cutoff = len(whole.types), model.index(whole.types), describer.cutoff
    averaging = StreamedMean(nodes, settings.average_range, settings.average_range)
    diffusion = StreamedMean(nodes, settings.diffusion_decay, settings.diffusion_range)
    scales = tuple(StreamedMean(nodes, scale, settings.scale_range, fade=True) for scale in settings.scales)
    means = [
        *([averaging] if describer.averages else []),
        *([diffusion] if describer.diffuses else []),
        *scales,
    ]
    base = torch.empty(nodes, len(describer.base_names), dtype=torch.float32)
    for tile in tiles(whole.positions, cutoff, whole.edge(cutoff, cutoff, edges), whole.cell, whole.pbc):
        found = neighbor_list(tile.positions, cutoff).edge_index
        found = found[:, found[1] < len(tile.core)]
        vectors = edge_vectors(tile.positions, found)
        local = describer.local(kind[tile.source], found, vectors)[: len(tile.core)]
        base[tile.core] = local.float()
        r = vectors.norm(dim=1)
        for mean in means:
            mean.add(tile, found, r)
    base = model.with_known(base, whole.energies, whole.offsets)
    near = describer.spread(base, kind, averaging if describer.averages else None, None)
    if describer.diffuses or scales:
        far = describer.spread(base, kind, None, diffusion if describer.diffuses else None, scales)
        near = torch.cat([near, far[:, base.shape[1] :].float()], dim=1)
    return model.centered(near, kind)
