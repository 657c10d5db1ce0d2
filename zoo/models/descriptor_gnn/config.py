"""Settings of message passing over descriptors."""

from __future__ import annotations

from pydantic import Field

from zoo.config import Strict
from zoo.descriptors import DescriptorSettings


class DescriptorGNNConfig(Strict):
    """What the particles know of themselves, and how far and how often they tell."""

    descriptors: DescriptorSettings = Field(
        default_factory=lambda: DescriptorSettings(),
        description="what nodes start from",
    )
    hidden_channels: int = Field(32, ge=1, le=4096, description="features of each node")
    num_layers: int = Field(
        2, ge=0, le=16, description="rounds of messages; 0: a perceptron of the descriptors"
    )
    decays: list[float] = Field(
        [1.0, 2.0],
        min_length=1,
        description="lengths λ of the weights exp(−r/λ) that messages are summed with",
    )
    cutoff: float = Field(2.5, gt=0, lt=1e6, description="r at which the weights have gone to zero")
    dropout: float = Field(0.5, ge=0, lt=1, description="of what each layer adds, and of the last features")
