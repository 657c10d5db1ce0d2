"""Noise of bonds, angles and torsions about the decoded ones, and how far a latent is from its prior."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from zoo.models.gat_autoencoder.features import Coordinates

#: Share of the old average that is kept in each step: the noise is that of the last hundred batches.
MEMORY = 0.99
#: Least 1 − ⟨cos⟩: of torsions that do not vary.
LEAST = 1e-6


class Noise(nn.Module):
    """Von Mises noise of torsions and normal noise of the others, as wide as training leaves them.

    A width for each coordinate, the same for all conformations. It does not weigh the loss: there a nat
    gained on the turn of a methyl would count as much as one on a backbone torsion, and a latent of two
    numbers would take either.

    Args:
        torsions, local: numbers of coordinates.
    """

    spread: Tensor  # [torsions], 1 − ⟨cos k(τ − decoded τ)⟩
    variance: Tensor  # [local], of standardised coordinates

    def __init__(self, torsions: int, local: int) -> None:
        super().__init__()
        self.register_buffer("spread", torch.full((torsions,), 0.5))
        self.register_buffer("variance", torch.ones(local))

    @property
    def concentration(self) -> Tensor:
        """κ of the von Mises densities `[torsions]`, rad⁻².

        Solves I₁(κ)/I₀(κ) = ⟨cos⟩ = R: κ ≈ R (2 − R²)/(1 − R²) (Banerjee et al., JMLR 6, 1345 (2005), 4.4)
        and a step of Newton (Sra, Comput. Stat. 27, 177 (2012)).
        """
        r = 1 - self.spread.double().clamp(LEAST, 1 - LEAST)
        start = r * (2 - r.square()) / (1 - r.square())
        cosine = torch.special.i1e(start) / torch.special.i0e(start)
        return start - (cosine - r) / (1 - cosine.square() - cosine / start)

    @torch.no_grad()
    def update(self, found: Coordinates, decoded: Coordinates) -> None:
        """Take a batch of the training into the averages."""
        chord = (found.unit - decoded.unit).square().sum(-1)
        square = (found.local - decoded.local).square()
        self.spread.lerp_(0.5 * chord.mean(0), 1 - MEMORY)
        self.variance.lerp_(square.mean(0), 1 - MEMORY)

    def draw(self, decoded: Coordinates, generator: torch.Generator | None = None) -> Coordinates:
        """Draw coordinates about decoded ones."""
        unit, local = decoded
        turn = von_mises(self.concentration.expand(unit.shape[:2]), generator).to(unit)
        cos, sin = turn.cos(), turn.sin()
        c, s = unit.unbind(-1)
        noise = torch.randn(local.shape, generator=generator, dtype=local.dtype, device=local.device)
        turned = torch.stack([c * cos - s * sin, s * cos + c * sin], -1)
        return Coordinates(turned, local + self.variance.sqrt() * noise)


@torch.no_grad()
def von_mises(concentration: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Draw angles in [−π, π] about 0, float64, of the shape of κ > 0.

    Best & Fisher, Appl. Stat. 28, 152 (1979): rejection from a wrapped Cauchy density, two draws in three
    accepted at worst.
    """
    kappa = concentration.double().clamp_min(1e-4)
    tau = 1 + (1 + 4 * kappa.square()).sqrt()
    rho = (tau - (2 * tau).sqrt()) / (2 * kappa)
    r = (1 + rho.square()) / (2 * rho)
    out, todo = torch.zeros_like(kappa), torch.ones_like(kappa, dtype=torch.bool)
    while bool(todo.any()):
        u = torch.rand(3, *kappa.shape, generator=generator, dtype=kappa.dtype, device=kappa.device)
        z = (math.pi * u[0]).cos()
        f = (1 + r * z) / (r + z)
        c = kappa * (r - f)
        good = (c * (2 - c) > u[1]) | ((c / u[1]).log() + 1 - c >= 0)
        angle = torch.sign(u[2] - 0.5) * f.clamp(-1, 1).acos()
        out = torch.where(todo & good, angle, out)
        todo &= ~good
    return out


def kl(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Divergence of a diagonal normal density from the standard one, `[batch]`, nats."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1)
