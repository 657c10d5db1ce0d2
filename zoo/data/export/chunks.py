"""Frames in chunks that fit into memory, with a progress bar."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from zoo.data.dataset import Frames
from zoo.progress import progress

#: Numbers in one chunk of positions.
SIZE = 2_000_000


def chunks(frames: Frames, label: str) -> Iterator[np.ndarray]:
    """Give the frames' indices in their dataset, chunk by chunk."""
    size = max(1, SIZE // (3 * frames.dataset.system.num_particles))
    with progress(f"writing {label}", len(frames), "frames") as bar:
        for start in range(0, len(frames), size):
            index = frames.index[start : start + size]
            yield index
            bar.advance(len(index))
