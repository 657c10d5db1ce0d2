"""What the readers of trajectories share: options, and frames gathered into chunks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field

from zoo.config import Strict

#: Frames are handed on in chunks of about this size: memory does not grow with the trajectory.
CHUNK_BYTES = 64 << 20


class TrajectoryOptions(Strict):
    """Options that every reader of trajectories takes (`zoo data import … --set key=value`)."""

    units: str | None = Field(None, description="units of the files, where the format does not tell them")
    topology: Path | None = Field(None, description="file that tells atoms and bonds")
    select: str | None = Field(None, description="particles to keep, such as `type 1 2` or `protein`")
    stride: int = Field(1, ge=1, description="keep every n-th frame")
    temperature: float | None = Field(None, gt=0, description="K, or ε/k_B")
    timestep: float | None = Field(None, gt=0, description="time between frames or of one step")
    periodic: bool | None = Field(None, description="false: store in open space, without the cell")
    runs: Literal["one", "files", "time"] = Field(
        "one", description="files: each file is an independent run; time: one ends where time does not go on"
    )


def chunks(
    frames: Iterable[dict[str, np.ndarray]], size: int = CHUNK_BYTES
) -> Iterator[dict[str, np.ndarray]]:
    """Stack frames, each a mapping of the same names, into chunks of about `size` bytes."""
    held: list[dict[str, np.ndarray]] = []
    filled = 0
    for frame in frames:
        held.append(frame)
        filled += sum(np.asarray(array).nbytes for array in frame.values())
        if filled >= size:
            yield {name: np.stack([f[name] for f in held]) for name in frame}
            held, filled = [], 0
    if held:
        yield {name: np.stack([f[name] for f in held]) for name in held[0]}
