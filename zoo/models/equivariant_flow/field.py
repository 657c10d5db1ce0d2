"""What vector fields share: features of particles and pairs, and how a divergence is had."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from zoo.graphs import CosineCutoff, GaussianBasis
from zoo.models.equivariant_flow.layout import Pairs, make_pairs

#: Range of the radial basis in asinh(d / length): up to 20 lengths.
REACH = math.asinh(20.0)
#: Distances in the basis are √(d² + (SOFT length)²), smooth where two particles meet.
SOFT = 0.1
#: Bonds between two particles up to which each number has its own embedding; beyond, ranges of them.
HOPS = (1, 2, 3, 4, 6, 9, 14, 20, 29, 41)
#: Frequencies of the time features, in half turns over the whole flow.
WAVES = (1.0, 2.0, 3.0, 4.0)


@dataclass(frozen=True)
class FieldSpec:
    """What a field is built from.

    Args:
        labels: `[particles]` from 0; particles of one label are alike.
        hops: `[particles][particles]` class of the bonds between two, from 0; see `hop_classes`.
        space: dimension.
        channels, gaussians: of features and of the radial basis.
        cutoff: in the unit of the positions; None: all pairs.
        chiral: whether left is told from right; in three dimensions alone.
    """

    labels: list[int]
    hops: Tensor
    space: int
    channels: int
    gaussians: int
    cutoff: float | None
    chiral: bool


class Field(nn.Module, ABC):
    """v(x, t) of positions `[batch, particles, dim]` and times `[batch]`, free of unit of time.

    Equivariant under rotations and shifts of the frame, and under exchange of particles of one label.
    Its mean over particles is not taken out: the flow does that, and the divergence does not change.
    Distances are measured in `length`, and so are velocities.
    """

    length: Tensor
    label: Tensor
    hop: Tensor

    def __init__(self, spec: FieldSpec) -> None:
        super().__init__()
        self.spec = spec
        self.register_buffer("length", torch.ones(()))
        self.register_buffer("label", torch.tensor(spec.labels), persistent=False)
        self.register_buffer("hop", spec.hops, persistent=False)
        #: Whether there are bonds, and whether all labels are one and nothing is known of a single particle.
        self.bonded, self.alike = bool(spec.hops.any()), len(set(spec.labels)) == 1 and spec.cutoff is None
        self.basis = GaussianBasis(0.0, REACH, spec.gaussians)
        self.envelope = None if spec.cutoff is None else CosineCutoff(spec.cutoff)
        self.clock = nn.Sequential(
            nn.Linear(1 + 2 * len(WAVES), spec.channels), nn.SiLU(), nn.Linear(spec.channels, spec.channels)
        )

    @abstractmethod
    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        """Return v `[batch, particles, dim]`."""

    def with_divergence(self, x: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """Return v and Σ ∂v/∂x `[batch]`, exact, by one backward pass for each component.

        Differentiable where gradients are on.
        """
        keep = torch.is_grad_enabled()
        with torch.enable_grad():
            x = x if keep and x.requires_grad else x.detach().requires_grad_()
            v = self(x, t)
            columns = v.flatten(1).unbind(1)
            trace = v.new_zeros(len(v))
            for n, column in enumerate(columns):
                (g,) = torch.autograd.grad(column.sum(), x, retain_graph=True, create_graph=keep)
                trace = trace + g.flatten(1)[:, n]
        return (v, trace) if keep else (v.detach(), trace.detach())

    def with_estimate(self, x: Tensor, t: Tensor, probes: Tensor) -> tuple[Tensor, Tensor]:
        """Return v and Hutchinson's estimate of the divergence `[batch]`, the mean over the probes.

        Grathwohl et al., ICLR 2019 (arXiv:1810.01367).

        Args:
            x, t: see `forward`.
            probes: `[probes, batch, particles, dim]` with mean 0 and covariance 1.
        """
        keep = torch.is_grad_enabled()
        with torch.enable_grad():
            x = x if keep and x.requires_grad else x.detach().requires_grad_()
            v = self(x, t)
            trace = v.new_zeros(len(v))
            for probe in probes:
                (g,) = torch.autograd.grad(v, x, probe, retain_graph=True, create_graph=keep)
                trace = trace + (g * probe).sum((1, 2)) / len(probes)
        return (v, trace) if keep else (v.detach(), trace.detach())

    def times(self, t: Tensor) -> Tensor:
        """Return features of times `[batch]`: `[batch, channels]`."""
        phase = math.pi * t[:, None] * t.new_tensor(WAVES)
        return self.clock(torch.cat([t[:, None], phase.sin(), phase.cos()], 1))

    def pairs(self, x: Tensor) -> Pairs:
        """Return which pairs see each other."""
        return make_pairs(x, self.spec.cutoff)

    def radial(self, r: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        """Of differences `[…, dim]`: basis `[…, gaussians]`, smoothed direction, cutoff function `[…, 1]`.

        The basis is fine at short distances and coarse at long ones. The direction is r/√(d² + length²): a
        unit vector far away, and linear near by, so that no equation of motion becomes stiff where two meet.
        """
        square = r.square().sum(-1, keepdim=True)
        unit = self.length.to(r)
        distance = (square + (SOFT * unit).square()).sqrt()
        basis = self.basis(torch.asinh(distance[..., 0] / unit))
        direction = r / (square + unit.square()).sqrt()
        return basis, direction, None if self.envelope is None else self.envelope(distance)


def hop_classes(particles: int, bonds: list[tuple[int, int]]) -> Tensor:
    """Return the class of the number of bonds between two particles `[particles, particles]`, int64.

    0: none are between them, since there are no bonds at all or they are not connected.
    """
    near = torch.eye(particles, dtype=torch.bool)
    link = near.clone()
    for i, j in bonds:
        link[i, j] = link[j, i] = True
    found = torch.zeros(particles, particles, dtype=torch.int64)
    for hop in range(1, particles):
        further = (near.float() @ link.float()) > 0
        if bool((further == near).all()):
            break
        found[further & ~near] = 1 + sum(hop > h for h in HOPS)
        near = further
    return found
