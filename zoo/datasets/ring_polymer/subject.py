"""What the checks of a dataset of chains look at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zoo import keys
from zoo.data.dataset import Dataset
from zoo.datasets.ring_polymer.polymer import Polymer
from zoo.datasets.ring_polymer.statistics import average, some_runs

#: Where expected sizes and bonds come from.
STUDY = "independent simulation of the Padua study's ring"
#: At most so many beads' positions are looked at.
BEADS = 3_000_000


@dataclass(frozen=True)
class Subject:
    """What the checks look at.

    Args:
        dataset: the dataset.
        polymer: its chains.
        frames: numbers of the frames that are looked at.
        slices: where each run's frames are among these.
        chains: `[frames, chains, beads, 3]` their positions.
        weights: `[frames]` for averages of equilibrium, None where all are alike.
    """

    dataset: Dataset
    polymer: Polymer
    frames: np.ndarray
    slices: list[slice]
    chains: np.ndarray
    weights: np.ndarray | None

    @property
    def equilibrium(self) -> bool:
        """Whether averages are those of equilibrium, as the maker says."""
        return bool(self.dataset.manifest.provenance.get("equilibrium", False))

    def each(self, values: np.ndarray) -> np.ndarray:
        """Mean over chains of values `[frames × chains, ...]`: `[frames]`."""
        return values.reshape(len(self.chains), -1).mean(1)

    def mean(self, values: np.ndarray) -> tuple[float, float | None]:
        """Mean and error of `[frames]` values in equilibrium."""
        return average(values, self.slices, self.weights)

    @property
    def time(self) -> np.ndarray | None:
        """`[frames]` time within the run, τ."""
        there = keys.TIME in self.dataset.arrays
        return self.dataset.array(keys.TIME, self.frames) if there else None

    @property
    def flat(self) -> np.ndarray:
        """All chains of all frames `[frames × chains, beads, 3]`."""
        return self.chains.reshape(-1, self.polymer.beads, 3)

    @classmethod
    def of(cls, dataset: Dataset, polymer: Polymer) -> Subject:
        """Return a dataset's frames, or whole runs of them where there are very many."""
        frames, slices = some_runs(dataset, max(1, BEADS // polymer.particles))
        positions = np.asarray(dataset.array(keys.POSITIONS, frames), np.float64)
        chains = positions.reshape(len(frames), polymer.chains, polymer.beads, 3)
        weights = dataset.array(keys.WEIGHTS, frames) if keys.WEIGHTS in dataset.arrays else None
        return cls(dataset, polymer, frames, slices, chains, weights)
