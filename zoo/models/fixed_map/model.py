"""Maps that are not learned, with the decoder of least square error."""

from __future__ import annotations

from abc import abstractmethod
from typing import Literal

import torch
from pydantic import BaseModel, Field
from torch import Tensor

from zoo.coarse.maps import CoarseMap
from zoo.coarse.moments import least_squares_decoder, second_moment
from zoo.coarse.schemes import scheme
from zoo.config import Strict
from zoo.data.info import DataInfo
from zoo.errors import ConfigError, DataError
from zoo.models.autoencoder import BeadAutoencoder, FittedAutoencoder, center_weights, system_of
from zoo.models.linear import bead_center, decode_linear

#: Maps of `chemical-map`.
CHEMICAL = ("calpha", "residue", "backbone", "backbone-beta", "heavy", "groups")


class FixedMap(FittedAutoencoder, BeadAutoencoder):
    """`z = C x`, `x ≈ D z` with D of least squares over the training split."""

    to_beads: Tensor  # [beads, particles]
    decoder: Tensor  # [particles, beads]
    weights: Tensor  # [beads]

    def __init__(self, config: BaseModel, info: DataInfo) -> None:
        super().__init__(config, info)
        self._map = self.choose()
        self.register_buffer("to_beads", torch.from_numpy(self._map.positions), persistent=False)
        self.register_buffer("decoder", torch.zeros_like(self.to_beads.T))
        # the map's own centre: of the particles that it looks at, as it looks at them
        sizes = torch.from_numpy(self._map.forces) @ center_weights(info)
        self.register_buffer("weights", sizes, persistent=False)

    @abstractmethod
    def choose(self) -> CoarseMap:
        """Return the map."""

    def prepare(self, x: Tensor, forces: Tensor | None) -> None:
        """See `AutoencoderModel`: solves for the decoder."""
        x = x.double()
        x = x - bead_center(self.to_beads @ x, self.weights)
        self.decoder.copy_(least_squares_decoder(self.to_beads, second_moment(x)))

    def encode(self, x: Tensor) -> Tensor:
        """Return beads `[batch, beads, 3]`."""
        return self.to_beads.to(x) @ x

    def decode(self, z: Tensor) -> Tensor:
        """Return particles `[batch, particles, 3]`."""
        return decode_linear(self.decoder, z, self.weights)

    def coarse_map(self) -> CoarseMap:
        """See `AutoencoderModel`."""
        return self._map


class SegmentMapConfig(Strict):
    """Size of the map."""

    beads: int | None = Field(None, ge=1, description="as many as the model has that it stands beside")


class SegmentMap(FixedMap):
    """Contiguous segments, as equal as can be. Raises `ConfigError` without a number of beads."""

    config: SegmentMapConfig

    def choose(self) -> CoarseMap:
        """See `FixedMap`."""
        return scheme("segments", system_of(self.info), _needed(self.config.beads))


class RandomMapConfig(SegmentMapConfig):
    """Size and seed of the map."""

    seed: int = Field(0, ge=0)


class RandomMap(FixedMap):
    """Particles put into beads at random. Raises `ConfigError` without a number of beads."""

    config: RandomMapConfig

    def choose(self) -> CoarseMap:
        """See `FixedMap`."""
        return scheme("random", system_of(self.info), _needed(self.config.beads), self.config.seed)


class ChemicalMapConfig(SegmentMapConfig):
    """Which map; with `auto`, the one whose number of beads is nearest to `beads`."""

    map: Literal["auto", "calpha", "residue", "backbone", "backbone-beta", "heavy", "groups"] = "auto"


class ChemicalMap(FixedMap):
    """Beads by chemistry; they need not be as many as asked for.

    Raises:
        ConfigError: the system has no names and elements that a map could go by.
    """

    config: ChemicalMapConfig

    def choose(self) -> CoarseMap:
        """See `FixedMap`."""
        system = system_of(self.info)
        if self.config.map != "auto":
            return scheme(self.config.map, system)
        wanted = _needed(self.config.beads)
        found = []
        for name in CHEMICAL:
            try:
                found.append(scheme(name, system))
            except DataError:
                continue
        if not found:
            raise ConfigError(
                "chemical-map goes by elements, atoms' names and residues: this system has none"
            )
        return min(found, key=lambda m: (abs(m.num_beads - wanted), -m.num_beads))


def _needed(beads: int | None) -> int:
    if beads is None:
        raise ConfigError("this map needs a number of beads: --set model.beads=N")
    return beads
