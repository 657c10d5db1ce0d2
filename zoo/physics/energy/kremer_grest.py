"""The bead-spring polymer of Kremer and Grest."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from zoo.errors import DataError
from zoo.physics.energy.lattice import Lattice, close_pairs
from zoo.physics.energy.particles import ParticleEnergy, square_distances, summed

#: (2^(1/6))², the square of the distance at which the repulsion ends, σ².
REACH2 = 2 ** (1 / 3)


class KremerGrest(ParticleEnergy):
    """FENE bonds, repulsive (WCA) beads and bending stiffness, in units of ε and σ.

    −½ k R0² ln(1 − r²/R0²) of each bond (infinite beyond R0), 4 (r⁻¹² − r⁻⁶) + 1 below 2^(1/6), and
    k_θ (1 − cos θ), θ between consecutive bonds: K. Kremer, G. S. Grest, J. Chem. Phys. 92, 5057
    (1990), eqs. 2 and 3; R. Everaers et al., Science 303, 823 (2004).

    Args:
        particles: number of beads.
        bonds: `[bonds, 2]`; a bead with two bonds is the middle of an angle.
        fene_k: k, ε/σ².
        fene_r0: R0, σ.
        stiffness: k_θ, ε.
        excluded_volume: whether beads that are not bonded repel each other too.
        pbc, cell: see `ParticleEnergy`; bonds take the nearest image.

    Raises:
        DataError: bonds of beads that do not exist, or a branch (its bending is not defined).
    """

    bonds: Tensor
    angles: Tensor

    def __init__(
        self,
        particles: int,
        bonds: Sequence[Sequence[int]] | Tensor,
        fene_k: float = 30.0,
        fene_r0: float = 1.5,
        stiffness: float = 0.0,
        excluded_volume: bool = True,
        pbc: Sequence[bool] = (False,) * 3,
        cell: Tensor | None = None,
    ) -> None:
        super().__init__(particles, pbc, cell)
        joined = torch.as_tensor(bonds, dtype=torch.int64).reshape(-1, 2)
        if len(joined) and not (0 <= int(joined.min()) and int(joined.max()) < particles):
            raise DataError(f"a bond names a bead outside 0..{particles - 1}")
        self.fene_k, self.fene_r0, self.stiffness = fene_k, fene_r0, stiffness
        self.excluded_volume = excluded_volume
        self.register_buffer("bonds", joined)
        self.register_buffer(
            "angles", consecutive(joined, particles) if stiffness else joined.new_zeros(0, 3)
        )

    def energy(self, x: Tensor, lattice: Lattice | None) -> Tensor:
        """Return energies `[batch]` of positions `[batch, particles, 3]`."""
        r2 = self._vectors(x, self.bonds, lattice).square().sum(-1)
        energy = self._fene(r2).sum(-1)
        if self.excluded_volume:  # bonded beads are close ones as well
            pairs = close_pairs(x, REACH2**0.5, lattice, self.pbc)
            energy = energy + summed(repulsion(square_distances(x, pairs)), pairs, len(x))
        else:
            energy = energy + repulsion(r2).sum(-1)
        if self.stiffness:
            before = self._vectors(x, self.angles[:, :2], lattice)
            after = self._vectors(x, self.angles[:, 1:], lattice)
            energy = energy + self.stiffness * (1 - torch.cosine_similarity(before, after, dim=-1)).sum(-1)
        return energy

    def _fene(self, r2: Tensor) -> Tensor:
        square = self.fene_r0**2
        whole = r2 < square
        rest = torch.where(whole, 1 - r2 / square, 1.0)  # the logarithm beyond R0 would spoil the gradient
        # NaN stays what it is
        return torch.where(r2 >= square, torch.inf, -0.5 * self.fene_k * square * torch.log(rest))

    def _vectors(self, x: Tensor, pairs: Tensor, lattice: Lattice | None) -> Tensor:
        r = x.index_select(1, pairs[:, 1]) - x.index_select(1, pairs[:, 0])
        return r if lattice is None else r + lattice.nearest(r)


def repulsion(r2: Tensor) -> Tensor:
    """Return 4 (r⁻¹² − r⁻⁶) + 1 below r = 2^(1/6), zero beyond, from r²."""
    inverse = 1 / r2
    s6 = inverse * inverse * inverse
    return torch.where(r2 < REACH2, 4 * s6 * (s6 - 1) + 1, 0.0)


def consecutive(bonds: Tensor, particles: int) -> Tensor:
    """Return `[angles, 3]`: each bead with two bonds between its neighbours.

    Raises:
        DataError: a bead has more than two bonds.
    """
    neighbours: list[list[int]] = [[] for _ in range(particles)]
    for a, b in bonds.tolist():
        neighbours[a].append(b)
        neighbours[b].append(a)
    branched = [bead for bead, found in enumerate(neighbours) if len(found) > 2]
    if branched:
        raise DataError(
            f"bead {branched[0]} has more than two bonds: bending is known of chains and rings alone"
        )
    angles = [(found[0], bead, found[1]) for bead, found in enumerate(neighbours) if len(found) == 2]
    return torch.tensor(angles, dtype=torch.int64).reshape(-1, 3)
