"""`zoo analyze … latent`: what a network reduces conformations to."""

from __future__ import annotations

from zoo.verbs.inside.latent.look import look
from zoo.verbs.inside.latent.options import Options

__all__ = ["Options", "look"]
