"""Settings of GlassMLP."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from zoo.config import Strict
from zoo.descriptors.settings import DescriptorSettings, over


def _coarse_grained() -> DescriptorSettings:
    return DescriptorSettings(
        radial=False, orders=0, voronoi=True, averages=0, scales=[0.25, 0.5, 0.75, 1.0, 1.5, 2.0]
    )


class GlassMLPConfig(Strict):
    """Inputs and layers of the network."""

    descriptors: Annotated[DescriptorSettings, over(_coarse_grained)] = Field(
        default_factory=_coarse_grained,
        description="by default energy and Voronoi cell, coarse-grained over several lengths",
    )
    bottleneck: int = Field(2, ge=1, le=4096, description="combinations of the inputs that the rest sees")
    hidden_channels: int = Field(10, ge=1, le=4096, description="width of the layers behind the bottleneck")
    num_layers: int = Field(2, ge=1, le=16, description="layers behind the bottleneck")
    dropout: float = Field(0.0, ge=0, lt=1, description="of the inputs, while it is trained")
