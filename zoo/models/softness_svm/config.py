"""Settings of the softness."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from zoo.config import Strict
from zoo.descriptors.settings import DescriptorSettings, over


def _structure_functions() -> DescriptorSettings:
    return DescriptorSettings(
        orders=6, energy=False, averages=0, diffused=[], start=0.7, width=0.1, offset=False
    )


class SoftnessConfig(Strict):
    """What the plane is laid through, and what it parts."""

    descriptors: Annotated[DescriptorSettings, over(_structure_functions)] = Field(
        default_factory=_structure_functions,
        description="structure functions: by default radial densities and bond-orientational order",
    )
    pair_correlation_only: bool = Field(
        False, description="of the descriptors, the radial densities alone (Landes et al. 2020)"
    )
    labels: Literal["p_hop", "propensity"] | None = Field(
        None,
        description="p_hop: particles that rearrange against those that long rest (the default where the "
        "dataset tells); propensity: the fastest of each configuration at the last time against the slowest",
    )
    share: float = Field(
        0.1,
        gt=0,
        le=0.5,
        description="of the particles of a type that are fastest, and slowest, if by propensity",
    )
    regression: bool = Field(
        False, description="no labels: support vector regression of log propensity at the last time"
    )
    C: float = Field(1.0, gt=0, description="weight of the errors against the norm of the plane")

    def seen(self) -> DescriptorSettings:
        """Descriptors that are left by `pair_correlation_only`."""
        if not self.pair_correlation_only:
            return self.descriptors
        off = {"radial": True, "orders": 0, "energy": False, "voronoi": False, "averages": 0, "offset": False}
        return self.descriptors.model_copy(update={**off, "diffused": [], "scales": []})
