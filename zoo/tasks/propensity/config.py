"""Settings of the `propensity` task."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from zoo.config import Strict
from zoo.descriptors.settings import Positions


class PropensityConfig(Strict):
    """What is looked at, and what the loss looks like."""

    positions: Positions = Field(
        "thermal",
        description="positions that the model is given: as they are, the energy minimum reached from them "
        "(inherent), or their mean while no particle rearranges (cage)",
    )
    members: int = Field(
        1, ge=1, le=100, description="networks trained side by side: their mean is the prediction"
    )
    rotations: Literal["none", "octahedral", "full"] = Field(
        "none", description="random rotations of each training step: of the cube (48), or all"
    )
    loss: Literal["mse", "huber"] = "huber"
    type_weights: dict[int, float] = Field(
        default_factory=dict, description="weight of each type in the loss, 1 where not named"
    )
    pair_weight: float = Field(
        0.6, ge=0, lt=1, description="share of pairs in the loss of a model that predicts them, as botan"
    )
