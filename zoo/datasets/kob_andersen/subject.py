"""A dataset of a mixture, seen in the mixture's own dimensions."""

from __future__ import annotations

import numpy as np

from zoo import keys
from zoo.data.dataset import Dataset
from zoo.datasets.kob_andersen.mixtures import MIXTURES, Mixture, recognise

#: At most so many configurations are looked at.
FRAMES = 24


class Subject:
    """What the checks look at.

    Args:
        dataset: made here, or read from published files.
        mixture: what it holds, see `mixture_in`.
    """

    def __init__(self, dataset: Dataset, mixture: Mixture) -> None:
        self.dataset, self.mixture = dataset, mixture
        self.types = dataset.system.types
        self.frames = np.unique(np.linspace(0, len(dataset) - 1, min(len(dataset), FRAMES)).astype(int))

    @property
    def made_here(self) -> bool:
        """Whether this entry simulated it."""
        return "options" in self.dataset.manifest.provenance

    def has(self, *names: str) -> bool:
        """Whether the dataset has all these arrays."""
        return all(name in self.dataset.arrays for name in names)

    def boxes(self, frames: np.ndarray | None = None) -> np.ndarray:
        """Edges `[frames, dimensions]` of the cells, which are rectangular here, σ."""
        cells = np.asarray(self.dataset.arrays[keys.CELLS])
        edges = np.diagonal(cells, axis1=1, axis2=2)[:, : self.mixture.dimensions]
        return edges if frames is None else edges[frames]

    def positions(self, frames: np.ndarray, name: str = keys.POSITIONS) -> np.ndarray:
        """Positions `[frames, particles, dimensions]`, float64, σ."""
        return self.dataset.array(name, frames).astype(np.float64)[..., : self.mixture.dimensions]

    def separation(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Return |a − b| `[frames, particles]` by the nearest image; frames are all of `frames`."""
        box = self.boxes(self.frames)[:, None]
        moved = a - b
        return np.linalg.norm(moved - box * np.round(moved / box), axis=-1)


def mixture_in(dataset: Dataset) -> Mixture | None:
    """Return the mixture of a dataset, by its potential if it tells one, or by its particles."""
    system = dataset.system
    for mixture in MIXTURES.values():
        if system.parameters == mixture.parameters():
            return mixture
    return recognise(system.types, system.pbc)
