"""Whether decoded structures are sane: bonds, clashes, handedness, distance from the originals."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from scipy.spatial import cKDTree

from zoo.analysis.shapes import bond_lengths
from zoo.physics.superpose import superposed

if TYPE_CHECKING:
    from zoo.data.system import System

#: A bond may leave the range of the reference by this share: rigid bonds have no range of their own, and a
#: few hundred frames do not see the rare stretches.
SLACK = 0.1
#: Atoms nearer than this times the sum of their covalent radii are bonded (CGVAE: Wang et al., ICML 2022).
BONDED = 1.3
#: Atoms nearer than this share of the sum of their van-der-Waals radii (Bondi) clash: C–C 2.04 Å, O–H
#: 1.63 Å, which even a short hydrogen bond does not reach.
TOUCH = 0.6
#: The same of particles that are no atoms, in median bonds: .78 σ in a ring polymer.
TOUCH_BEADS = 0.8
#: Mean triple product of unit vectors along three bonds from which on a centre is not flat; 0.77 in a
#: tetrahedron.
PYRAMID = 0.3


def sanity(x: np.ndarray, reference: np.ndarray, system: System) -> dict[str, np.ndarray]:
    """Return what is wrong with each structure, `[frames]` arrays by name.

    `bond_errors` and `graph_errors` where there are bonds (the latter between atoms), `clashes`, and
    `inverted_centers` where there are centres of a hand; see the functions of the same names.

    Args:
        x: `[frames, particles, 3]`.
        reference: `[references, particles, 3]` sound structures, in the same unit; Å of atoms.
        system: of the particles.
    """
    out = {}
    if len(system.bonds):
        out["bond_errors"] = bond_errors(x, reference, system.bonds)
        if system.elements.all():
            out["graph_errors"] = graph_errors(x, system)
    out["clashes"] = clashes(x, reference, system)
    centers = stereocenters(reference, system)
    if len(centers.atoms):
        out["inverted_centers"] = inverted_centers(x, centers)
    return out


def bond_errors(x: np.ndarray, reference: np.ndarray, bonds: np.ndarray) -> np.ndarray:
    """Return the share of bonds `[frames]` outside of the lengths in the reference, widened by `SLACK`."""
    known, found = bond_lengths(reference, bonds), bond_lengths(x, bonds)
    low, high = known.min(0) * (1 - SLACK), known.max(0) * (1 + SLACK)
    return np.asarray(((found < low) | (found > high)).mean(1))


def graph_errors(x: np.ndarray, system: System) -> np.ndarray:
    """Return missing and extra bonds over the number of bonds `[frames]`.

    Bonds of a structure are the pairs nearer than `BONDED` times the sum of covalent radii; with those of the
    topology this is the graph edit distance ratio of Wang et al., ICML 2022.
    """
    from ase.data import covalent_radii

    radii = BONDED * covalent_radii[system.elements]
    bonds = _codes(system.bonds, system.num_particles)
    out = [np.setxor1d(_codes(near, system.num_particles), bonds).size for near in _nearer(x, radii)]
    return np.array(out) / len(bonds)


def clashes(x: np.ndarray, reference: np.ndarray, system: System) -> np.ndarray:
    """Return how many pairs of a structure are too near `[frames]`; bonded and 1–3 pairs do not count.

    The limit is `TOUCH` times the sum of van-der-Waals radii between atoms. Where some are no atoms, it is
    `TOUCH_BEADS` times the median bond of the reference (without bonds: distance to the nearest particle).
    """
    if system.elements.all():
        from ase.data.vdw import vdw_radii

        radii = TOUCH * np.nan_to_num(vdw_radii[system.elements], nan=2.0)
    elif len(system.bonds):
        length = np.median(bond_lengths(reference, system.bonds))
        radii = np.full(system.num_particles, TOUCH_BEADS * length / 2)
    else:
        nearest = [cKDTree(y).query(y, 2)[0][:, 1] for y in np.asarray(reference, np.float64)]
        radii = np.full(system.num_particles, TOUCH_BEADS * np.median(nearest) / 2)
    near = np.concatenate([system.bonds, angle_pairs(system.bonds)])
    exempt = _codes(near, system.num_particles)
    counts = [np.setdiff1d(_codes(p, system.num_particles), exempt).size for p in _nearer(x, radii)]
    return np.array(counts, np.float64)


@dataclass(frozen=True)
class Centers:
    """Centres that have a hand.

    Args:
        atoms: `[centers]`.
        neighbors: `[centers, 3]` three of the particles bonded to each.
        sign: `[centers]` ±1 of their triple product in the reference.
    """

    atoms: np.ndarray
    neighbors: np.ndarray
    sign: np.ndarray


def stereocenters(reference: np.ndarray, system: System) -> Centers:
    """Find particles with three or more neighbours, all different, that keep one hand in the reference.

    Different: no symmetry of the bond graph exchanges two of them (colour refinement from types). The
    hydrogens of CH₂ and CH₃, the methyls of valine and leucine are equal: to exchange them is to give the
    same molecule other labels, no inversion. Flat centres, and those that turn over, have no hand.
    """
    classes, elements = _classes(system), system.elements
    atoms, neighbors = [], []
    for atom, near in enumerate(_neighbors(system)):
        if len(near) >= 3 and len(set(classes[near].tolist())) == len(near):
            atoms.append(atom)
            # heavy atoms first: a hydrogen's direction is the least certain
            neighbors.append(sorted(near, key=lambda i: (elements[i] == 1, i))[:3])
    centers = Centers(
        np.array(atoms, np.int64), np.array(neighbors, np.int64).reshape(-1, 3), np.ones(len(atoms))
    )
    volume = _triple_products(reference, centers)
    mean = volume.mean(0)
    keep = (np.abs(np.sign(volume).sum(0)) == len(volume)) & (np.abs(mean) > PYRAMID)
    return Centers(centers.atoms[keep], centers.neighbors[keep], np.sign(mean[keep]))


def inverted_centers(x: np.ndarray, centers: Centers) -> np.ndarray:
    """Return how many centres have the other hand `[frames]`."""
    return np.asarray((_triple_products(x, centers) * centers.sign < 0).sum(1), np.float64)


def rmsd(x: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Return root mean square distances `[frames]`, in the unit of x, after superposition without reflection.

    Args:
        x, reference: `[frames, particles, 3]`, frame by frame.
    """
    target = torch.from_numpy(np.asarray(reference, np.float64))
    off = superposed(torch.from_numpy(np.asarray(x, np.float64)), target) - target
    return np.asarray(off.square().sum(2).mean(1).sqrt())


def angle_pairs(bonds: np.ndarray) -> np.ndarray:
    """Return pairs `[pairs, 2]`, lower number first, that are two bonds apart and not bonded (1–3)."""
    near: dict[int, set[int]] = {}
    for i, j in np.asarray(bonds, np.int64).reshape(-1, 2).tolist():
        near.setdefault(i, set()).add(j)
        near.setdefault(j, set()).add(i)
    pairs = {(i, k) for ends in near.values() for i in ends for k in ends if i < k and k not in near[i]}
    return np.array(sorted(pairs), np.int64).reshape(-1, 2)


def _triple_products(x: np.ndarray, centers: Centers) -> np.ndarray:
    """Of unit vectors from each centre to its three neighbours, `[frames, centers]`."""
    x = np.asarray(x, np.float64)
    arms = x[:, centers.neighbors] - x[:, centers.atoms][:, :, None]
    return np.asarray(np.linalg.det(arms / np.maximum(np.linalg.norm(arms, axis=-1, keepdims=True), 1e-12)))


def _nearer(x: np.ndarray, radii: np.ndarray) -> Iterator[np.ndarray]:
    """Pairs `[pairs, 2]` of each frame that are nearer than the sum of their radii."""
    for y in np.asarray(x, np.float64):
        pairs = cKDTree(y).query_pairs(2 * radii.max(), output_type="ndarray")
        i, j = pairs.T
        yield pairs[np.linalg.norm(y[i] - y[j], axis=1) < radii[i] + radii[j]]


def _codes(pairs: np.ndarray, particles: int) -> np.ndarray:
    """One number for each pair, whatever its order."""
    return np.unique(pairs.min(1) * particles + pairs.max(1)) if len(pairs) else np.zeros(0, np.int64)


def _neighbors(system: System) -> list[list[int]]:
    near: list[list[int]] = [[] for _ in range(system.num_particles)]
    for i, j in system.bonds.tolist():
        near[i].append(j)
        near[j].append(i)
    return near


def _classes(system: System) -> np.ndarray:
    """Colour refinement (Weisfeiler–Leman): what the bond graph cannot tell apart shares a number."""
    near = _neighbors(system)
    classes = np.unique(system.types, return_inverse=True)[1]
    while True:
        seen: dict[tuple[int, ...], int] = {}
        words = [(int(classes[i]), *sorted(classes[n].tolist())) for i, n in enumerate(near)]
        finer = np.array([seen.setdefault(word, len(seen)) for word in words], np.int64)
        if len(seen) == len(np.unique(classes)):
            return finer
        classes = finer
