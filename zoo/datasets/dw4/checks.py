"""What a dataset of DW4 is compared with: quadrature of everything, and identities."""

from __future__ import annotations

import numpy as np

from zoo import keys
from zoo.data.dataset import Dataset
from zoo.data.entry import Check
from zoo.datasets.dw4.exact import exact, pair_energy
from zoo.datasets.toys.checks import Sample, common_checks
from zoo.physics.toys import DoubleWells

#: Middle of the barrier between a pair's two wells.
BARRIER = 4.0
#: Standard deviations of χ² that are still chance: its bins are correlated.
SPREAD = 5.0


def all_checks(dataset: Dataset) -> list[Check]:
    """Run every check that the arrays of the dataset allow."""
    shape = dataset.array(keys.POSITIONS).shape[1:]
    if shape != (4, 3) or np.any(np.asarray(dataset.array(keys.POSITIONS))[..., 2] != 0):
        note = "these are not four particles in the plane z = 0; nothing else was compared"
        return [Check("particles", "4, in the plane", "definition of DW4", None, ok=False, note=note)]
    sample = Sample(dataset, DoubleWells())
    return [*common_checks(sample, _energy), *_quadrature(sample)]


def _quadrature(sample: Sample) -> list[Check]:
    known = exact(sample.kT)
    energies, distance = sample.array(keys.ENERGIES), np.sqrt(sample.r2)
    square = None if energies is None else (energies - known.mean_energy) ** 2
    share = known.density / known.density.sum()
    source = "quadrature in the plane, Fourier convolution"
    return [
        sample.compare("mean energy", energies, known.mean_energy, source, "ε"),
        sample.compare("variance of the energy", square, known.variance_energy, source, "ε²"),
        sample.compare("mean pair distance", distance.mean(1), share @ known.distance, source, "σ"),
        sample.compare(
            "share of pairs in the inner well, r < 4", (distance < BARRIER).mean(1),
            float(np.interp(BARRIER, known.distance + known.distance[0] / 2, share.cumsum())), source,
        ),
        _histogram(sample, distance, known.distance, share),
    ]  # fmt: skip


def _histogram(sample: Sample, distance: np.ndarray, grid: np.ndarray, share: np.ndarray) -> Check:
    """χ² of the pair distances' distribution, each bin's variance from the chains."""
    # bins of equal probability, with edges between points of the grid
    edges = np.unique(np.searchsorted(share.cumsum(), np.linspace(0, 1, 17)[1:-1]))
    expected = np.diff(np.concatenate([[0.0], share.cumsum()[edges], [1.0]]))
    bounds = np.concatenate([[0.0], grid[edges] + grid[0] / 2, [np.inf]])
    total = 0.0
    for low, high, p in zip(bounds[:-1], bounds[1:], expected, strict=True):
        mean, error = sample.mean_and_error(((distance >= low) & (distance < high)).mean(1))
        total += ((mean - p) / max(error, 1e-12)) ** 2
    bins = len(expected)
    limit = 1 + SPREAD * np.sqrt(2 / bins)
    return Check(
        "pair distances, χ² per bin", f"1, < {limit:.1f}", "quadrature in the plane", total / bins,
        ok=total / bins < limit, note=f"{bins} bins",
    )  # fmt: skip


def _energy(positions: np.ndarray) -> np.ndarray:
    pairs = [(i, j) for j in range(4) for i in range(j)]
    return sum(pair_energy(np.linalg.norm(positions[:, i] - positions[:, j], axis=-1)) for i, j in pairs)  # type: ignore[return-value]
