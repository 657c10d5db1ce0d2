"""Structure of proteins: superposition, size, contacts, torsions of the backbone, chirality.

Plain functions on arrays. Which atoms to take is read from names: `Backbone.of(names, residues, chains)`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from zoo.physics.torsions import torsions


def superposed_rmsd(
    positions: np.ndarray, reference: np.ndarray, atoms: np.ndarray | None = None
) -> np.ndarray:
    """Return the root mean square deviation after the best rotation and shift.

    Kabsch, Acta Cryst. A 32, 922 (1976), by singular values; reflections are not allowed.

    Args:
        positions: `[frames, atoms, 3]`.
        reference: `[atoms, 3]`, same unit.
        atoms: those that are compared; None: all.

    Returns:
        `[frames]`, in the unit of the positions.
    """
    chosen = slice(None) if atoms is None else atoms
    x = np.asarray(positions, np.float64)[:, chosen]
    y = np.asarray(reference, np.float64)[chosen]
    x = x - x.mean(1, keepdims=True)
    y = y - y.mean(0)
    covariance = np.einsum("fai,aj->fij", x, y)
    values = np.linalg.svd(covariance, compute_uv=False)
    values[:, 2] *= np.sign(np.linalg.det(covariance))
    squares = (x**2).sum((1, 2)) + (y**2).sum() - 2 * values.sum(1)
    return np.sqrt(np.maximum(squares, 0) / len(y))


def radius_of_gyration(positions: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Return `[frames]` √(Σ w |x − x̄|² / Σ w) of positions `[frames, atoms, 3]`; equal weights if None."""
    x = np.asarray(positions, np.float64)
    w = np.ones(x.shape[1]) if weights is None else np.asarray(weights, np.float64)
    w = w / w.sum()
    centre = np.einsum("a,fai->fi", w, x)
    return np.sqrt(np.einsum("a,fai->f", w, (x - centre[:, None]) ** 2))


def contacts(positions: np.ndarray, cutoff: float, pairs: np.ndarray) -> np.ndarray:
    """Return `[frames, pairs]` whether each of `pairs` `[pairs, 2]` is nearer than `cutoff`."""
    x = np.asarray(positions, np.float64)
    return np.linalg.norm(x[:, pairs[:, 0]] - x[:, pairs[:, 1]], axis=-1) < cutoff


@dataclass(frozen=True)
class Backbone:
    """Indices of the atoms that make a protein's backbone, as far as they are there.

    Args:
        alpha: `[residues]` Cα of each residue that has one.
        phi, psi, omega: `[n, 4]` atoms of each torsion; ω is that of the peptide bond before.
        phi_residues, psi_residues, omega_residues: `[n]` the residue that each belongs to.
        chiral: `[n, 4]` Cα, N, C, Cβ.
    """

    alpha: np.ndarray
    phi: np.ndarray
    phi_residues: np.ndarray
    psi: np.ndarray
    psi_residues: np.ndarray
    omega: np.ndarray
    omega_residues: np.ndarray
    chiral: np.ndarray

    @classmethod
    def of(cls, names: Sequence[str], residues: np.ndarray, chains: np.ndarray) -> Backbone:
        """Find them by name.

        Args:
            names: `[atoms]` PDB names.
            residues: `[atoms]` number of the residue, counted through all chains.
            chains: `[atoms]` number of the chain.
        """
        place = {(int(r), n): i for i, (n, r) in enumerate(zip(names, residues, strict=True))}
        chain = {int(r): int(c) for r, c in zip(residues, chains, strict=True)}
        phi, psi, omega, chiral = [], [], [], []
        for r in chain:
            before = r - 1 if chain.get(r - 1) == chain[r] else -1
            after = r + 1 if chain.get(r + 1) == chain[r] else -1
            phi.append([(before, "C"), (r, "N"), (r, "CA"), (r, "C")])
            psi.append([(r, "N"), (r, "CA"), (r, "C"), (after, "N")])
            omega.append([(before, "CA"), (before, "C"), (r, "N"), (r, "CA")])
            chiral.append([(r, "CA"), (r, "N"), (r, "C"), (r, "CB")])

        def found(rows: list[list[tuple[int, str]]]) -> tuple[np.ndarray, np.ndarray]:
            kept = [(row, r) for row, r in zip(rows, chain, strict=True) if all(a in place for a in row)]
            index = np.array([[place[a] for a in row] for row, _ in kept], np.int64).reshape(-1, 4)
            return index, np.array([r for _, r in kept], np.int64)

        return cls(
            np.array([i for (_, n), i in place.items() if n == "CA"], np.int64),
            *found(phi),
            *found(psi),
            *found(omega),
            found(chiral)[0],
        )


def chirality(positions: np.ndarray, chiral: np.ndarray) -> np.ndarray:
    """Return `[frames, n]` the triple product at Cα over the bond lengths: + for L, − for D.

    Args:
        positions: `[frames, atoms, 3]`.
        chiral: `[n, 4]` Cα, N, C, Cβ.
    """
    x = np.asarray(positions, np.float64)
    v = x[:, chiral[:, 1:]] - x[:, chiral[:, :1]]
    v = v / np.linalg.norm(v, axis=-1, keepdims=True)
    return (np.cross(v[..., 0, :], v[..., 1, :]) * v[..., 2, :]).sum(-1)


def helical(positions: np.ndarray, backbone: Backbone) -> tuple[np.ndarray, np.ndarray]:
    """Return whether each residue is in the α-helical basin, and which residues those are.

    The basin: φ in (−100°, −30°), ψ in (−67°, −7°), as Best, Hummer, J. Phys. Chem. B 113, 9004 (2009).

    Returns:
        `[frames, residues]` booleans, and `[residues]` numbers of residues with both torsions.
    """
    both, i, j = np.intersect1d(backbone.phi_residues, backbone.psi_residues, return_indices=True)
    phi = np.degrees(torsions(np.asarray(positions, np.float64), backbone.phi[i]))
    psi = np.degrees(torsions(np.asarray(positions, np.float64), backbone.psi[j]))
    return (phi > -100) & (phi < -30) & (psi > -67) & (psi < -7), both
