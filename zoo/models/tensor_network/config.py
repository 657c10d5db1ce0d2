"""Settings of the tensor field network."""

from __future__ import annotations

from pydantic import Field

from zoo.config import Strict


class TensorNetworkConfig(Strict):
    """Width, depth, order and reach of a tensor field network."""

    channels: int = Field(16, ge=1, le=1024, description="features of each node, of each irrep")
    l_max: int = Field(1, ge=1, le=2, description="highest order of the features: 1 vectors, 2 quadrupoles")
    num_layers: int = Field(2, ge=2, le=16, description="layers; a single one cannot tell left from right")
    mirror: bool = Field(False, description="whether a mirror image has the same energy")
    num_gaussians: int = Field(16, ge=2, le=4096, description="radial basis functions on [0, cutoff]")
    radial_channels: int = Field(32, ge=1, le=4096, description="hidden width of the radial networks")
    cutoff: float | None = Field(
        None, gt=0, lt=1e6, description="unit of length; by default 5 Å for molecules, 2.5 σ else"
    )
