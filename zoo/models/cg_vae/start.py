"""Where particles lie on average, given the beads about them: in closed form, with the right hand."""

from __future__ import annotations

import torch
from torch import Tensor, nn

#: Neighbours whose cross products are taken.
TURNED = 4
#: Ridge, as a share of the mean square of a vector: frames are few and beads move together.
RIDGE = 1e-3


class LocalDecoder(nn.Module):
    """x_i ≈ z_b + Σ_m W_im F_bm, with vectors F_b from the bead b of particle i to its neighbours.

    To these come cross products of the nearest ones: with them a particle keeps its side of three beads,
    which no linear decoder knows. W is of least squares over the training frames. Only near beads count, so
    that a hundred frames are enough for a protein.

    Args:
        group: `[particles]` bead of each.
        beads, neighbors: their number, and that of the neighbours of each.
    """

    group: Tensor  # [particles]
    pairs: Tensor  # [2, pairs]
    weights: Tensor  # [particles, vectors]
    length: Tensor  # unit of length

    def __init__(self, group: Tensor, beads: int, neighbors: int) -> None:
        super().__init__()
        self.beads = beads
        turned = min(TURNED, neighbors)
        self.register_buffer("group", group, persistent=False)
        self.register_buffer("pairs", torch.triu_indices(turned, turned, 1), persistent=False)
        self.register_buffer("weights", torch.zeros(len(group), neighbors + self.pairs.shape[1]))
        self.register_buffer("length", torch.ones(()))

    def prepare(self, x: Tensor, z: Tensor, index: Tensor) -> None:
        """Solve for the weights.

        Args:
            x: `[frames, particles, 3]`.
            z: `[frames, beads, 3]`.
            index: neighbours `[beads, neighbors]`, nearest first.
        """
        self.length.copy_(torch.linalg.vector_norm(z[:, index] - z[:, :, None], dim=-1).mean())
        for bead in range(self.beads):
            own = torch.nonzero(self.group == bead).flatten()
            f = self._vectors(z, index, bead).flatten(0, 1)
            off = (x[:, own] - z[:, bead, None]).mT.flatten(0, 1)
            gram = f.T @ f
            ridge = RIDGE * gram.trace() / len(gram) * torch.eye(len(gram)).to(gram)
            self.weights[own] = torch.linalg.solve(gram + ridge, f.T @ off).T.to(self.weights)

    def forward(self, z: Tensor, index: Tensor) -> Tensor:
        """Return particles `[batch, particles, 3]` of beads z `[batch, beads, 3]`."""
        vectors = self._vectors(z, index)[:, self.group]
        return z[:, self.group] + torch.einsum("bixm,im->bix", vectors, self.weights)

    def _vectors(self, z: Tensor, index: Tensor, bead: int | None = None) -> Tensor:
        """F `[batch, beads, 3, vectors]`, or of one bead `[batch, 3, vectors]`, unit of length."""
        here, near = (z, index) if bead is None else (z[:, bead], index[bead])
        to = z[:, near] - here[..., None, :]
        first, second = (to[..., p, :] for p in self.pairs)
        return torch.cat([to, torch.linalg.cross(first, second) / self.length], -2).mT
