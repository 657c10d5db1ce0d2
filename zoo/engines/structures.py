"""Inherent and cage positions of configurations: stored ones, or found when they are asked for."""

from __future__ import annotations

import numpy as np

from zoo import keys
from zoo.data.dataset import Frames
from zoo.errors import DataError

#: Array of each kind of positions.
ARRAYS = {"thermal": keys.POSITIONS, "inherent": keys.INHERENT, "cage": keys.CAGE}


def structures(frames: Frames, kind: str) -> np.ndarray:
    """Return positions `[frames, particles, 3]` of one kind: "thermal", "inherent" or "cage".

    Raises:
        DataError: the dataset has none, and does not tell enough to find them.
    """
    if ARRAYS[kind] in frames.dataset.arrays:
        return frames.array(ARRAYS[kind])
    raise DataError(f"{frames.dataset.name} has no {kind} positions")
