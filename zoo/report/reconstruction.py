"""What the figures of reconstruction runs share: predictions of each model's first run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zoo import keys
from zoo.data.dataset import Frames
from zoo.errors import RunError
from zoo.report.runs import Group, LeftOut
from zoo.run import Run

TASK = "reconstruction"


@dataclass(frozen=True)
class Decoded:
    """Predictions of one run; see `zoo.tasks.reconstruction.task`.

    Args:
        name: the model, as everywhere in the report.
        label: the same, shorter.
        run: where they are from.
        arrays: of the run.
        frames: the originals.
    """

    name: str
    label: str
    run: Run
    arrays: Mapping[str, np.ndarray]
    frames: Frames

    @property
    def original(self) -> np.ndarray:
        """Positions `[frames, particles, 3]`."""
        return self.frames.array(keys.POSITIONS).astype(np.float64)

    @property
    def structures(self) -> np.ndarray:
        """Decoded positions `[frames, particles, 3]`, from the beads or latents alone."""
        name = "decoded" if "decoded" in self.arrays else "reconstruction"
        return self.arrays[name].astype(np.float64)


def all_decoded(group: Group) -> list[Decoded]:
    """Return the predictions of each model's first run, the best first; empty for another task.

    Raises:
        LeftOut: the dataset or the predictions are not to be had.
    """
    if group.board.task != TASK:
        return []
    found = []
    for label in group.order:
        run = group.first(label)
        if run is None:
            continue
        _, frames = group.predicted(run, "reconstruction")
        try:
            found.append(Decoded(label, short(label), run, run.predictions(), frames))
        except RunError as error:
            raise LeftOut(str(error)) from error
    return found


def short(label: str) -> str:
    """`cg-autoencoder (cg-autoencoder-otp-3-beads)` → `cg-autoencoder, 3 beads` where it is of that form."""
    model, _, folder = label.rstrip(")").partition(" (")
    tail = Path(folder).name.rpartition("-beads")[0].rpartition("-")[2]
    return f"{model}, {tail} beads" if tail.isdigit() else label
