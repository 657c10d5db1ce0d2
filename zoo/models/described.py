"""Models that start from descriptors of each particle's surroundings."""

from __future__ import annotations

import torch
from pydantic import BaseModel
from torch import Tensor
from torch_geometric.data import Data

from zoo import keys
from zoo.data.info import DataInfo
from zoo.descriptors import Describer, DescriptorSettings
from zoo.graphs import edge_vectors
from zoo.models.base import TypeIndex, ZooModel, require_interface, require_key


class DescribedModel(ZooModel):
    """Base of models whose input are descriptors; also a base for `FittedModel`s.

    The loader computes the descriptors of a frame once, keeps them beside it under `keys.DESCRIPTORS`,
    and then leaves out edges that are longer than `reach`. For a graph without them they are computed
    in the forward pass, of the graph's own positions.

    Args:
        config: of the entry.
        info: of the training data.
        settings: which descriptors.
        reach: length of the edges that the model itself looks at; 0 if none.
    """

    def __init__(
        self, config: BaseModel, info: DataInfo, settings: DescriptorSettings, reach: float = 0.0
    ) -> None:
        potential = None if info.potential is None else info.potential.model_dump()
        describer = Describer(settings, len(info.types), potential)
        super().__init__(config, info, max(reach, describer.cutoff))
        require_interface(info, "node", type(self).__name__)
        self.describer, self.reach = describer, reach
        self.index = TypeIndex(info.types)

    @property
    def num_descriptors(self) -> int:
        """Columns of the input: those of each kind of positions, side by side."""
        return len(self.describer.names) * len(self.describer.settings.positions or [""])

    def describe(self, graph: Data) -> Tensor:
        """Return descriptors `[nodes, …]` float64 of a graph as it stands, with edges up to `cutoff`.

        Where the graph brings local energies (`keys.LOCAL_ENERGY`), those stand in for the positions' own;
        offsets (`keys.OFFSET`) are 0 where it brings none.
        """
        edges = require_key(graph, keys.EDGE_INDEX, "descriptors")
        kind = self.index(graph[keys.Z])
        with torch.no_grad():
            vectors = edge_vectors(graph[keys.POS].double(), edges, _double(graph.get(keys.EDGE_SHIFT)))
            base = self.describer.local(kind, edges, vectors)
            base = self.with_known(base, graph.get(keys.LOCAL_ENERGY), graph.get(keys.OFFSET))
            means = self.describer.operators(edges, vectors, len(kind))
            x = self.describer.spread(base, kind, means.averaging, means.diffusion, means.scales)
            return self.centered(x, kind, graph.get(keys.BATCH))

    def with_known(self, base: Tensor, energies: Tensor | None, offsets: Tensor | None) -> Tensor:
        """Return local descriptors `[nodes, …]` with energies and offsets `[nodes]` as given."""
        names = self.describer.base_names
        for name, values in (("energy", energies), ("offset", offsets)):
            if values is not None and name in names:
                base = base.clone()
                base[:, names.index(name)] = values.to(base)
        return base

    def centered(self, x: Tensor, kind: Tensor, batch: Tensor | None = None) -> Tensor:
        """Return descriptors `[nodes, …]` less the mean of each species of each graph, where so set."""
        if not self.describer.settings.centered:
            return x
        types = len(self.info.types)
        group = kind if batch is None else batch * types + kind
        groups = types if batch is None or not len(batch) else (int(batch[-1]) + 1) * types
        count = torch.bincount(group, minlength=groups).clamp_min(1)
        mean = x.new_zeros(groups, x.shape[1]).index_add_(0, group, x) / count[:, None]
        return x - mean[group]

    def inputs(self, graph: Data) -> Tensor:
        """Return the model's input `[nodes, num_descriptors]`: the loader's, or computed here."""
        known = graph.get(keys.DESCRIPTORS)
        if known is not None:
            return known
        # one structure stands for each kind of positions where a graph brings but one
        copies = len(self.describer.settings.positions or [""])
        return self.describe(graph).repeat(1, copies)


def _double(shift: Tensor | None) -> Tensor | None:
    return None if shift is None else shift.double()
