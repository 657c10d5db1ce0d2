"""Lennard-Jones mixtures: Kob-Andersen and its relatives."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from zoo.errors import DataError
from zoo.physics.energy.lattice import Lattice, close_pairs
from zoo.physics.energy.particles import ParticleEnergy, square_distances, summed


class LennardJonesMixture(ParticleEnergy):
    """Σ_{i<j} 4 ε [(σ/r)¹² − (σ/r)⁶ + c0 + c2 (r/σ)² + c4 (r/σ)⁴] below a cutoff, zero beyond.

    ε and σ are those of the pair of species: W. Kob, H. C. Andersen, Phys. Rev. E 51, 4626 (1995);
    at the cutoff 2^(1/6) it is WCA (Weeks, Chandler, Andersen, J. Chem. Phys. 54, 5237 (1971)). In
    units of ε and σ of the first species. Time is linear in the number of particles; the list of
    neighbours is made at each call.

    Args:
        types: `[particles]` species from 0.
        epsilon, sigma: `[species, species]`, symmetric.
        cutoff: in units of each pair's σ.
        tail: c0, c2, c4; by default the constant that makes the energy vanish at the cutoff.
        pbc, cell: see `ParticleEnergy`.

    Raises:
        DataError: parameters that do not fit each other.
    """

    kinds: Tensor
    depth: Tensor
    inverse_sigma2: Tensor

    def __init__(
        self,
        types: Sequence[int] | Tensor,
        epsilon: Sequence[Sequence[float]] | Tensor,
        sigma: Sequence[Sequence[float]] | Tensor,
        cutoff: float,
        tail: tuple[float, float, float] | None = None,
        pbc: Sequence[bool] = (True,) * 3,
        cell: Tensor | None = None,
    ) -> None:
        kinds = torch.as_tensor(types, dtype=torch.int64)
        depth, width = (torch.as_tensor(v, dtype=torch.float64) for v in (epsilon, sigma))
        species = len(depth)
        if depth.shape != (species, species) or width.shape != depth.shape:
            raise DataError(f"epsilon {list(depth.shape)} and sigma {list(width.shape)} are not square alike")
        if not (torch.equal(depth, depth.T) and torch.equal(width, width.T) and (width > 0).all()):
            raise DataError("epsilon and sigma must be symmetric, and sigma positive")
        if len(kinds) and not (0 <= int(kinds.min()) and int(kinds.max()) < species):
            raise DataError(f"types must be from 0 to {species - 1}")
        if not cutoff > 0:
            raise DataError(f"the cutoff must be positive, it is {cutoff}")
        super().__init__(len(kinds), pbc, cell)
        self.cutoff = cutoff
        self.range = cutoff * float(width.max())
        self.tail = tail or (cutoff**-6.0 - cutoff**-12.0, 0.0, 0.0)
        self.register_buffer("kinds", kinds)
        self.register_buffer("depth", 4 * depth.flatten())
        self.register_buffer("inverse_sigma2", width.flatten() ** -2)

    def energy(self, x: Tensor, lattice: Lattice | None) -> Tensor:
        """Return energies `[batch]` of positions `[batch, particles, 3]`."""
        pairs = close_pairs(x, self.range, lattice, self.pbc)
        species = round(len(self.depth) ** 0.5)
        kind = self.kinds[pairs.first % self.particles] * species + self.kinds[pairs.second % self.particles]
        x2 = square_distances(x, pairs) * self.inverse_sigma2[kind]
        inverse = 1 / x2
        s6 = inverse * inverse * inverse
        c0, c2, c4 = self.tail
        values = s6 * (s6 - 1) + (c0 + x2 * (c2 + x2 * c4))
        values = torch.where(x2 < self.cutoff * self.cutoff, self.depth[kind] * values, 0.0)
        return summed(values, pairs, len(x))
