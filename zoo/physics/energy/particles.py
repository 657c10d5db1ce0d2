"""What the energies of particles in a box have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from zoo.errors import DataError
from zoo.physics.energy.lattice import ClosePairs, Lattice


class ParticleEnergy(nn.Module, ABC):
    """U(x) of particles in free space or in a periodic cell; subclasses say what U is.

    Batched and differentiable. As with `MolecularEnergy`, buffers are in float64, and after
    `.float()` it computes in single precision, whatever the dtype of the positions.

    Args:
        particles: their number.
        pbc: whether space is periodic along each lattice vector.
        cell: `[3, 3]`, rows are lattice vectors: of frames that come without their own.
    """

    cell: Tensor | None
    zero: Tensor

    def __init__(
        self, particles: int, pbc: Sequence[bool] = (False,) * 3, cell: Tensor | None = None
    ) -> None:
        super().__init__()
        self.particles, self.pbc = particles, tuple(bool(p) for p in pbc)
        self.register_buffer("cell", None if cell is None else torch.as_tensor(cell, dtype=torch.float64))
        self.register_buffer("zero", torch.zeros((), dtype=torch.float64))

    @abstractmethod
    def energy(self, x: Tensor, lattice: Lattice | None) -> Tensor:
        """Return energies `[batch]` of positions `[batch, particles, 3]` in the dtype of `zero`."""

    def forward(self, positions: Tensor, cell: Tensor | None = None) -> Tensor:
        """Positions `[batch, particles, 3]` → energies `[batch]`, infinite or NaN where nothing is finite.

        Args:
            positions: in any image.
            cell: `[3, 3]` of all frames or `[batch, 3, 3]`; none in free space, and by default the
                one that it was built with.

        Raises:
            DataError: space is periodic and there is no cell, or it is singular.
        """
        if positions.ndim != 3 or positions.shape[1:] != (self.particles, 3):
            raise ValueError(
                f"positions must be [batch, {self.particles}, 3], they are {list(positions.shape)}"
            )
        x = positions.to(self.zero.dtype)
        energy = self.energy(x, self._lattice(self.cell if cell is None else cell, len(x)))
        broken = ~torch.isfinite(x.detach()).all(-1).all(-1)  # such a frame has no neighbours to tell
        return energy.masked_fill(broken, torch.nan)

    def energy_and_forces(self, positions: Tensor, cell: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return energies `[batch]` and forces `[batch, particles, 3]`, without graph."""
        with torch.enable_grad():
            x = positions.detach().requires_grad_()
            energy = self(x, cell)
            (gradient,) = torch.autograd.grad(energy.sum(), x)
        return energy.detach(), -gradient

    def _lattice(self, cell: Tensor | None, batch: int) -> Lattice | None:
        if not any(self.pbc):
            return None
        if cell is None:
            raise DataError("space is periodic: the energy needs a cell; give `cell` with the positions")
        lattice = Lattice.of(cell.to(self.zero), self.pbc)
        if len(lattice.rows) not in (1, batch):
            raise DataError(f"{len(lattice.rows)} cells for {batch} frames")
        return lattice


def square_distances(x: Tensor, pairs: ClosePairs) -> Tensor:
    """Return r² of each pair `[pairs]`, differentiable by `x [batch, particles, 3]`."""
    flat = x.reshape(-1, 3)
    # index_select, because its backward pass is several times quicker than that of flat[index]
    r = flat.index_select(0, pairs.second) - flat.index_select(0, pairs.first) + pairs.shift
    return (r * r).sum(-1)


def summed(values: Tensor, pairs: ClosePairs, batch: int) -> Tensor:
    """Return the sum over the pairs of each frame `[batch]` of `values [pairs]`."""
    return values.new_zeros(batch).index_add(0, pairs.frame, values)
