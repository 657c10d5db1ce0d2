"""Positions about their centre, in an orthonormal basis."""

from __future__ import annotations

import torch
from torch import Tensor

from zoo.physics.coordinates.base import Coordinates


class CenteredCartesian(Coordinates):
    """q = D (N − 1) coordinates of the particles about their centre; |dx/dq| = 1.

    The basis is that of Helmert: orthonormal, so that |q|² = Σ |x_i − x̄|², and densities are those of the
    literature on DW4 and LJ13 (Köhler, Klein, Noé, arXiv:2006.02425, section 4).

    Args:
        particles: N.
        space: D, 2 or 3; positions have three columns all the same, the last zero in the plane.
        length: unit of length, for cards.
    """

    lost = "centre"
    basis: Tensor

    def __init__(self, particles: int, space: int = 3, length: str = "Å") -> None:
        super().__init__(space * (particles - 1), [])
        self.particles, self.space, self.unit = particles, space, length
        rows = torch.arange(1, particles, dtype=torch.float64)[:, None]
        columns = torch.arange(particles, dtype=torch.float64)[None]
        helmert = torch.where(columns < rows, 1.0, torch.where(columns == rows, -rows, 0.0))
        helmert = helmert / (rows * (rows + 1)).sqrt()
        self.register_buffer("basis", helmert, persistent=False)

    def from_cartesian(self, positions: Tensor) -> tuple[Tensor, Tensor]:
        """See `Coordinates`."""
        x = positions[..., : self.space]
        q = torch.einsum("ki,bid->bkd", self.basis.to(x), x).flatten(1)
        return q, q.new_zeros(len(q))

    def to_cartesian(self, q: Tensor) -> tuple[Tensor, Tensor]:
        """See `Coordinates`; the centre is at the origin."""
        flat = q.view(len(q), self.particles - 1, self.space)
        x = torch.einsum("ki,bkd->bid", self.basis.to(q), flat)
        return torch.nn.functional.pad(x, (0, 3 - self.space)), q.new_zeros(len(q))
