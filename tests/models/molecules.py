"""Small graphs for the tests of models."""

from __future__ import annotations

import torch
from torch import Tensor

from zoo.data.graph import Graph
from zoo.data.info import DataInfo
from zoo.graphs import batched_all_pairs, neighbor_list

Z = torch.tensor([6, 1, 8, 7, 1, 6, 1])


def info(interface: str = "potential", **facts: object) -> DataInfo:
    """Facts of a molecule of seven atoms, or of a mixture with two targets."""
    common: dict[str, object] = {"interface": interface, "units": "ase", "types": [1, 6, 7, 8]}
    if interface == "node":
        common |= {
            "target_names": ["a", "b"],
            "target_mean": [[0.0, 1.0]] * 4,
            "target_std": [[1.0, 2.0]] * 4,
        }
    return DataInfo(**{**common, "num_particles": len(Z), **facts})


def positions(frames: int, seed: int = 0, atoms: int = len(Z)) -> Tensor:
    """`[frames, atoms, 3]` float64: one shape, jittered; no two atoms nearer than about 1 Å."""
    noise = torch.Generator().manual_seed(seed)
    grid = torch.cartesian_prod(*[torch.arange(3.0)] * 3)[:atoms].double() * 1.6
    return grid + 0.15 * torch.randn(frames, atoms, 3, generator=noise, dtype=torch.float64)


def complete(x: Tensor, z: Tensor = Z) -> Graph:
    """A batch with all pairs as edges, as the loader's fast path makes it."""
    graphs, atoms = x.shape[:2]
    edges = batched_all_pairs(atoms, graphs)
    return Graph(
        pos=x.reshape(-1, 3),
        z=z.repeat(graphs),
        batch=torch.arange(graphs).repeat_interleave(atoms),
        ptr=torch.arange(graphs + 1) * atoms,
        edge_index=edges.edge_index,
        edge_pair=edges.edge_pair,
        pair_edge=edges.pair_edge,
    )


def listed(x: Tensor, cutoff: float, z: Tensor = Z, cell: Tensor | None = None) -> Graph:
    """One frame with a neighbour list; periodic where there is a cell."""
    edges = neighbor_list(x, cutoff, cell=cell)
    graph = Graph(
        pos=x, z=z, edge_index=edges.edge_index, edge_pair=edges.edge_pair, pair_edge=edges.pair_edge
    )
    if cell is not None:
        graph.cell, graph.edge_shift = cell[None], edges.edge_shift
    return graph


def without_pairs(graph: Graph) -> Graph:
    """The same graph, its edges in another order and not numbered."""
    order = torch.randperm(graph.edge_index.shape[1], generator=torch.Generator().manual_seed(1))
    plain = Graph(pos=graph.pos, z=graph.z, edge_index=graph.edge_index[:, order])
    for key in ("batch", "ptr"):
        if graph.get(key) is not None:
            plain[key] = graph[key]
    if graph.get("edge_shift") is not None:
        plain.edge_shift = graph.edge_shift[order]
    return plain
