"""The energy of a molecule: the sum of its terms."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import nn

#: Å. In single precision no distance counts as shorter: r⁻¹² would swamp everything else.
SHORTEST = 0.5


class MolecularEnergy(nn.Module):
    """U(x) of a molecule without cutoff: positions `[batch, atoms, 3]` in Å → energies `[batch]` in eV.

    Batched, differentiable (twice, too) and on any device; made by `from_openmm`. Buffers are in
    float64; after `.float()` it computes in single precision, whatever the dtype of the positions,
    and distances below 0.5 Å count as 0.5 Å.

    Args:
        particles: number of atoms.
        bonded: terms of positions `[3, atoms, batch]`.
        pairwise: terms of the distances `[pairs, batch]` of all pairs i < j.
    """

    pairs: torch.Tensor
    zero: torch.Tensor

    def __init__(self, particles: int, bonded: Sequence[nn.Module], pairwise: Sequence[nn.Module]) -> None:
        super().__init__()
        self.particles = particles
        self.bonded, self.pairwise = nn.ModuleList(bonded), nn.ModuleList(pairwise)
        self.register_buffer("pairs", torch.triu_indices(particles, particles, 1))
        self.register_buffer("zero", torch.zeros((), dtype=torch.float64))
        self._compiled: Callable[[torch.Tensor], torch.Tensor] | None = None

    @property
    def dtype(self) -> torch.dtype:
        """Precision of the computation."""
        return self.zero.dtype

    def forward(self, positions: torch.Tensor) -> torch.Tensor:
        """Positions `[batch, atoms, 3]` in Å → energies `[batch]` in eV."""
        if positions.ndim != 3 or positions.shape[1:] != (self.particles, 3):
            raise ValueError(
                f"positions must be [batch, {self.particles}, 3], they are {list(positions.shape)}"
            )
        x = positions.to(self.dtype).permute(2, 1, 0).contiguous()
        energy = self.zero.expand(x.shape[-1])
        for term in self.bonded:
            energy = energy + term(x)
        if len(self.pairwise):
            r = self._distances(x)
            for term in self.pairwise:
                energy = energy + term(r)
        return energy

    def energy_and_forces(self, positions: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return energies `[batch]` in eV and forces `[batch, atoms, 3]` in eV/Å, without graph."""
        with torch.enable_grad():
            x = positions.detach().requires_grad_()
            energy = (self._compiled or self)(x)
            (gradient,) = torch.autograd.grad(energy.sum(), x)
        return energy.detach(), -gradient

    def compile_energy(self, example: torch.Tensor) -> bool:
        """Let `energy_and_forces` run compiled code, some 3 times faster, for batches of one shape.

        Takes half a minute, and a C++ compiler on CPU. Rounding differs from that of the plain code.

        Args:
            example: positions as they will be given.

        Returns:
            Whether it worked; without a compiler the plain code stays in use.
        """
        try:
            self._compiled = torch.compile(self.forward, dynamic=False)
            self.energy_and_forces(example)
        except Exception:  # torch raises what it likes: no compiler, no Triton, unsupported Python
            self._compiled = None
        return self._compiled is not None

    def _distances(self, x: torch.Tensor) -> torch.Tensor:
        first, second = self.pairs
        d = x.index_select(1, first) - x.index_select(1, second)
        square = (d * d).sum(0)
        if self.dtype != torch.float64:
            square = square.clamp(min=SHORTEST**2)
        return square.sqrt()
