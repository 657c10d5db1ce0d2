"""Settings of the `forces` task."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from zoo.config import Strict
from zoo.data.prior import PriorTerm


class ForcesConfig(Strict):
    """What is learned from, the weights of the loss (both without unit), and the prior beneath the model."""

    objective: Literal["forces", "denoising"] = Field(
        "forces", description="labels: the dataset's forces, or those that undo noise (needs no forces)"
    )
    noise: float = Field(
        0.1, gt=0, description="denoising: standard deviation of a coordinate, unit of length"
    )
    force_weight: float = Field(1.0, ge=0)
    energy_weight: float = Field(0.01, ge=0)
    prior: list[PriorTerm] | None = Field(
        None, description="terms beneath the model, [] for none; by default all of beads and none of atoms"
    )
