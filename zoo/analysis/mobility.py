"""How far fast and slow regions of a glass reach: spatial correlation of per-particle mobilities.

Plain functions on numpy arrays. Lengths are in the unit of the positions; everything else has none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix
from scipy.spatial import cKDTree

#: Particles of a frame whose neighbours are looked at: their number bounds time and memory.
CENTRES = 1024
#: Particles whose neighbours are listed at once.
BLOCK = 256


@dataclass(frozen=True)
class PairSums:
    """Sums over the neighbours j of some particles i of each frame, shell by shell.

    Args:
        edges: `[shells + 1]` distances between the shells.
        centres: `[frames]` number of particles i.
        pairs: `[frames, shells]` number of pairs (i, j).
        products: `[frames, shells, fields]` sum of u_i v_j over these pairs.
        own: `[frames, fields]` sum of u_i v_i.
    """

    edges: np.ndarray
    centres: np.ndarray
    pairs: np.ndarray
    products: np.ndarray
    own: np.ndarray

    def correlation(self) -> np.ndarray:
        """Return G(r) = ⟨u_i v_j⟩_{r_ij = r} / ⟨u_i v_i⟩, `[fields, shells]`; NaN in an empty shell.

        1 where particles at this distance are equal in mobility, 0 where they know nothing of each other.
        """
        with np.errstate(invalid="ignore", divide="ignore"):
            shells = (self.products.sum(0) / self.pairs.sum(0)[:, None]).T
            return shells / (self.own.sum(0) / self.centres.sum())[:, None]

    def susceptibility(self) -> np.ndarray:
        """Return χ = ⟨Σ_j u_i v_j⟩_i over j = i and all j within the last edge, `[frames, fields]`.

        The part within this distance of the dynamic susceptibility χ4 = N ⟨(mean of u)²⟩: the square
        of the relative fluctuation, times how many particles share it.
        """
        return (self.own + self.products.sum(1)) / self.centres[:, None]


def relative_mobility(mobility: np.ndarray, types: np.ndarray) -> np.ndarray:
    """Return u = mobility / mean of the particle's type over all frames − 1.

    The mean is over all frames, so that a frame that is faster as a whole stays so.

    Args:
        mobility: `[frames, particles, fields]`, of any unit; means that vanish give u = 0.
        types: `[particles]`.
    """
    out = np.zeros(mobility.shape)
    for kind in np.unique(types):
        members = types == kind
        values = np.asarray(mobility[:, members], np.float64)
        mean = values.mean((0, 1))
        out[:, members] = np.divide(values - mean, mean, out=np.zeros_like(values), where=mean != 0)
    return out


def reach_of(cells: np.ndarray | None, pbc: tuple[bool, ...], most: float) -> float:
    """Return the largest distance, up to `most`, at which no pair is seen twice in a periodic cell.

    Args:
        cells: `[frames, 3, 3]`, rows are lattice vectors; None where nothing is periodic.
    """
    if cells is None or not any(pbc):
        return most
    # distances between opposite faces of the cell are 1 / |rows of the inverse's transpose|
    heights = 1 / np.linalg.norm(np.linalg.inv(_filled(cells, pbc)), axis=-2)
    return min(most, float(heights[:, list(pbc)].min()) / 2)


def mobility_pairs(
    positions: np.ndarray,
    cells: np.ndarray | None,
    pbc: tuple[bool, ...],
    fields: np.ndarray,
    others: np.ndarray | None = None,
    *,
    reach: float = 5.0,
    shells: int = 25,
    seed: int = 0,
) -> PairSums:
    """Sum products of mobilities over pairs of particles.

    Mobilities that are means over a few clones are noisy, and the noise of neighbours is correlated
    as their motion within a clone is. Give means over one half of the clones as `fields` and over
    the other half as `others`: the noise of the two is independent and drops out.

    Args:
        positions: `[frames, particles, 3]`.
        cells: `[frames, 3, 3]`; None where nothing is periodic.
        pbc: which of the three lattice vectors repeat.
        fields: `[frames, particles, fields]`, u, of `relative_mobility`.
        others: v, of the same shape; u itself where not given.
        reach: largest distance, at most half the cell (`reach_of`).
        shells: equal parts of it.
        seed: of the choice of 1,024 particles i in frames that have more.
    """
    frames, particles, number = fields.shape
    edges = np.linspace(0.0, reach, shells + 1)
    both = fields if others is None else np.concatenate([fields, others], axis=2)
    other = fields if others is None else others
    rng = np.random.default_rng(seed)
    few = min(particles, CENTRES)
    pairs, products = np.zeros((frames, shells)), np.zeros((frames, shells, number))
    own = np.zeros((frames, number))
    for f in range(frames):
        chosen = np.sort(rng.choice(particles, few, replace=False))
        cell = None if cells is None or not any(pbc) else _filled(cells[f], pbc)
        own[f] = (fields[f, chosen] * other[f, chosen]).sum(0)
        for part in np.array_split(chosen, -(-few // BLOCK)):
            shell, j = _neighbours(positions[f], part, cell, pbc, edges)
            pairs[f] += np.bincount(shell % shells, minlength=shells)
            # one row for each particle i and shell: its product with u sums over the neighbours
            row = np.concatenate([[0], np.cumsum(np.bincount(shell, minlength=len(part) * shells))])
            matrix = csr_matrix((np.ones(len(j)), j, row), shape=(len(part) * shells, particles))
            sums = (matrix @ both[f]).reshape(len(part), shells, -1)
            products[f] += np.einsum("if,isf->sf", fields[f, part], sums[..., -number:])
            if others is not None:  # u_i v_j and v_i u_j are the same pair: their mean has less noise
                products[f] += np.einsum("if,isf->sf", others[f, part], sums[..., :number])
    return PairSums(edges, np.full(frames, few), pairs, products / (1 if others is None else 2), own)


def _neighbours(
    x: np.ndarray, part: np.ndarray, cell: np.ndarray | None, pbc: tuple[bool, ...], edges: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Row (particle of `part`, then shell) and number of each neighbour within reach, rows ascending."""
    x = np.asarray(x, np.float64)
    number = np.arange(len(x))
    copies = x
    if cell is not None:
        x, copies, number = _copies(x, cell, pbc, edges[-1])
    found = cKDTree(x[part]).sparse_distance_matrix(cKDTree(copies), edges[-1], output_type="ndarray")
    j = number[found["j"]]
    kept = part[found["i"]] != j
    shells = len(edges) - 1
    shell = np.minimum((found["v"][kept] * (shells / edges[-1])).astype(np.int64), shells - 1)
    row = found["i"][kept] * shells + shell
    order = np.argsort(row, kind="stable")
    return row[order], j[kept][order]


def _copies(
    x: np.ndarray, cell: np.ndarray, pbc: tuple[bool, ...], reach: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Positions in the cell, those of all periodic images within `reach` of it, and whose images they are."""
    inverse = np.linalg.inv(cell)
    margin = reach * np.linalg.norm(inverse, axis=0)  # in units of the lattice vectors
    share = x @ inverse
    for k in range(3):
        share[:, k] -= np.floor(share[:, k]) if pbc[k] else 0
    images, number = share, np.arange(len(x))
    for k in range(3):
        if pbc[k]:
            shifts = [-1, 0, 1]
            images = np.concatenate([images + shift * np.eye(3)[k] for shift in shifts])
            number = np.tile(number, len(shifts))
            near = (images[:, k] > -margin[k]) & (images[:, k] < 1 + margin[k])
            images, number = images[near], number[near]
    return share @ cell, images @ cell, number


def _filled(cells: np.ndarray, pbc: tuple[bool, ...]) -> np.ndarray:
    """Cells with a unit vector where a direction does not repeat, so that they can be inverted."""
    out = np.array(cells, np.float64)
    for k in range(3):
        if not pbc[k]:
            out[..., k, :] = np.eye(3)[k]
    return out
