"""What a dataset of LJ13 is compared with: another engine, published samples, and identities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zoo import keys
from zoo.data.dataset import Dataset
from zoo.data.entry import Check
from zoo.datasets.toys.checks import Sample, common_checks
from zoo.physics.toys import LennardJonesCluster


@dataclass(frozen=True)
class Fact:
    """An average that someone else measured at kT = 1, with its standard error."""

    name: str
    target: LennardJonesCluster
    value: float
    error: float
    source: str


FACTS = (
    Fact(
        "mean energy", LennardJonesCluster(depth=2.0), -43.008, 0.09,
        "OpenMM 8.6, LangevinMiddle, 8 runs",
    ),
    Fact(
        "mean square coordinate", LennardJonesCluster(depth=2.0), 0.46464, 0.0012,
        "OpenMM 8.6, LangevinMiddle, 8 runs",
    ),
    # 1,000 frames with the spread of 6.9 that they have here; independent frames taken for granted
    Fact(
        "mean energy", LennardJonesCluster(depth=2.0), -43.127, 0.22,
        "the 1,000 published test frames of Klein et al. 2023, as iDEM's users quote them",
    ),
    Fact(
        "mean energy", LennardJonesCluster(depth=1.0), 0.473, 0.17,
        "OpenMM 8.6, LangevinMiddle, 8 runs",
    ),
    Fact(
        "mean square coordinate", LennardJonesCluster(depth=1.0), 0.76830, 0.0038,
        "OpenMM 8.6, LangevinMiddle, 8 runs",
    ),
)  # fmt: skip


def all_checks(dataset: Dataset) -> list[Check]:
    """Run every check that the arrays of the dataset allow."""
    parameters = dataset.system.parameters
    shape = dataset.array(keys.POSITIONS).shape[1:]
    depth, trap = (float(parameters.get(name, 0)) for name in ("depth", "trap"))
    if shape[1] != 3 or depth <= 0:
        note = "the dataset does not name the depth of its wells; nothing else was compared"
        return [Check("particles", "13, in space", "definition of LJ13", None, ok=False, note=note)]
    target = LennardJonesCluster(particles=shape[0], depth=depth, trap=trap)
    sample = Sample(dataset, target)
    return [*common_checks(sample, lambda x: _energy(x, depth, trap)), *_known(sample, target)]


def _known(sample: Sample, target: LennardJonesCluster) -> list[Check]:
    """Averages that others have, for the literature's parameters."""
    known = [fact for fact in FACTS if fact.target == target and sample.kT == 1.0]
    if not known:
        note = "known for 13 particles, depth 1 or 2, trap 1 and temperature 1 alone"
        return [Check("mean energy", "unknown", "other engines and papers", None, "ε", note=note)]
    values = {"mean energy": sample.array(keys.ENERGIES), "mean square coordinate": _square(sample)}
    units = {"mean energy": "ε", "mean square coordinate": "σ²"}
    return [sample.compare(f.name, values[f.name], f.value, f.source, units[f.name], f.error) for f in known]


def _square(sample: Sample) -> np.ndarray:
    return (sample.positions**2).mean((1, 2))


def _energy(positions: np.ndarray, depth: float, trap: float) -> np.ndarray:
    n = positions.shape[1]
    total = 0.5 * trap * ((positions - positions.mean(1, keepdims=True)) ** 2).sum((1, 2))
    for i in range(n):
        for j in range(i):
            r = np.linalg.norm(positions[:, i] - positions[:, j], axis=-1)
            total = total + depth * (r**-12 - 2 * r**-6)
    return total
