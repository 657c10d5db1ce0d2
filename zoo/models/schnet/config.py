"""Settings of SchNet."""

from __future__ import annotations

from pydantic import Field

from zoo.config import Strict


class SchNetConfig(Strict):
    """Width, depth and reach of a SchNet."""

    hidden_channels: int = Field(64, ge=1, le=4096, description="features of each node")
    num_filters: int = Field(64, ge=1, le=4096, description="channels of the convolutions")
    num_interactions: int = Field(3, ge=1, le=64, description="interaction blocks")
    num_gaussians: int = Field(50, ge=2, le=4096, description="radial basis functions on [0, cutoff]")
    cutoff: float | None = Field(
        None, gt=0, lt=1e6, description="unit of length; by default 5 Å for molecules, 2.5 σ else"
    )
    dropout: float = Field(0.0, ge=0, lt=1, description="of the features each block adds")
