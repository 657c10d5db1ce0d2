"""Options of `zoo analyze … latent`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from zoo.config import Strict


class Options(Strict):
    """What to look at, and by how much."""

    layer: str | None = Field(
        None, description="`layer 0` to `layer n` of a network of nodes; by default the last one"
    )
    split: Literal["train", "val", "test", "all"] | None = Field(
        None, description="frames of this split; by default those held out for tests"
    )
    observables: list[str] = Field(
        [], description="names, such as [φ, Rg], that maps are coloured by; by default all there are"
    )
    particles: bool | None = Field(
        None, description="particles are the samples, not frames; by default of per-particle targets"
    )
    type: str | None = Field(None, description="of these particles; by default the most common type")
    lag: int = Field(1, ge=1, description="of the slow coordinates of the latent, in frames looked at")
    nulls: int = Field(20, ge=5, le=1000, description="shuffles that mutual information is compared with")
    path: tuple[int, int] | None = Field(
        None, description="numbers of the two frames to interpolate between; by default two far apart"
    )
    steps: int = Field(15, ge=3, le=100, description="structures of a traversal and of the interpolation")
