"""Small made-up systems that suites feed to models: clusters in open space, liquids in skewed cells."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from zoo import keys
from zoo.data.graph import Graph
from zoo.data.info import DataInfo
from zoo.graphs import neighbor_list

#: Types, and usual distance of neighbours in clusters and in liquids, by interface: bonded atoms and
#: simple liquids in Å, glasses in σ.
TYPES = {"potential": (1, 6, 8), "node": (0, 1), "density": (1, 6, 8)}
SPACING = {"potential": 1.5, "node": 1.1, "density": 1.5}
LIQUID_SPACING = {"potential": 3.0, "node": 1.1}
TARGETS = ("short", "long")


@dataclass(frozen=True)
class System:
    """Particles in space: what does not depend on a model's cutoff.

    Args:
        pos: `[N, 3]` float64.
        z: `[N]` int64.
        cell: `[3, 3]` float64, rows are lattice vectors; None in open space.
    """

    pos: Tensor
    z: Tensor
    cell: Tensor | None = None

    def graph(self, cutoff: float, dtype: torch.dtype = torch.float64) -> Graph:
        """Return the graph with the edges of all pairs within `cutoff` (1 where that is 0)."""
        edges = neighbor_list(self.pos, cutoff or 1.0, cell=self.cell)
        graph = Graph(
            pos=self.pos.to(dtype),
            z=self.z.clone(),
            edge_index=edges.edge_index,
            edge_pair=edges.edge_pair,
            pair_edge=edges.pair_edge,
            frame=torch.zeros(1, dtype=torch.int64),
        )
        if self.cell is not None:
            assert edges.edge_shift is not None
            graph.cell, graph.edge_shift = self.cell[None].to(dtype), edges.edge_shift.to(dtype)
        return graph

    def moved(self, displacement: Tensor) -> System:
        """Return it with `displacement [N, 3]` or `[3]` added to the positions."""
        return replace(self, pos=self.pos + displacement)

    def rotated(self, rotation: Tensor) -> System:
        """Return it turned by `rotation [3, 3]`, its cell as well."""
        cell = None if self.cell is None else self.cell @ rotation.T
        return replace(self, pos=self.pos @ rotation.T, cell=cell)

    def permuted(self, order: Tensor) -> System:
        """Return it with its particles in another order."""
        return replace(self, pos=self.pos[order], z=self.z[order])

    def shifted(self, steps: Tensor) -> System:
        """Return it with each particle moved by `steps [N, 3]` lattice vectors."""
        assert self.cell is not None
        return replace(self, pos=self.pos + steps.to(self.pos) @ self.cell)

    def wrapped(self) -> System:
        """Return it with all particles inside the cell."""
        assert self.cell is not None
        return self.shifted(-(self.pos @ torch.linalg.inv(self.cell)).floor())


def cluster(interface: str, particles: int = 9, seed: int = 0) -> System:
    """A chain of neighbours, folded at random, in open space. Neighbours in the list are bonded."""
    rng = np.random.default_rng([particles, seed])
    spacing = SPACING[interface]
    placed = np.zeros((1, 3))
    while len(placed) < particles:
        step = rng.normal(size=3)
        new = placed[-1] + spacing * step / np.linalg.norm(step)
        if np.linalg.norm(placed - new, axis=1).min() > 0.75 * spacing:
            placed = np.vstack([placed, new])
    return System(torch.from_numpy(placed), _types(interface, particles))


def liquid(interface: str, particles: int = 16, seed: int = 0) -> System:
    """Particles at random in a skewed periodic cell, one to each cube of the usual distance."""
    rng = np.random.default_rng([particles, seed, 1])
    spacing = LIQUID_SPACING[interface]
    edge = spacing * particles ** (1 / 3)
    cell = edge * np.array([[1.0, 0.0, 0.0], [0.3, 0.9, 0.0], [-0.2, 0.1, 1.1]])
    images = np.array(list(itertools.product((-1, 0, 1), repeat=3))) @ cell
    placed = np.zeros((0, 3))
    while len(placed) < particles:
        new = rng.uniform(size=3) @ cell
        apart = placed[:, None] - new + images
        if not len(placed) or np.linalg.norm(apart, axis=-1).min() > 0.7 * spacing:
            placed = np.vstack([placed, new])
    return System(torch.from_numpy(placed), _types(interface, particles), torch.from_numpy(cell))


def _types(interface: str, particles: int) -> Tensor:
    types = TYPES[interface]
    return torch.tensor([types[(i * i) % len(types)] for i in range(particles - 1)] + [types[-1]])


def jittered(system: System, frames: int, seed: int = 0) -> list[System]:
    """Return `frames` copies with each particle moved a little, as in a simulation."""
    noise = torch.Generator().manual_seed(seed)
    shape = system.pos.shape
    return [
        system.moved(0.08 * torch.randn(shape, generator=noise, dtype=torch.float64)) for _ in range(frames)
    ]


def info(interface: Literal["potential", "node"]) -> DataInfo:
    """Facts of training data as these systems would have: none of the scales is 0 or 1."""
    types = list(TYPES[interface])
    system = cluster(interface)
    if interface == "potential":
        bonds = [(i, i + 1) for i in range(len(system.pos) - 1)]
        return DataInfo(
            interface=interface, units="ase", types=types, bonds=bonds,
            num_particles=len(system.pos), energy_per_particle=-0.4, force_rms=1.3,
        )  # fmt: skip
    return DataInfo(
        interface=interface, units="lj", types=types, num_particles=len(system.pos),
        target_names=list(TARGETS),
        target_mean=[[0.3 + 0.2 * k, 0.9 - 0.1 * k] for k in range(len(types))],
        target_std=[[0.1 + 0.1 * k, 0.4 + 0.2 * k] for k in range(len(types))],
    )  # fmt: skip


def labelled(system: System, reference: System, cutoff: float, interface: str) -> Graph:
    """Return a float32 graph with something to learn: springs to `reference`, or crowding.

    Potentials get energies and forces of springs; nodes get targets that grow with the number of
    neighbours; a density learns from positions alone.
    """
    graph = system.graph(cutoff, torch.float32)
    if interface == "potential":
        away = system.pos - reference.pos
        graph[keys.ENERGY] = (0.5 * away.square().sum() - 0.4 * len(away)).reshape(1).float()
        graph[keys.FORCES] = -away.float()
        return graph
    if interface == "density":
        return graph
    near = System(system.pos, system.z, system.cell).graph(1.6 * SPACING["node"])
    crowd = torch.bincount(near.edge_index[1], minlength=len(system.pos)).float()
    graph[keys.TARGETS] = torch.stack([0.2 + 0.05 * crowd, 1.0 - 0.1 * crowd], dim=1)
    return graph
