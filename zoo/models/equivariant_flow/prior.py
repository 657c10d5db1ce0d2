"""The Gaussian that the flow starts from."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from zoo.physics.coordinates import CenteredCartesian
from zoo.physics.target import BoltzmannTarget

#: Share of an isotropic Gaussian that is mixed into the covariance of the data.
SHRINK = 1e-3
#: Widths that are tried against an energy, and draws of each.
WIDTHS, DRAWS = torch.logspace(-1, 1, 25, dtype=torch.float64), 200
#: kT; an energy above enters by its logarithm, as a few hard contacts say little of a width.
HARD = 100.0


class RotationInvariantGaussian(nn.Module):
    """A Gaussian of q with covariance K ⊗ 1, K between particles and 1 in space.

    Of all densities with the data's mean scalar products ⟨x_i · x_j⟩ the one with the largest entropy.
    For a phantom chain it is exact (Rouse's model).

    Args:
        coordinates: of q.
    """

    factor: Tensor

    def __init__(self, coordinates: CenteredCartesian) -> None:
        super().__init__()
        self.links, self.space = coordinates.particles - 1, coordinates.space
        self.register_buffer("factor", torch.eye(self.links))

    def draw(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """Return q `[n, d]`."""
        shape = (n, self.links, self.space)
        z = torch.randn(shape, generator=generator, dtype=self.factor.dtype, device=self.factor.device)
        return (self.factor @ z).flatten(1)

    def log_density(self, q: Tensor) -> Tensor:
        """Return `[batch]`."""
        factor = self.factor.to(q)
        z = torch.linalg.solve_triangular(factor, q.view(-1, self.links, self.space), upper=False)
        volume = self.space * factor.diagonal().log().sum()
        return -0.5 * z.square().sum((1, 2)) - volume - 0.5 * q.shape[1] * math.log(2 * math.pi)

    @torch.no_grad()
    def fit(self, q: Tensor, isotropic: bool) -> None:
        """Take the covariance of data q `[frames, d]`."""
        rows = q.double().view(-1, self.links, self.space)
        covariance = torch.einsum("fid,fjd->ij", rows, rows) / (len(rows) * self.space)
        even = covariance.diagonal().mean() * torch.eye(self.links, dtype=torch.float64, device=q.device)
        mixed = even if isotropic else (1 - SHRINK) * covariance + SHRINK * even
        self.factor.copy_(torch.linalg.cholesky(mixed))

    @torch.no_grad()
    def fit_energy(self, target: BoltzmannTarget) -> None:
        """Take the width with the least mean energy less entropy, of a few that are tried."""
        generator = torch.Generator(self.factor.device).manual_seed(0)
        z = torch.randn(DRAWS, self.links * self.space, generator=generator, device=self.factor.device)
        scores = []
        for width in WIDTHS.tolist():
            energy = -target.log_density(width * z.to(self.factor))
            high = HARD * (1 + (energy / HARD).clamp_min(1).log())
            score = torch.where(energy > HARD, high, energy).nan_to_num(torch.inf, torch.inf).mean()
            scores.append(float(score) - z.shape[1] * math.log(width))
        best = WIDTHS[min(range(len(scores)), key=scores.__getitem__)]
        self.factor.copy_(best * torch.eye(self.links))
