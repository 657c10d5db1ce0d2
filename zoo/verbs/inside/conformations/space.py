"""The few coordinates in which conformations are clustered and drawn: slow ones, or else wide ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from zoo.analysis.features import PAIRS, distances, slow_coordinates
from zoo.analysis.peptides import named_torsions
from zoo.analysis.tica import Tica, tica
from zoo.data.system import System
from zoo.errors import DataError
from zoo.verbs.inside.conformations.quantities import values
from zoo.verbs.inside.conformations.sample import Sample

#: Coordinates that are kept.
COORDINATES = 4
#: Lag as a share of the shortest run, and at most so many frames.
SHARE, LONGEST = 10, 10
#: Frames for each feature of TICA, at least.
EACH = 20

Function = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Space:
    """Coordinates of conformations.

    Args:
        kind: "TICA" or "PCA".
        own, other: `[frames, coordinates]` of the subject and of the reference, unit variance.
        scales: `[coordinates]` TICA: autocorrelation at the lag; PCA: width relative to the first.
        lag: frames of TICA; 0 of PCA.
        fitted: whose frames say what the coordinates are.
        features: what they are combinations of.
    """

    kind: str
    own: np.ndarray
    other: np.ndarray | None
    scales: np.ndarray
    lag: int
    fitted: str
    features: str

    @property
    def names(self) -> list[str]:
        """`TIC 1`, or `PC 1`."""
        return [f"{'TIC' if self.kind == 'TICA' else 'PC'} {i + 1}" for i in range(len(self.scales))]

    def weighed(self, points: np.ndarray) -> np.ndarray:
        """Points in which distances tell of time (kinetic map; F. Noé, C. Clementi 2015), or of width."""
        return points * self.scales


def lag_of(sample: Sample, wanted: float | None) -> int:
    """Return the lag in frames: the one asked for, or a tenth of the shortest run, 10 at most.

    Raises:
        DataError: no run is longer.
    """
    lengths = [len(r) for r in sample.series(np.arange(len(sample)))]
    assert sample.spacing is not None
    if wanted is None:
        return max(1, min(LONGEST, min(lengths) // SHARE))
    lag = max(1, round(wanted / sample.spacing))
    if lag >= max(lengths):
        raise DataError(
            f"{sample.label}: a lag of {wanted:g} {sample.units.time} is longer than its runs of "
            f"{max(lengths) * sample.spacing:g} {sample.units.time}"
        )
    return lag


def space(own: Sample, other: Sample | None, lag: float | None) -> Space | None:
    """Return slow coordinates of the reference, else of the subject, else the widest ones by PCA.

    None where nothing varies.
    """
    function, text = coordinates(own.system)
    points = values(own.positions, function)
    against = None if other is None else values(other.positions, function)
    pairs = [(other, against), (own, points)]
    for sample, found in pairs:
        if sample is None or found is None or sample.spacing is None:
            continue
        try:
            slow = fit(sample, found, lag)
        except DataError:
            continue
        return Space(
            "TICA", slow.project(points), None if against is None else slow.project(against),
            np.clip(slow.eigenvalues, 0, 1), slow.lag, sample.label, text,
        )  # fmt: skip
    return _wide(own if other is None else other, points, against, text)


def fit(sample: Sample, points: np.ndarray, lag: float | None) -> Tica:
    """Return TICA of features `[frames, k]` of a time series, of their `leading` combinations.

    Raises:
        DataError: nothing varies, or no run is longer than the lag.
    """
    if still(points):
        raise DataError(f"nothing varies in {sample.label}")
    mean, axes = leading(points)
    slow = tica(sample.series((points - mean) @ axes), lag_of(sample, lag), COORDINATES)
    return Tica(mean + axes @ slow.mean, axes @ slow.vectors, slow.eigenvalues, slow.lag)


def still(points: np.ndarray) -> bool:
    """Whether features `[frames, k]` are the same in all frames but for rounding, or there are none."""
    return bool((np.ptp(points, axis=0) <= 1e-9 * np.abs(points).max(axis=0)).all())


def leading(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean and axes `[k, m]` of the widest combinations of features, one for each 20 frames.

    Among very many directions some seem slow by chance. Axes are orthogonal: all of them lose nothing.
    """
    mean = points.mean(0)
    most = min(points.shape[1], max(2, len(points) // EACH))
    return mean, np.linalg.svd(points - mean, full_matrices=False)[2][:most].T


def coordinates(system: System) -> tuple[Function, str]:
    """Return what conformations are told apart by, and what that is.

    Particles without bonds may change places: their distances are sorted.
    """
    if not len(system.bonds) and system.num_particles > 1:
        pairs = np.array(list(combinations(range(system.num_particles), 2)))[:PAIRS]
        return lambda x: np.sort(distances(x, pairs), axis=1), "sorted distances of all pairs"
    named = bool(named_torsions(system))
    return slow_coordinates(system), "sine and cosine of torsions" if named else "distances of pairs"


def heavy_distances(system: System) -> Function:
    """Return distances of all pairs of heavy atoms: features that know no torsion."""
    heavy = np.flatnonzero(system.elements > 1)
    pairs = np.array(list(combinations(heavy.tolist(), 2)), np.int64).reshape(-1, 2)
    step = -(-len(pairs) // PAIRS)
    return lambda x: distances(x, pairs[::step])


def _wide(fitted: Sample, points: np.ndarray, against: np.ndarray | None, text: str) -> Space | None:
    base = points if against is None else against
    if still(base):
        return None
    mean = base.mean(0)
    _, sizes, axes = np.linalg.svd(base - mean, full_matrices=False)
    kept = min(COORDINATES, int((sizes > 1e-6 * sizes[0]).sum()))
    width = sizes[:kept] / np.sqrt(len(base))
    turned = axes[:kept].T / width
    return Space(
        "PCA", (points - mean) @ turned, None if against is None else (against - mean) @ turned,
        width / width[0], 0, fitted.label, text,
    )  # fmt: skip
