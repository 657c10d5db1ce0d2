"""What the figures of density runs share: draws with their weights, and the reference beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from zoo.analysis.peptides import named_torsions
from zoo.analysis.weights import log_weights
from zoo.data.dataset import Frames
from zoo.errors import RunError
from zoo.report.runs import Group, LeftOut
from zoo.tasks.density.scores import draw_weights

TASK = "density"
#: Models that get panels of their own.
MOST = 4


@dataclass(frozen=True)
class Draws:
    """Predictions of one run; see `zoo.tasks.density.predictions`.

    Args:
        label: the model, as everywhere in the report.
        arrays: of the run.
        frames: the reference.
    """

    label: str
    arrays: Mapping[str, np.ndarray]
    frames: Frames

    @cached_property
    def names(self) -> list[str]:
        """Of the torsions."""
        return list(named_torsions(self.frames.dataset.system))

    @cached_property
    def weights(self) -> np.ndarray | None:
        """Clipped importance weights `[n]`; None without energies."""
        return draw_weights(dict(self.arrays))

    @cached_property
    def log_weights(self) -> np.ndarray | None:
        """Log of the weights `[n]`, unclipped and not normalised; None without energies."""
        if self.weights is None:
            return None
        energy, volume, density = (self.arrays[k] for k in ("energy", "log_volume", "log_prob"))
        return log_weights(energy, volume, density, float(self.arrays["kT"][0]))

    def sides(self, name: str) -> dict[str, tuple[np.ndarray, np.ndarray | None]]:
        """An array of the reference, of the model, and of the model with weights where there are any."""
        own = self.arrays[name]
        found: dict[str, tuple[np.ndarray, np.ndarray | None]] = {
            "reference": (self.arrays[f"reference_{name}"], None),
            self.label: (own, None),
        }
        if self.weights is not None:
            found[f"{self.label}, reweighted"] = (own, self.weights)
        return found


def all_draws(group: Group) -> list[Draws]:
    """Return the draws of each model's first run, the best first; empty for another task.

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
        try:
            arrays = run.predictions()
        except RunError as error:
            raise LeftOut(str(error)) from error
        if "log_prob" not in arrays or "frame" not in arrays:
            raise LeftOut(f"{run.path.name} keeps no draws")
        index = arrays["frame"]
        if not index.size or index.max() >= len(group.dataset):
            raise LeftOut(f"the predictions of {run.path.name} do not fit the dataset")
        found.append(Draws(label, arrays, Frames(group.dataset, index, "test")))
    return found
