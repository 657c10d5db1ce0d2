"""Priors of coarse-grained potentials, by Boltzmann inversion of a training split.

Each coordinate q is taken for itself: U(q) = −kT ln[p(q)/J(q)], with the Jacobian J (r² of a distance, sin θ
of an angle; Tschöp et al., Acta Polym. 49, 61 (1998)). That counts what coordinates share more than once: a
prior is where a model starts, and what keeps a simulation where data were seen.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from zoo.data.prior import Couplings, PriorTerm, PriorTerms, Series, Walls, Wells
from zoo.errors import DataError
from zoo.physics.valence import angle, angles_of, distance, fourier, neighbours, torsion, torsions_of

#: Highest order n of cos nφ and sin nφ.
ORDERS = 3
#: Bins of a torsion; of each of two.
BINS, PAIR_BINS = 72, 36
#: Frames for each bin of one torsion below which its series is left out.
LEAST_FILLING = 5
#: A torsion has no direction where one of its angles is straight: sines seen must be larger.
LEAST_SINE = 0.1
#: Exponent of the repulsion; its energy is kT at the shortest distance that was seen.
POWER = 12
#: Wells narrower than this share of their centre are not made: nothing could follow them.
LEAST_WIDTH = 1e-3
#: Frames looked at together.
CHUNK = 4096


def fit_prior(
    positions: np.ndarray,
    types: np.ndarray,
    bonds: np.ndarray,
    kT: float,
    terms: Sequence[PriorTerm],
) -> PriorTerms:
    """Fit a prior's terms.

    A term that the system has nothing for (torsions of a dimer) is left out.

    Args:
        positions: `[frames, particles, 3]` of a training split, in open space.
        types: `[particles]`; distances of closest approach are those of pairs of types.
        bonds: `[bonds, 2]`.
        kT: energy.
        terms: which; see `PriorTerms`.

    Raises:
        DataError: there are fewer than two frames.
    """
    if len(positions) < 2:
        raise DataError("a prior needs more than one frame to be fitted to")
    x = torch.from_numpy(np.ascontiguousarray(positions, np.float64))
    pairs = [(int(i), int(j)) for i, j in bonds]
    triples = angles_of(pairs)
    out = PriorTerms()
    if "bonds" in terms and pairs:
        out.bonds = _bonds(x, pairs, kT)
    if "angles" in terms and triples:
        out.angles = _angles(x, triples, kT)
    quadruples = _sound(x, torsions_of(pairs)) if {"torsions", "couplings"} & set(terms) else []
    if len(x) >= LEAST_FILLING * BINS and quadruples:
        phi = _torsions(x, quadruples)
        if "torsions" in terms:
            out.torsions = _series(phi, quadruples, kT)
        if "couplings" in terms:
            out.couplings = _couplings(phi, quadruples, kT)
    if "repulsion" in terms:
        out.repulsion = _walls(x, types, pairs, kT)
    return out


def _bonds(x: Tensor, pairs: list[tuple[int, int]], kT: float) -> Wells:
    r = distance(x, torch.tensor(pairs))
    return _wells([list(p) for p in pairs], r, r.pow(-2), kT)


def _angles(x: Tensor, triples: list[tuple[int, int, int]], kT: float) -> Wells:
    theta = torch.cat([angle(part, torch.tensor(triples)) for part in x.split(CHUNK)])
    return _wells([list(t) for t in triples], theta, theta.sin().clamp_min(1e-3).reciprocal(), kT)


def _wells(atoms: list[list[int]], q: Tensor, weights: Tensor, kT: float) -> Wells:
    """Mean and variance under p/J: those of exp(−k (q − q₀)²/2kT) itself."""
    weights = weights / weights.sum(0)
    center = (weights * q).sum(0)
    variance = (weights * (q - center).square()).sum(0).clamp_min((LEAST_WIDTH * center).square())
    return Wells(atoms=atoms, center=center.tolist(), stiffness=(kT / variance).tolist())


def _sound(x: Tensor, quadruples: list[tuple[int, int, int, int]]) -> list[tuple[int, int, int, int]]:
    """Those of which no angle came near to straight or folded in any frame."""
    if not quadruples:
        return []
    index = torch.tensor(quadruples)
    least = torch.stack(
        [
            torch.minimum(angle(part, index[:, :3]).sin().amin(0), angle(part, index[:, 1:]).sin().amin(0))
            for part in x.split(CHUNK)
        ]
    ).amin(0)
    return [q for q, sine in zip(quadruples, least.tolist(), strict=True) if sine > LEAST_SINE]


def _torsions(x: Tensor, quadruples: list[tuple[int, int, int, int]]) -> Tensor:
    return torch.cat([torsion(part, torch.tensor(quadruples)) for part in x.split(CHUNK)])


def _series(phi: Tensor, quadruples: list[tuple[int, int, int, int]], kT: float) -> Series:
    """Least squares to −kT ln p; torsions around one bond move together, and each takes its share."""
    axes = [q[1:3] for q in quadruples]
    basis = _basis(BINS)
    rows = []
    for column, axis in enumerate(axes):
        # One more in each bin: what was not seen in so many frames is high, but not infinitely so.
        count = torch.bincount(_bin(phi[:, column], BINS), minlength=BINS) + 1.0
        found = _least_squares(basis, -kT * count.double().log(), count.double().sqrt())
        rows.append((found[1:] / axes.count(axis)).tolist())
    return Series(atoms=[list(q) for q in quadruples], coefficients=rows)


def _couplings(phi: Tensor, quadruples: list[tuple[int, int, int, int]], kT: float) -> Couplings:
    """Least squares to −kT ln[p(φ, ψ)/(p(φ) p(ψ))] of torsions around neighbouring bonds.

    Distances are the same in a mirror image, so that a model which sees only them cannot tell φ, ψ from
    −φ, −ψ: this term can.
    """
    single = _basis(PAIR_BINS)
    basis = torch.einsum("am,bn->abmn", single, single).reshape(PAIR_BINS**2, -1)
    first, second, rows = [], [], []
    for one, two in _neighbouring(quadruples):
        a, b = _bin(phi[:, one], PAIR_BINS), _bin(phi[:, two], PAIR_BINS)
        count = torch.bincount(a * PAIR_BINS + b, minlength=PAIR_BINS**2).double()
        alone = [torch.bincount(c, minlength=PAIR_BINS).double() / len(phi) for c in (a, b)]
        expected = len(phi) * torch.outer(*alone).flatten()
        energy = -kT * ((count + 1) / (expected + 1)).log()
        found = _least_squares(basis, energy, (count + 1).sqrt())
        first.append(list(quadruples[one]))
        second.append(list(quadruples[two]))
        rows.append(found.view(single.shape[1], single.shape[1]).tolist())
    return Couplings(first=first, second=second, coefficients=rows)


def _neighbouring(quadruples: list[tuple[int, int, int, int]]) -> list[tuple[int, int]]:
    """Pairs of torsions whose middle bonds share an atom, one torsion for each bond."""
    one_each = {tuple(sorted(q[1:3])): number for number, q in reversed(list(enumerate(quadruples)))}
    axes = sorted(one_each.items(), key=lambda item: item[1])
    return [
        (i, j) for k, (axis, i) in enumerate(axes) for other, j in axes[k + 1 :] if set(axis) & set(other)
    ]


def _walls(x: Tensor, types: np.ndarray, bonds: list[tuple[int, int]], kT: float) -> Walls | None:
    """Between pairs that are three bonds apart or more."""
    near = neighbours(bonds)
    particles = x.shape[1]
    atoms = [
        [i, j]
        for i in range(particles)
        for j in range(i + 1, particles)
        if j not in near.get(i, []) and not set(near.get(i, [])) & set(near.get(j, []))
    ]
    if not atoms:
        return None
    index = torch.tensor(atoms)
    size = max(1, CHUNK * 100 // len(atoms))
    least = torch.stack([distance(part, index).amin(0) for part in x.split(size)]).amin(0).tolist()
    kinds = [tuple(sorted((int(types[i]), int(types[j])))) for i, j in atoms]
    shortest = {kind: min(r for r, k in zip(least, kinds, strict=True) if k == kind) for kind in set(kinds)}
    return Walls(atoms=atoms, sigma=[shortest[kind] for kind in kinds], epsilon=kT, power=POWER)


def _basis(bins: int) -> Tensor:
    """1 and the waves in the middle of each bin, `[bins, 1 + 2 · ORDERS]`."""
    phi = (torch.arange(bins, dtype=torch.float64) + 0.5) * (2 * torch.pi / bins) - torch.pi
    return torch.cat([torch.ones(bins, 1, dtype=torch.float64), fourier(phi, ORDERS)], 1)


def _bin(phi: Tensor, bins: int) -> Tensor:
    return ((phi + torch.pi) * (bins / (2 * torch.pi))).long().clamp(0, bins - 1)


def _least_squares(basis: Tensor, values: Tensor, weights: Tensor) -> Tensor:
    root = weights.sqrt()
    return torch.linalg.lstsq(basis * root[:, None], values * root).solution
