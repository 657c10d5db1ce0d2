"""A linear map of particles onto beads, and the forces that belong to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from sklearn.metrics import adjusted_rand_score

from zoo.errors import DataError

#: Relative tolerance of B Cᵀ = 1.
CONSISTENT = 1e-6


@dataclass(frozen=True)
class CoarseMap:
    """Beads at z = C x with forces F = B f.

    For any constant B with B Cᵀ = 1, ⟨B f⟩ at fixed z is the mean force −∂W/∂z on the beads (Ciccotti,
    Kapral, Vanden-Eijnden, ChemPhysChem 6, 1809 (2005)); rigid bonds i–j need B_Ii = B_Ij as well. The rows
    of C add up to one, so that beads move with the molecule.

    Args:
        positions: C, `[beads, particles]`.
        forces: B, `[beads, particles]`.
        group: `[particles]` bead that each particle belongs to; −1: to none.

    Raises:
        DataError: shapes differ, a row of C does not add up to one, or B Cᵀ is not the unit matrix.
    """

    positions: np.ndarray
    forces: np.ndarray
    group: np.ndarray

    def __post_init__(self) -> None:
        beads, particles = np.shape(self.positions)
        if np.shape(self.forces) != (beads, particles) or np.shape(self.group) != (particles,):
            raise DataError(
                f"a map of {particles} particles onto {beads} beads has forces {np.shape(self.forces)} and "
                f"groups {np.shape(self.group)}"
            )
        if not np.allclose(self.positions.sum(1), 1, atol=CONSISTENT):
            raise DataError(
                "a row of a map does not add up to one: the bead would not move with its particles"
            )
        if not np.allclose(self.forces @ self.positions.T, np.eye(beads), atol=CONSISTENT):
            raise DataError("forces on the beads are not those of the map: B Cᵀ is not the unit matrix")

    @property
    def num_beads(self) -> int:
        """Number of beads."""
        return len(self.positions)

    def to_beads(self, x: np.ndarray) -> np.ndarray:
        """Positions or velocities `[..., particles, 3]` → `[..., beads, 3]`."""
        return np.einsum("bp,...pd->...bd", self.positions, x)

    def project(self, f: np.ndarray) -> np.ndarray:
        """Forces `[..., particles, 3]` → `[..., beads, 3]`."""
        return np.einsum("bp,...pd->...bd", self.forces, f)


def centers(group: np.ndarray, weights: np.ndarray | None = None) -> CoarseMap:
    """Return the map onto the centres of groups; forces are sums over them.

    Args:
        group: `[particles]` bead of each particle, from 0, without gaps.
        weights: `[particles]` of the centres, such as masses; None: plain centres.

    Raises:
        DataError: a bead has no particle, or a weight is not positive.
    """
    group = np.asarray(group, np.int64)
    weights = np.ones(len(group)) if weights is None else np.asarray(weights, np.float64)
    if (weights <= 0).any():
        raise DataError("weights of a bead's centre must be positive")
    member = membership(group)
    scaled = member * weights
    return CoarseMap(scaled / scaled.sum(1, keepdims=True), member, group)


def on_particles(keep: np.ndarray, group: np.ndarray) -> CoarseMap:
    """Return the map onto single particles; forces are sums over the group around each.

    Args:
        keep: `[beads]` the particle that each bead sits on.
        group: `[particles]` bead that takes up each particle's force; −1: none does.

    Raises:
        DataError: a bead does not sit in its own group.
    """
    keep, group = np.asarray(keep, np.int64), np.asarray(group, np.int64)
    if not np.array_equal(group[keep], np.arange(len(keep))):
        raise DataError("each bead must belong to its own group")
    positions = np.zeros((len(keep), len(group)))
    positions[np.arange(len(keep)), keep] = 1
    return CoarseMap(positions, membership(group), group)


def membership(group: np.ndarray) -> np.ndarray:
    """`[beads, particles]` ones where a particle belongs to a bead. Raises `DataError` for an empty bead."""
    group = np.asarray(group, np.int64)
    beads = int(group.max(initial=-1)) + 1
    member = (group == np.arange(beads)[:, None]).astype(np.float64)
    empty = np.flatnonzero(member.sum(1) == 0)
    if not beads or len(empty):
        raise DataError(f"bead {int(empty[0]) if beads else 0} of the map has no particle")
    return member


def projection(positions: np.ndarray, ridge: float = 0.0) -> np.ndarray:
    """B = (C Cᵀ + ridge)⁻¹ C `[beads, particles]`, the projection of least norm with B Cᵀ = 1 (ridge 0).

    For groups with equal weights it is the plain sum of forces. Soft assignments make C Cᵀ nearly singular:
    then a ridge keeps it bounded, at the price of B Cᵀ ≠ 1.
    """
    gram = positions @ positions.T
    return np.linalg.solve(gram + ridge * np.eye(len(gram)), positions)


def pieces(group: np.ndarray, bonds: np.ndarray) -> int:
    """Number of connected pieces that the beads fall into when only bonds inside of beads are kept.

    Args:
        group: `[particles]` bead of each particle; −1: of none, not counted.
        bonds: `[bonds, 2]`.
    """
    inside = bonds[group[bonds[:, 0]] == group[bonds[:, 1]]]
    n = len(group)
    graph = coo_matrix((np.ones(len(inside)), (inside[:, 0], inside[:, 1])), shape=(n, n))
    labels = connected_components(graph, directed=False)[1]
    return len(np.unique(labels[group >= 0]))


def agreement(groups: Sequence[np.ndarray]) -> float:
    """Mean adjusted Rand index of all pairs of maps `[particles]`: 1 for the same beads, 0 for chance.

    Hubert & Arabie, J. Classif. 2, 193 (1985). Maps of a symmetric molecule can be equally good and differ.

    Raises:
        DataError: fewer than two maps.
    """
    if len(groups) < 2:
        raise DataError("agreement is one of several maps")
    return float(np.mean([adjusted_rand_score(a, b) for a, b in combinations(groups, 2)]))
