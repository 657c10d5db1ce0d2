"""Energies of the toy targets of generative modelling: pairs in free space, DW4 and LJ13."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, ClassVar

import torch


@dataclass(frozen=True)
class PairPotential(ABC):
    """U = Σ_{i<j} u(r_ij) of a few identical particles in free space; subclasses say what u is.

    Nothing changes when the particles are moved, turned, mirrored or exchanged together.

    Args:
        particles: their number N.
        dimensions: of space, D.
    """

    #: What U is, in words and letters of the parameters.
    formula: ClassVar[str]
    particles: int
    dimensions: int

    @abstractmethod
    def pair(self, r2: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return u and its first and second derivatives with respect to s = r², from s."""

    @property
    def degrees(self) -> int:
        """Degrees of freedom about the centre, D (N − 1)."""
        return self.dimensions * (self.particles - 1)

    def __call__(self, positions: torch.Tensor) -> torch.Tensor:
        """Return energies `[batch]` of `[batch, particles, dimensions]`."""
        bonds = self._differences(positions) @ positions
        return self.pair((bonds * bonds).sum(-1))[0].sum(-1)

    def energy_and_forces(self, positions: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return energies `[batch]` and forces `[batch, particles, dimensions]`."""
        differences = self._differences(positions)
        bonds = differences @ positions
        u, slope, _ = self.pair((bonds * bonds).sum(-1))
        return u.sum(-1), differences.T @ (-2 * slope[..., None] * bonds)

    def laplacian(self, positions: torch.Tensor) -> torch.Tensor:
        """Return Σ_i ∇_i² U `[batch]`: for each pair twice u″ + (D − 1) u′ / r."""
        r2 = self.square_distances(positions)
        _, slope, bend = self.pair(r2)
        return (4 * self.dimensions * slope + 8 * r2 * bend).sum(-1)

    def square_distances(self, positions: torch.Tensor) -> torch.Tensor:
        """Return r² of each pair `[batch, N (N − 1) / 2]`."""
        bonds = self._differences(positions) @ positions
        return (bonds * bonds).sum(-1)

    def parameters(self) -> dict[str, Any]:
        """Return what it was built from, as plain JSON."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    def _differences(self, like: torch.Tensor) -> torch.Tensor:
        return self._incidence.to(like)

    @cached_property
    def _incidence(self) -> torch.Tensor:
        """Matrix `[pairs, particles]` that makes differences of positions, by the fast way of BLAS."""
        i, j = torch.triu_indices(self.particles, self.particles, 1)
        eye = torch.eye(self.particles, dtype=torch.float64)
        return eye[i] - eye[j]


@dataclass(frozen=True)
class DoubleWells(PairPotential):
    """Double wells between all pairs: u = a (r − d₀) + b (r − d₀)² + c (r − d₀)⁴.

    By default DW4 of Köhler, Klein, Noé, ICML 2020 (arXiv:2006.02425): four particles in the plane.
    Their 1/(2τ) Σ_{i,j} runs over ordered pairs, so that each pair counts once at τ = 1, as in
    bgflow's `MultiDoubleWellPotential(a=0.9, b=−4, c=0, offset=4)`, whose letters differ.
    """

    formula: ClassVar[str] = "Σ_{i<j} a (r − d0) + b (r − d0)² + c (r − d0)⁴"
    particles: int = 4
    dimensions: int = 2
    a: float = 0.0
    b: float = -4.0
    c: float = 0.9
    d0: float = 4.0

    def pair(self, r2: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return u, du/ds and d²u/ds² of s = r²."""
        r = r2.sqrt()
        x = r - self.d0
        first = self.a + x * (2 * self.b + 4 * self.c * x * x)
        second = 2 * self.b + 12 * self.c * x * x
        u = x * (self.a + x * (self.b + self.c * x * x))
        return u, first / (2 * r), (second - first / r) / (4 * r2)


@dataclass(frozen=True)
class LennardJonesCluster(PairPotential):
    """Lennard-Jones particles in a harmonic trap about their own centre, lengths in r_min.

    U = depth Σ_{i<j} (r⁻¹² − 2 r⁻⁶) + trap/2 Σ_i |x_i − x̄|². The trap is a sum over pairs too,
    trap/(2N) Σ_{i<j} r². The literature's LJ13 has trap 1, and two depths under one name:

    - 2: r_min = ε = 1 with the sum over ordered pairs, `energy_factor=1`: the published samples of
      Klein, Krämer, Noé, NeurIPS 2023 (arXiv:2306.15030), iDEM (Akhound-Sadegh et al., ICML 2024)
      and what came after;
    - 1: each pair once, as in bgflow's `LennardJonesPotential` and in EACF (Midgley et al., NeurIPS
      2023, arXiv:2308.10364), `energy_factor=0.5` of iDEM's code.

    Args:
        particles: their number N.
        dimensions: of space.
        depth: of each pair's well.
        trap: force constant of the trap.
    """

    formula: ClassVar[str] = "depth Σ_{i<j} (r⁻¹² − 2 r⁻⁶) + trap/2 Σ_i |x_i − x̄|²"
    particles: int = 13
    dimensions: int = 3
    depth: float = 2.0
    trap: float = 1.0

    def pair(self, r2: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return u, du/ds and d²u/ds² of s = r²."""
        inverse = 1 / r2
        q = inverse * inverse * inverse
        spring = self.trap / (2 * self.particles)
        u = self.depth * q * (q - 2) + spring * r2
        slope = 6 * self.depth * inverse * q * (1 - q) + spring
        bend = 6 * self.depth * inverse * inverse * q * (7 * q - 4)
        return u, slope, bend
