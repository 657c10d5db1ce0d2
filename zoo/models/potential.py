"""A potential model as a function of positions, as samplers and engines of dynamics want it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch_geometric.data import Batch

from zoo import keys
from zoo.data.graph import Graph
from zoo.data.loader import MAX_ALL_PAIRS
from zoo.errors import DataError
from zoo.graphs import batched_all_pairs, neighbor_list
from zoo.models.base import ZooModel, require_interface
from zoo.physics.forces import energy_and_forces

#: Neighbour lists reach this share of the cutoff further, and serve until a particle has moved half of it.
SKIN = 0.2
#: A replica with a coordinate beyond is not looked at: its energy is NaN.
LARGEST = 1e6


class GraphPotential:
    """Positions `[batch, particles, 3]` → energies `[batch]`, in the units of the model's training data.

    Small molecules in open space are complete graphs that are built once for each size of the batch; others
    have neighbour lists, which are kept until a particle has moved far enough. The model is put into
    evaluation mode. Energies of replicas with positions that are not finite are NaN, and the other replicas
    do not feel it.

    Args:
        model: a potential; its device and dtype are those of the results.
        types: `[particles]` what the model knows each particle as.
        pbc: periodic along each lattice vector; calls then need a cell.

    Raises:
        ConfigError: the model predicts no energies.
    """

    def __init__(
        self, model: ZooModel, types: np.ndarray | Sequence[int], pbc: Sequence[bool] = (False, False, False)
    ) -> None:
        require_interface(model.info, "potential", type(model).__name__)
        self.model = model.eval()
        like = next((p for p in model.parameters()), torch.zeros(()))
        self.device, self.dtype = like.device, like.dtype
        self.z = torch.as_tensor(np.asarray(types, np.int64), device=self.device)
        self.pbc = tuple(bool(p) for p in pbc)
        self._constant: dict[int, dict[str, Tensor]] = {}
        self._listed: tuple[Tensor, list[Graph]] | None = None

    def __call__(self, positions: Tensor, cell: Tensor | None = None) -> Tensor:
        """Return energies `[batch]`, differentiable by the positions.

        Args:
            positions: `[batch, particles, 3]`, wrapped or not.
            cell: `[3, 3]` of all replicas, rows are lattice vectors; where space is periodic.

        Raises:
            DataError: another number of particles, or a cell is missing.
        """
        x = self._checked(positions, cell)
        return self.model(self._graph(x, cell)).to(positions.dtype)

    def energy_and_forces(self, positions: Tensor, cell: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return energies `[batch]` and forces `[batch, particles, 3]`, detached; see `__call__`."""
        x = self._checked(positions, cell)
        sane = (x.detach().abs() < LARGEST).flatten(1).all(1)
        if not bool(sane.all()):
            return self._partly(positions, cell, sane)
        energy, forces = energy_and_forces(self.model, self._graph(x, cell))
        return energy.to(positions.dtype), forces.view(x.shape).to(positions.dtype)

    def _partly(self, positions: Tensor, cell: Tensor | None, sane: Tensor) -> tuple[Tensor, Tensor]:
        energy = positions.new_full((len(positions),), float("nan"))
        forces = torch.zeros_like(positions)
        if bool(sane.any()):
            energy[sane], forces[sane] = self.energy_and_forces(positions[sane], cell)
        return energy, forces

    def _checked(self, positions: Tensor, cell: Tensor | None) -> Tensor:
        if positions.ndim != 3 or positions.shape[1:] != (len(self.z), 3):
            raise DataError(f"positions must be [batch, {len(self.z)}, 3], got {list(positions.shape)}")
        if any(self.pbc) and cell is None:
            raise DataError("space is periodic here: give the cell [3, 3]")
        return positions.to(self.device, self.dtype)

    def _graph(self, x: Tensor, cell: Tensor | None) -> Graph:
        if not any(self.pbc) and (len(self.z) <= MAX_ALL_PAIRS or self.model.cutoff == 0):
            graph = Graph(pos=x.reshape(-1, 3), **self._complete(len(x)))
            graph.num_nodes = len(x) * len(self.z)
            return graph
        graph = Batch.from_data_list(self._lists(x, cell))
        graph[keys.POS] = x.reshape(-1, 3)
        return graph

    def _complete(self, graphs: int) -> dict[str, Tensor]:
        if graphs not in self._constant:
            n = len(self.z)
            constant = {
                keys.Z: self.z.repeat(graphs),
                keys.BATCH: torch.arange(graphs, device=self.device).repeat_interleave(n),
                keys.PTR: torch.arange(graphs + 1, device=self.device) * n,
            }
            if self.model.cutoff > 0:
                edges = batched_all_pairs(n, graphs, self.device)
                constant |= {
                    keys.EDGE_INDEX: edges.edge_index,
                    keys.EDGE_PAIR: edges.edge_pair,
                    keys.PAIR_EDGE: edges.pair_edge,
                }
            self._constant = {graphs: constant}  # sizes change seldom, when a replica is lost
        return self._constant[graphs]

    def _lists(self, x: Tensor, cell: Tensor | None) -> list[Graph]:
        """Neighbour lists that hold at least all pairs within the cutoff."""
        at = x.detach() if cell is None else torch.cat([x.detach(), cell.to(x).expand(len(x), 3, 3)], dim=1)
        skin = SKIN * self.model.cutoff
        if self._listed is not None and self._listed[0].shape == at.shape:
            moved = (at - self._listed[0]).square().sum(-1)
            fixed = cell is None or not bool(moved[:, -3:].any())
            if fixed and float(moved.max()) < (skin / 2) ** 2:
                return self._listed[1]
        graphs = []
        for frame in x.detach():
            found = neighbor_list(
                frame, self.model.cutoff + skin, cell, self.pbc if cell is not None else None
            )
            graph = Graph(
                pos=frame, z=self.z, edge_index=found.edge_index, edge_pair=found.edge_pair,
                pair_edge=found.pair_edge,
            )  # fmt: skip
            if found.edge_shift is not None:
                graph.edge_shift = found.edge_shift
                graph.cell = cell.to(x)[None] if cell is not None else None
            graphs.append(graph)
        self._listed = (at, graphs)
        return graphs
