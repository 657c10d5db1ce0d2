"""Local search on hard maps: particles change beads one by one while the loss falls."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

#: Largest number of sweeps over all particles, and of candidates that are scored at once.
SWEEPS, BATCH = 50, 2048
#: A move must lower the loss, which is of order one, by more than rounding.
GAIN = 1e-10
#: As in `zoo.coarse.moments`.
RIDGE = 1e-8


@dataclass(frozen=True)
class Landscape:
    """The loss of hard maps as a function of sums over beads.

    Args:
        moment: G `[particles, particles]` of positions.
        weights: `[particles]` of centres.
        rho: weight of the mean square force on a bead.
        forces: second moment of the forces.
    """

    moment: Tensor
    weights: Tensor
    rho: float
    forces: Tensor

    @cached_property
    def square(self) -> Tensor:
        """G²."""
        return self.moment @ self.moment

    def start(self, group: Tensor, beads: int) -> Sums:
        """Sums over the beads of a map `[particles]`."""
        member = torch.nn.functional.one_hot(group, beads).double()
        weighted = self.weights[:, None] * member
        return Sums(
            self.weights @ member,
            _sums(weighted, self.moment),
            _sums(weighted, self.square),
            _sums(member, self.forces),
        )

    def loss(self, sums: Sums) -> Tensor:
        """Loss, without what is the same for all maps, of one or more `Sums`."""
        size = sums.size[..., :, None] * sums.size[..., None, :]
        safe = size.clamp_min(1e-300)
        filled = size > 0
        gram, square = (torch.where(filled, s[0] / safe, 0.0) for s in (sums.first, sums.second))
        scale = gram.diagonal(dim1=-2, dim2=-1).mean(-1)[..., None, None]
        regular = gram + (RIDGE * scale + 1e-300) * torch.eye(gram.shape[-1]).to(gram)
        back = torch.linalg.solve(regular, square).diagonal(dim1=-2, dim2=-1).sum(-1)
        loss = -back / len(self.moment)
        if self.rho:
            loss = loss + self.rho * sums.force[0].diagonal(dim1=-2, dim2=-1).mean(-1)
        return loss

    def moved(self, sums: Sums, particles: Tensor, old: Tensor, new: Tensor) -> Sums:
        """Sums with each of `particles` moved from its bead to another, `[moves, …]`: O(beads²) a move."""
        w = self.weights[particles]
        beads = len(sums.size)
        step = torch.nn.functional.one_hot(new, beads).double() - torch.nn.functional.one_hot(old, beads)
        one = torch.ones_like(w)
        parts = [
            _shifted(pair, g[particles, particles], particles, weight, step)
            for pair, g, weight in (
                (sums.first, self.moment, w), (sums.second, self.square, w), (sums.force, self.forces, one),
            )
        ]  # fmt: skip
        return Sums(sums.size + w[:, None] * step, *parts)


@dataclass(frozen=True)
class Sums:
    """Sums over beads: `size` [..., beads]; each other a pair (Uᵀ G U, Uᵀ G) of beads and beads,
    particles.
    """

    size: Tensor
    first: tuple[Tensor, Tensor]
    second: tuple[Tensor, Tensor]
    force: tuple[Tensor, Tensor]


def refined(group: Tensor, beads: int, landscape: Landscape) -> Tensor:
    """Return a map `[particles]` of which no move of a single particle lowers the loss (or nearly so).

    In each sweep the best move of every particle is found; they are made in the order of what they gain, each
    if it still lowers the loss after those before. No bead is emptied.

    Args:
        group: `[particles]` bead of each particle.
        beads: their number.
        landscape: the loss.
    """
    group = group.clone()
    loss = float(landscape.loss(landscape.start(group, beads)))
    for _ in range(SWEEPS):
        before = loss
        for particle, bead in _candidates(group, beads, landscape, loss):
            if int((group == group[particle]).sum()) == 1:
                continue
            trial = group.clone()
            trial[particle] = bead
            found = float(landscape.loss(landscape.start(trial, beads)))
            if found < loss - GAIN:
                group, loss = trial, found
        if loss > before - GAIN:
            break
    return group


def _candidates(group: Tensor, beads: int, landscape: Landscape, loss: float) -> list[tuple[int, int]]:
    """The best move (particle, bead) of each particle that lowers the loss, the best one first."""
    sums = landscape.start(group, beads)
    counts = torch.bincount(group, minlength=beads)
    particles = torch.nonzero(counts[group] > 1).flatten()
    every = torch.cartesian_prod(particles, torch.nonzero(counts > 0).flatten()).view(-1, 2)
    moves = every[group[every[:, 0]] != every[:, 1]]
    if not len(moves):
        return []
    scores = torch.cat([
        landscape.loss(landscape.moved(sums, part[:, 0], group[part[:, 0]], part[:, 1]))
        for part in moves.split(BATCH)
    ])  # fmt: skip
    best: dict[int, tuple[float, int]] = {}
    for (particle, bead), score in zip(moves.tolist(), scores.tolist(), strict=True):
        if score < loss - GAIN and score < best.get(particle, (loss, 0))[0]:
            best[particle] = (score, bead)
    return [(p, bead) for p, (_, bead) in sorted(best.items(), key=lambda item: item[1])]


def _sums(member: Tensor, gram: Tensor) -> tuple[Tensor, Tensor]:
    across = member.T @ gram
    return across @ member, across


def _shifted(
    pair: tuple[Tensor, Tensor], own: Tensor, particles: Tensor, weight: Tensor, step: Tensor
) -> tuple[Tensor, Tensor]:
    """Uᵀ G U after U gained `weight · e_particle stepᵀ`."""
    both, across = pair
    column = (weight * across[:, particles]).T
    cross = step[:, :, None] * column[:, None, :]
    twice = (weight.square() * own)[:, None, None] * step[:, :, None] * step[:, None, :]
    return both + cross + cross.mT + twice, across
