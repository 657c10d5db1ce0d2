"""What a dataset of LJ13 is compared with: another engine, published samples, and identities."""

from __future__ import annotations

import numpy as np

from zoo import keys
from zoo.data.dataset import Dataset
from zoo.data.entry import Check
from zoo.datasets.toys.checks import Sample, common_checks
from zoo.physics.toys import LennardJonesCluster


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
    return common_checks(sample, lambda x: _energy(x, depth, trap))


def _energy(positions: np.ndarray, depth: float, trap: float) -> np.ndarray:
    n = positions.shape[1]
    total = 0.5 * trap * ((positions - positions.mean(1, keepdims=True)) ** 2).sum((1, 2))
    for i in range(n):
        for j in range(i):
            r = np.linalg.norm(positions[:, i] - positions[:, j], axis=-1)
            total = total + depth * (r**-12 - 2 * r**-6)
    return total
