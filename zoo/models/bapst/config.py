"""Settings of the network of Bapst et al."""

from __future__ import annotations

from pydantic import Field

from zoo.config import Strict


class BapstConfig(Strict):
    """Width, rounds and reach; the defaults are the published ones but for `fade`."""

    hidden_channels: int = Field(64, ge=1, le=4096, description="width of every layer")
    rounds: int = Field(7, ge=1, le=64, description="rounds of messages, all with the same weights")
    cutoff: float = Field(2.0, gt=0, lt=1e6, description="length of the longest edges, σ")
    fade: float = Field(
        0.1, ge=0, lt=1, description="share of the cutoff within which messages fade to 0; published: 0"
    )
    self_loops: bool = Field(False, description="whether each particle also sends a message to itself")
