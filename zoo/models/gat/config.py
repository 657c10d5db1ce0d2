"""Settings of the graph attention network."""

from __future__ import annotations

from pydantic import Field, model_validator

from zoo.config import Strict


class GATConfig(Strict):
    """Width, depth and reach of a GAT."""

    hidden_channels: int = Field(64, ge=1, le=4096, description="features of each node")
    heads: int = Field(4, ge=1, le=256, description="attention heads; divides hidden_channels")
    num_layers: int = Field(3, ge=1, le=64, description="attention layers")
    num_gaussians: int = Field(32, ge=2, le=4096, description="radial basis functions on [0, cutoff]")
    cutoff: float | None = Field(
        None, gt=0, lt=1e6, description="unit of length; by default 5 Å for molecules, 2.5 σ else"
    )
    dropout: float = Field(0.0, ge=0, lt=1, description="of the features each layer adds")

    @model_validator(mode="after")
    def _heads_divide_channels(self) -> GATConfig:
        if self.hidden_channels % self.heads:
            raise ValueError(f"heads = {self.heads} must divide hidden_channels = {self.hidden_channels}")
        return self
