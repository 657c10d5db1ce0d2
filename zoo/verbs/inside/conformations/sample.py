"""Conformations to look at: what a network makes, or what a dataset or a file holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from zoo import keys
from zoo.analysis.flags import Flag
from zoo.analysis.free_energy import blocks_of
from zoo.data.dataset import Dataset, Frames
from zoo.data.system import System
from zoo.errors import DataError
from zoo.units import UnitSystem
from zoo.verbs.evaluate import data_digest

#: Frames that are looked at where no number is asked for, and draws of a network.
MOST, DRAWN = 20_000, 2000
#: Parts that independent draws are cut into, for errors.
PARTS = 20


@dataclass
class Sample:
    """Conformations.

    Args:
        label: whose they are.
        what: in words: `draws`, `all frames`, …
        system, units: of the particles.
        positions: `[frames, particles, 3]`, finite.
        run: `[frames]` number of the independent run; None: draws that are independent.
        spacing: time between frames; None where they are no time series, for the reason `no_time`.
        weights: `[frames]` relative weights in averages; None: equal.
        no_time: why they are no time series.
        facts: where they come from, as plain JSON.
        flags: what went wrong on the way.
    """

    label: str
    what: str
    system: System
    units: UnitSystem
    positions: np.ndarray
    run: np.ndarray | None = None
    spacing: float | None = None
    weights: np.ndarray | None = None
    no_time: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    flags: list[Flag] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.positions)

    @cached_property
    def blocks(self) -> np.ndarray:
        """`[frames]` independent parts: runs, or stretches of them, or of draws."""
        if self.run is not None:
            return blocks_of(self.run)
        return np.arange(len(self)) * PARTS // max(len(self), 1)

    def series(self, values: np.ndarray) -> list[np.ndarray]:
        """Cut values `[frames, …]` into runs."""
        run = np.zeros(len(self), np.int64) if self.run is None else self.run
        return np.split(values, np.flatnonzero(np.diff(run)) + 1)


def of_dataset(
    data: Dataset, frames: Frames, label: str, most: int | None, spacing: float | None = None
) -> Sample:
    """Take frames of a dataset, every n-th of each run where there are too many.

    Args:
        data: not periodic.
        frames: of it.
        label: as pictures name it.
        most: frames to look at.
        spacing: time between frames, where the data states none.

    Raises:
        DataError: periodic data, no frames, or positions that are not finite.
    """
    _refuse_periodic(data, label)
    if not len(frames):
        raise DataError(f"{label} has no frames to look at")
    index = frames.index
    run = data.runs()[index]
    stride = -(-len(index) // (most or MOST))
    first = np.concatenate([[0], np.flatnonzero(np.diff(run)) + 1])
    place = np.arange(len(index)) - np.repeat(first, np.diff(np.append(first, len(index))))
    kept = place % stride == 0
    index, run = index[kept], run[kept]
    positions = data.array(keys.POSITIONS, index)
    broken = ~np.isfinite(positions).all((1, 2))
    if broken.any():
        raise DataError(
            f"{label}: {broken.sum()} frames hold NaN or infinity, the first is {index[broken][0]}"
        )
    step, why = _time_step(data, index, run)
    if step is None and spacing is not None and keys.TIME not in data.arrays:
        step, why = spacing * stride, ""
    weights = np.asarray(data.array(keys.WEIGHTS, index)) if keys.WEIGHTS in data.arrays else None
    facts = {
        "dataset": data.name, "digest": data_digest(data), "split": frames.name, "frames": len(index),
        "every": stride, "runs": len(np.unique(run)), "weights": weights is not None,
    }  # fmt: skip
    what = "all frames" if frames.name == "all" else f"{frames.name} split"
    return Sample(
        label, what, data.system, data.units, positions, run, step, weights, why, facts
    )  # fmt: skip


def _refuse_periodic(data: Dataset, label: str) -> None:
    if not data.system.periodic:
        return
    if len(data.system.bonds):
        raise DataError(
            f"{label} is periodic; conformations are those of molecules in open space: import it whole and "
            "without its cell (--read periodic=false)"
        )
    raise DataError(
        f"{label} is a periodic liquid of single particles, which has no conformations: `zoo data check` "
        "has its structure, `zoo analyze RUN latent` what a network sees in it"
    )


def _time_step(data: Dataset, index: np.ndarray, run: np.ndarray) -> tuple[float | None, str]:
    """Time between frames that are one dynamics, or None and why there is none."""
    provenance = data.manifest.provenance
    provenance = provenance.get("source", provenance)  # of beads: how the atoms were made
    if len(provenance.get("temperatures", ())) > 1:
        return None, "frames of replica exchange jump between temperatures: their order is no dynamics"
    if provenance.get("equilibrium") is False:
        return None, "the runs are out of equilibrium: time scales of equilibrium have no meaning"
    if keys.TIME not in data.arrays:
        return None, "the frames have no times"
    steps = np.diff(np.asarray(data.array(keys.TIME, index)))[np.diff(run) == 0]
    if not len(steps) or steps.min() <= 0 or np.ptp(steps) > 1e-3 * steps.max():
        return None, "the frames are not equally spaced in time"
    return float(steps.mean()), ""
