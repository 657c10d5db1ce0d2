"""Metropolis moves that turn a part of a molecule about a bond."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch

from zoo.physics.samplers.state import (
    PerReplica,
    Potential,
    State,
    energy_and_forces,
    replica_column,
)

#: rad. A half turn, as of a peptide bond from trans to cis, is by π plus or minus up to this.
SLACK = 0.5


@dataclass(frozen=True)
class Pivots:
    """Torsions that dynamics is slow to change, changed at once: one bond of each replica at a time.

    The bond is drawn uniformly and the angle from a distribution symmetric about zero; a rotation
    keeps volumes, and velocities do not matter to its acceptance, so that exp(−U/kT) and the
    velocities' distribution are kept exactly (Lal, Mol. Phys. 17, 57 (1969)).

    Args:
        potential: positions `[batch, particles, 3]` → energies `[batch]`.
        kT: energy; one for all replicas or `[batch]`.
        axes: `[bonds, 2]` particles of each bond that is turned about.
        turning: `[bonds, particles]` whether a particle turns; see `turning_side`.
        half_turns: `[bonds]` whether a bond turns by about π alone, and not by any angle.
    """

    potential: Potential
    kT: PerReplica
    axes: torch.Tensor
    turning: torch.Tensor
    half_turns: torch.Tensor

    def move(self, state: State, generator: torch.Generator) -> tuple[State, torch.Tensor]:
        """Try one turn of each replica; return the state, and whether each `[batch]` was accepted."""
        x = state.positions
        batch = len(x)
        bond = torch.randint(len(self.axes), (batch,), generator=generator, device=x.device)
        uniform = torch.rand((2, batch), generator=generator, dtype=x.dtype, device=x.device)
        angle = torch.where(
            self.half_turns[bond], math.pi + SLACK * (2 * uniform[0] - 1), math.pi * (2 * uniform[0] - 1)
        )
        new = self._turned(x, bond, angle)
        energies, forces = energy_and_forces(self.potential, new)
        change = (energies - state.energies) / replica_column(self.kT, x).flatten()
        accept = uniform[1] < torch.exp(-change.clamp(min=0)).nan_to_num(nan=0.0)
        rows = accept.reshape(-1, 1, 1)
        turned = State(
            torch.where(rows, new, x),
            state.velocities,
            torch.where(rows, forces, state.forces),
            torch.where(accept, energies, state.energies),
        )
        return turned, accept

    def _turned(self, x: torch.Tensor, bond: torch.Tensor, angle: torch.Tensor) -> torch.Tensor:
        """Rotate by Rodrigues' formula."""
        row = torch.arange(len(x), device=x.device)
        first, second = (x[row, column].unsqueeze(1) for column in self.axes[bond].T)
        axis = torch.nn.functional.normalize(second - first, dim=-1)
        arm = x - second
        along = (arm * axis).sum(-1, keepdim=True) * axis
        cos, sin = angle.cos().reshape(-1, 1, 1), angle.sin().reshape(-1, 1, 1)
        rotated = second + along + cos * (arm - along) + sin * torch.linalg.cross(axis.expand_as(arm), arm)
        return torch.where(self.turning[bond].unsqueeze(-1), rotated, x)


def turning_side(bonds: np.ndarray, particles: int, first: int, second: int) -> np.ndarray | None:
    """Return whether each particle turns about a bond with `second`; None for a bond within a ring.

    Args:
        bonds: `[bonds, 2]` of the molecule.
        particles: their number.
        first, second: the bond's.
    """
    neighbours: list[list[int]] = [[] for _ in range(particles)]
    for i, j in np.asarray(bonds).tolist():
        neighbours[i].append(j)
        neighbours[j].append(i)
    seen, waiting = {first, second}, [n for n in neighbours[second] if n != first]
    while waiting:
        atom = waiting.pop()
        if atom == first:
            return None
        if atom not in seen:
            seen.add(atom)
            waiting += neighbours[atom]
    side = np.zeros(particles, bool)
    side[sorted(seen - {first, second})] = True
    return side
