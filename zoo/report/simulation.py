"""What the figures of simulated potentials share: `simulation.npz` of each model, and its data."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from zoo.analysis.free_energy import Difference, Grid, block_counts, blocks_of, compare, grid
from zoo.analysis.peptides import torsion_planes
from zoo.data.dataset import Dataset
from zoo.report.plot import with_unit
from zoo.report.runs import Group, LeftOut
from zoo.run import Run
from zoo.verbs.simulate import COMPANION, SIMULATION

#: Models that get panels of their own.
MOST = 4
SLOW = ("TIC 1", "TIC 2")


@dataclass(frozen=True)
class Simulated:
    """A simulation and the data that it is judged by; see `zoo.verbs.simulation_scores.Comparison`.

    Args:
        label: the model, as everywhere in the report.
        run: where it is from.
        arrays: of the simulation, and of the data that it was compared with.
        data: that the model learned from.
    """

    label: str
    run: Run
    arrays: Mapping[str, np.ndarray]
    data: Dataset

    @property
    def names(self) -> list[str]:
        """Of the features."""
        return [str(name) for name in self.arrays["features"]]

    @property
    def frames(self) -> int:
        """Number of simulated frames."""
        return len(self.arrays["simulated_0"]) * self.references // len(self.arrays["reference_0"])

    @property
    def references(self) -> int:
        """Number of the reference's frames."""
        return len(self.arrays["reference_run"])

    @property
    def main(self) -> tuple[int, ...]:
        """The features of the main plane: φ and ψ of a lone residue, slow coordinates, or the first two."""
        names, planes = self.names, list(torsion_planes(self.names).values())
        if planes and (len(planes) == 1 or not set(SLOW) <= set(names)):
            return planes[0]
        return tuple(names.index(name) for name in SLOW) if set(SLOW) <= set(names) else (0, 1)[: len(names)]

    def axis(self, k: int) -> tuple[str, float]:
        """Label of an axis for a feature, and the factor to its unit there: angles are shown in degrees."""
        if np.isfinite(self.arrays["periods"][k]):
            return f"{self.names[k]} (°)", 180 / np.pi
        return with_unit(self.names[k], str(self.arrays["units"][k])), 1.0

    def histograms(self, parts: Sequence[int]) -> tuple[Grid, np.ndarray, np.ndarray]:
        """Bins of one or two features, and counts `[blocks, bins]` of the data and of the simulation."""
        reference, simulated = (
            np.stack([self.arrays[f"{side}_{k}"] for k in parts], 1) for side in ("reference", "simulated")
        )
        periods = [float(p) if np.isfinite(p) else None for p in self.arrays["periods"][list(parts)]]
        on, copies = grid(reference, periods), len(reference) // self.references
        weights = np.repeat(self.arrays["reference_weight"], copies)
        blocks = np.repeat(blocks_of(self.arrays["reference_run"]), copies)
        return (
            on,
            block_counts(reference, blocks, on, weights),
            block_counts(simulated, np.repeat(blocks_of(self._replicas()), copies), on),
        )

    def difference(self, parts: Sequence[int]) -> Difference:
        """How far the simulation is from the data in one or two features."""
        return compare(*self.histograms(parts)[1:])

    def record(self) -> dict[str, Any]:
        """What `zoo sample` wrote beside frames in the run directory; an empty comparison if elsewhere."""
        for path in sorted(self.run.path.glob(f"*{COMPANION}"), key=lambda p: -p.stat().st_mtime):
            record = json.loads(path.read_text(encoding="utf-8"))
            if "comparison" in record:
                return dict(record)
        return {"comparison": {}}

    def _replicas(self) -> np.ndarray:
        """Replica of each simulated frame, where only every so manieth frame was kept with its own."""
        kept = self.arrays["replica"]
        place = np.linspace(0, self.frames - 1, len(kept)).astype(int)
        return kept[np.searchsorted(place, np.arange(self.frames), "right") - 1]


def all_simulated(group: Group) -> list[Simulated]:
    """Return the first simulated run of each model, the best first; none where no run was simulated.

    Raises:
        LeftOut: the dataset is not to be had, or a simulation cannot be read or is of other data.
    """
    found = []
    for label in group.order:
        simulated = [run for run in group.of(label) if (run.path / SIMULATION).is_file()]
        if simulated:
            found.append(_read(label, min(simulated, key=_seed), group.dataset))
    return found[:MOST]


def _seed(run: Run) -> int:
    return run.config.train.seed


def _read(label: str, run: Run, data: Dataset) -> Simulated:
    path = run.path / SIMULATION
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        whole = len(arrays["reference_0"]) % len(arrays["reference_run"]) == 0
        sound = whole and arrays["positions"].shape[1] == data.system.num_particles
    except Exception as error:  # of a damaged archive, anything from zipfile to numpy
        raise LeftOut(f"{path} cannot be read: {error}; `zoo sample` makes it anew") from error
    if not sound:
        raise LeftOut(f"{path} is of other particles; `zoo sample` makes it anew")
    return Simulated(label, run, arrays, data)
