"""What a model of a glass is given: frames at the positions asked for, with descriptors."""

from __future__ import annotations

import torch

from zoo import keys
from zoo.data.dataset import Frames
from zoo.data.graph import Graph
from zoo.engines.structures import structures
from zoo.graphs import edge_vectors
from zoo.models.base import ZooModel
from zoo.models.described import DescribedModel
from zoo.models.ensemble import members_of
from zoo.tasks.propensity import pairs


class Inputs:
    """Graphs of a split for one model.

    Args:
        model: or an ensemble, whose members are alike.
        frames: of a split.
        positions: kind of the graphs' positions.

    Attributes:
        frames: the same at these positions.
        views: the same at the positions of each block of descriptors; None for a model without.

    Raises:
        DataError: positions of some kind are not known and cannot be found.
    """

    def __init__(self, model: ZooModel, frames: Frames, positions: str) -> None:
        self.model = members_of(model)[0]
        self.frames = _at(frames, positions)
        self._pairs = pairs.learns_pairs(model, frames)
        self.views: list[Frames] | None = None
        if isinstance(self.model, DescribedModel):
            kinds = self.model.describer.settings.positions
            self.views = [self.frames] if kinds is None else [_at(frames, kind) for kind in kinds]

    def prepare(self, number: int, graph: Graph) -> Graph:
        """Add descriptors to a graph and leave out edges that only they needed; then targets of edges."""
        graph = self._described(number, graph)
        if self._pairs:
            pairs.attach(graph, self.frames, number)
        return graph

    def _described(self, number: int, graph: Graph) -> Graph:
        model = self.model
        if self.views is None or not isinstance(model, DescribedModel):
            return graph
        parts = []
        for view in self.views:
            seen = graph if view is self.frames else view.graph(number, model.describer.cutoff)
            parts.append(model.describe(seen).float())
        graph[keys.DESCRIPTORS] = torch.cat(parts, dim=1)
        return shorter(graph, model.reach)


def _at(frames: Frames, kind: str) -> Frames:
    if kind == "thermal":
        return frames
    found = structures(frames, kind)
    return frames.at(found[..., :3], found[..., 3] if found.shape[-1] > 3 else None)


def shorter(graph: Graph, reach: float) -> Graph:
    """Leave out the edges of a graph that are longer than `reach`, or all where that is 0."""
    shift = graph.get(keys.EDGE_SHIFT)
    length = edge_vectors(graph[keys.POS], graph[keys.EDGE_INDEX], shift).norm(dim=1)
    # a little longer, so that single precision loses no edge; longer ones have no effect
    kept = length < reach * (1 + 1e-5) if reach else torch.zeros_like(length, dtype=torch.bool)
    pair = graph[keys.EDGE_PAIR]
    # both directions of a pair have one length up to round-off: keep or drop them together
    whole = torch.zeros(len(graph[keys.PAIR_EDGE]), dtype=torch.bool)
    whole[pair[kept]] = True
    kept = whole[pair]
    number = whole.cumsum(0) - 1
    place = kept.cumsum(0) - 1
    graph[keys.EDGE_INDEX] = graph[keys.EDGE_INDEX][:, kept]
    graph[keys.EDGE_PAIR] = number[pair[kept]]
    graph[keys.PAIR_EDGE] = place[graph[keys.PAIR_EDGE][whole]]
    if shift is not None:
        graph[keys.EDGE_SHIFT] = shift[kept]
    return graph
