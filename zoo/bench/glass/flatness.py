"""Whether a training was long enough, by its validation curve."""

from __future__ import annotations

from collections.abc import Sequence

#: Shares of the epochs at the end that must bring nothing more, and what counts as nothing.
LAST, GAIN = 0.25, 0.01


def undertrained(losses: Sequence[float]) -> bool | None:
    """Whether the last quarter of the epochs still brought the best validation loss down by over 1 %.

    Args:
        losses: of the validation split, epoch by epoch.

    Returns:
        None where there are fewer than four epochs: nothing can be told.
    """
    if len(losses) < 4:
        return None
    cut = len(losses) - max(1, round(LAST * len(losses)))
    before, after = min(losses[:cut]), min(losses[cut:])
    return after < (1 - GAIN) * before


def mark(losses: Sequence[float]) -> str:
    """Return "flat", "undertrained" or, without a curve, "closed form"."""
    if not losses:
        return "closed form"
    verdict = undertrained(losses)
    return "too short to tell" if verdict is None else "undertrained" if verdict else "flat"
