"""Settings of BOTAN."""

from __future__ import annotations

from zoo.models.bapst.config import BapstConfig


class BotanConfig(BapstConfig):
    """Width, rounds and reach; as of `bapst`."""
