"""Settings of `cg-vae`."""

from __future__ import annotations

from pydantic import Field

from zoo.config import Strict


class CGVAEConfig(Strict):
    """The map, sizes of the networks, and the terms of the loss besides the square error."""

    map: str = Field("segments", description="a map of `zoo data map --to`, such as backbone, residue, heavy")
    beads: int | None = Field(None, ge=3, description="of segments and random; 6 unless told")
    latent: int = Field(4, ge=1, le=256, description="latent numbers of each bead")
    hidden_channels: int = Field(48, ge=1, le=1024, description="scalars of a bead, and vectors")
    layers: int = Field(2, ge=1, le=16, description="blocks before the latent enters, and after")
    neighbors: int = Field(12, ge=2, description="nearest beads that send messages to each")
    kl_weight: float = Field(0.01, ge=0, description="of the divergence of posterior and prior, a coordinate")
    kl_warmup: float = Field(0.3, ge=0, le=1, description="share of the training in which it rises from 0")
    bond_weight: float = Field(
        1.0, ge=0, description="of bonds, angles and hands outside of their usual range"
    )
