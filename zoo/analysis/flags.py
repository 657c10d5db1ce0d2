"""What is wrong with a network or its draws, in words."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Flag:
    """A sentence for whoever trains the network.

    Args:
        kind: one word or two, the same for all of a kind: `NaN`, `collapse`, `mode drop`, `dead units`.
        text: what is wrong, where, by how much, and what to try.
    """

    kind: str
    text: str
