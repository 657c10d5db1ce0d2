"""Settings of MEGNet."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from zoo.config import Strict


class MEGNetConfig(Strict):
    """Sizes of a MEGNet; the defaults are the paper's, save for the number of Gaussians (100 there)."""

    channels: int = Field(32, ge=1, le=4096, description="features of each edge, node and state")
    hidden_channels: int = Field(64, ge=1, le=4096, description="width of the networks in between")
    num_blocks: int = Field(3, ge=1, le=64)
    num_gaussians: int = Field(32, ge=2, le=4096, description="radial basis functions on [0, cutoff]")
    cutoff: float | None = Field(
        None, gt=0, lt=1e6, description="unit of length; by default 5 Å for molecules, 2.5 σ else"
    )
    readout: Literal["sum", "set2set"] = Field(
        "sum", description="energies: sum over nodes (extensive), or the paper's set2set"
    )
    set2set_steps: int = Field(3, ge=2, le=32)
