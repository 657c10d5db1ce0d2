"""Rebuilding from local frames, as Cα-based rebuilds do."""

from __future__ import annotations

from collections import deque

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from zoo.coarse.beads import bead_system
from zoo.coarse.maps import CoarseMap
from zoo.coarse.schemes import scheme
from zoo.config import Strict
from zoo.data.info import DataInfo
from zoo.errors import ConfigError, DataError
from zoo.models.autoencoder import BeadAutoencoder, FittedAutoencoder, system_of


class FrameRebuildConfig(Strict):
    """Which map; with `auto` Cα where there are any, else contiguous segments."""

    map: str = Field("auto", description="auto, or a map as `zoo data map --to` takes it")
    beads: int | None = Field(None, ge=3, description="of maps that take any number")


class FrameRebuild(FittedAutoencoder, BeadAutoencoder):
    """`x_i ≈ z_I + R_I(z) ō_i`: each atom at its mean place in the frame of its bead.

    The frame of a bead comes from it and the two beads nearest to it by bonds: the neighbours on both
    sides within a chain, as in the rebuilding of proteins from their Cα trace (Purisima & Scheraga,
    Biopolymers 23, 1207 (1984), and many since), two on the same side at its ends. It is equivariant, tells
    left from right, and gives one structure for each bead configuration.

    Raises:
        ConfigError: fewer than three beads, of which no frame can be made.
    """

    to_beads: Tensor  # [beads, particles]
    triple: Tensor  # [beads, 3]
    group: Tensor  # [particles]
    offsets: Tensor  # [particles, 3]

    def __init__(self, config: FrameRebuildConfig, info: DataInfo) -> None:
        super().__init__(config, info)
        self._map = _chosen(config, info)
        beads = bead_system(system_of(info), self._map)
        if beads.num_particles < 3:
            raise ConfigError(f"{beads.num_particles} beads make no frames: take three or more")
        if (self._map.group < 0).any():
            raise ConfigError("this map leaves particles without a bead")
        for name, value in (
            ("to_beads", torch.from_numpy(self._map.positions)),
            ("triple", torch.tensor(_triples(beads.num_particles, beads.bonds))),
            ("group", torch.from_numpy(self._map.group)),
        ):
            self.register_buffer(name, value, persistent=False)
        self.register_buffer("offsets", torch.zeros(info.num_particles, 3, dtype=torch.float64))

    def prepare(self, x: Tensor, forces: Tensor | None) -> None:
        """See `AutoencoderModel`: averages each atom's place in its frame."""
        x = x.double()
        z = self.encode(x)
        local = (x - z[:, self.group])[:, :, None] @ self._frames(z)[:, self.group]
        self.offsets.copy_(local[:, :, 0].mean(0))

    def encode(self, x: Tensor) -> Tensor:
        """Return beads `[batch, beads, 3]`."""
        return self.to_beads.to(x) @ x

    def decode(self, z: Tensor) -> Tensor:
        """Return particles `[batch, particles, 3]`."""
        turned = self._frames(z)[:, self.group] @ self.offsets.to(z)[:, :, None]
        return z[:, self.group] + turned[..., 0]

    def coarse_map(self) -> CoarseMap:
        """See `AutoencoderModel`."""
        return self._map

    def _frames(self, z: Tensor) -> Tensor:
        """Right-handed axes of each bead as columns, `[batch, beads, 3, 3]`."""
        own, first, second = z[:, self.triple].unbind(2)
        along = _unit(second - first)
        out = own - first
        out = _unit(out - (out * along).sum(-1, keepdim=True) * along)
        return torch.stack([along, out, torch.linalg.cross(along, out)], -1)


def _unit(v: Tensor) -> Tensor:
    return v / v.norm(dim=-1, keepdim=True).clamp_min(1e-9)


def _chosen(config: FrameRebuildConfig, info: DataInfo) -> CoarseMap:
    system = system_of(info)
    if config.map != "auto":
        return scheme(config.map, system, config.beads if config.map in ("segments", "random") else None)
    try:
        found = scheme("calpha", system)
        if found.num_beads >= 3:
            return found
    except DataError:
        pass
    if config.beads is None:
        raise ConfigError("frame-rebuild needs a map or a number of beads: --set model.beads=N")
    return scheme("segments", system, config.beads)


def _triples(beads: int, bonds: np.ndarray) -> list[list[int]]:
    """Each bead with the two that are fewest bonds away, of those as near the lowest numbers; by number
    else.
    """
    near: list[set[int]] = [set() for _ in range(beads)]
    for i, j in bonds.tolist():
        near[i].add(j)
        near[j].add(i)
    triples = []
    for start in range(beads):
        seen, line = {start}, deque([start])
        order: list[int] = []
        while line:
            here = line.popleft()
            for there in sorted(near[here] - seen):
                seen.add(there)
                order.append(there)
                line.append(there)
        order += sorted(set(range(beads)) - seen, key=lambda k: (abs(k - start), k))
        triples.append([start, *order[:2]])
    return triples
