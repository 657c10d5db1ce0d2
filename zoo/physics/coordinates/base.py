"""What every kind of coordinates offers."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor, nn


class Coordinates(nn.Module):
    """A bijection between positions `[batch, atoms, dim]`, up to rigid motions, and q `[batch, d]`.

    Densities of this package are with respect to dq, in the units that `unit` names. Columns are
    either circular, with a period each, or plain; the circular ones come first.

    Args:
        dimension: d.
        periods: of the circular columns, rad.
    """

    #: What q is measured in, for cards and tables.
    unit: str
    #: Lengths and angles that positions lose on the way to q: "centre", or "centre and rotation".
    lost: str

    def __init__(self, dimension: int, periods: list[float]) -> None:
        super().__init__()
        self.dimension, self.circular, self.periods = dimension, len(periods), periods

    @abstractmethod
    def from_cartesian(self, positions: Tensor) -> tuple[Tensor, Tensor]:
        """Positions `[batch, atoms, 3]` → q `[batch, d]` and log |dx/dq| `[batch]`."""

    @abstractmethod
    def to_cartesian(self, q: Tensor) -> tuple[Tensor, Tensor]:
        """q `[batch, d]` → positions `[batch, atoms, 3]` and log |dx/dq| `[batch]` (the same one)."""

    def inside(self, q: Tensor) -> Tensor:
        """Return which rows are in the domain `[batch]`: no angle beyond π, no mirrored centre."""
        return torch.isfinite(q).all(1)

    @property
    def symmetry(self) -> float:
        """Logarithm of the number of exchanges of like atoms that q leaves out."""
        return 0.0

    def scatter(self, positions: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Apply a random one of those exchanges to each row of positions `[batch, atoms, 3]`."""
        return positions
