"""Settings of the equivariant network for glasses."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from zoo.config import Strict
from zoo.data.info import DataInfo
from zoo.descriptors.settings import DescriptorSettings, over


def energy_alone() -> DescriptorSettings:
    """Each particle's potential energy and nothing else, as published."""
    return DescriptorSettings(radial=False, orders=0, averages=0, diffused=[], offset=False)


def settings_for(settings: DescriptorSettings, info: DataInfo) -> DescriptorSettings:
    """Return the settings, or radial densities where they ask for an energy that the dataset cannot give."""
    if settings == energy_alone() and info.potential is None:
        return settings.model_copy(update={"radial": True})
    return settings


class SE3GlassConfig(Strict):
    """Width, depth, order and reach."""

    channels: int = Field(16, ge=1, le=1024, description="features of each node, of each order")
    l_max: int = Field(2, ge=1, le=4, description="highest order of features and of spherical harmonics")
    num_layers: int = Field(3, ge=2, le=16, description="layers of messages")
    num_bessel: int = Field(8, ge=2, le=256, description="Bessel functions of the distance")
    radial_channels: int = Field(16, ge=1, le=4096, description="hidden width of the radial networks")
    cutoff: float = Field(2.0, gt=0, lt=1e6, description="length of the longest edges, σ")
    dropout: float = Field(0.0, ge=0, lt=1, description="of the invariants that the targets are read from")
    descriptors: Annotated[DescriptorSettings, over(energy_alone)] = Field(
        default_factory=energy_alone, description="what nodes start from beside their type"
    )
