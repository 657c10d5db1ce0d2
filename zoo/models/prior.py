"""The prior of a coarse-grained potential: simple terms, of which a model learns the difference."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from zoo.data.prior import Couplings, PriorTerms, Series, Walls, Wells
from zoo.physics.samplers.state import energy_and_forces
from zoo.physics.valence import angle, distance, fourier, torsion

#: Coordinates of frames that are looked at together.
CHUNK = 1_000_000


class Prior(nn.Module):
    """Positions `[frames, particles, 3]` → energies `[frames]`, in the units of the data it was fitted to.

    Particles are told apart by their number. Nothing in it is trained: the numbers are in `DataInfo.prior`,
    and the buffers are not among a model's weights.
    """

    def __init__(self, terms: PriorTerms) -> None:
        super().__init__()
        built: list[nn.Module] = []
        if terms.bonds is not None:
            built.append(_Wells(terms.bonds, 2))
        if terms.angles is not None:
            built.append(_Wells(terms.angles, 3))
        if terms.torsions is not None:
            built.append(_Series(terms.torsions))
        if terms.couplings is not None:
            built.append(_Couplings(terms.couplings))
        if terms.repulsion is not None:
            built.append(_Walls(terms.repulsion))
        self.terms = nn.ModuleList(built)

    def forward(self, x: Tensor) -> Tensor:
        """Return energies `[frames]`, as often differentiable as asked for."""
        energy = x.new_zeros(len(x))
        for term in self.terms:
            energy = energy + term(x)
        return energy


def prior_of(terms: PriorTerms, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a prior's energies `[frames]` and forces `[frames, particles, 3]` in float64.

    Args:
        terms: of the prior.
        positions: `[frames, particles, 3]`.
    """
    prior = Prior(terms).double()
    energies, forces = np.empty(len(positions)), np.empty(positions.shape)
    size = max(1, CHUNK // (3 * positions.shape[1]))
    for start in range(0, len(positions), size):
        rows = slice(start, start + size)
        found = energy_and_forces(prior, torch.from_numpy(positions[rows].astype(np.float64)))
        energies[rows], forces[rows] = (part.numpy() for part in found)
    return energies, forces


class _Wells(nn.Module):
    atoms: Tensor
    center: Tensor
    stiffness: Tensor

    def __init__(self, wells: Wells, width: int) -> None:
        super().__init__()
        self.coordinate = {2: distance, 3: angle}[width]
        _keep_atoms(self, "atoms", wells.atoms, width)
        _keep(self, "center", wells.center)
        _keep(self, "stiffness", wells.stiffness)

    def forward(self, x: Tensor) -> Tensor:
        away = self.coordinate(x, self.atoms) - self.center.to(x)
        return 0.5 * (self.stiffness.to(x) * away.square()).sum(-1)


class _Series(nn.Module):
    atoms: Tensor
    coefficients: Tensor

    def __init__(self, series: Series) -> None:
        super().__init__()
        _keep_atoms(self, "atoms", series.atoms, 4)
        _keep(self, "coefficients", series.coefficients)

    def forward(self, x: Tensor) -> Tensor:
        waves = fourier(torsion(x, self.atoms), self.coefficients.shape[-1] // 2)
        return (waves * self.coefficients.to(x)).sum((-2, -1))


class _Couplings(nn.Module):
    first: Tensor
    second: Tensor
    coefficients: Tensor

    def __init__(self, couplings: Couplings) -> None:
        super().__init__()
        _keep_atoms(self, "first", couplings.first, 4)
        _keep_atoms(self, "second", couplings.second, 4)
        _keep(self, "coefficients", couplings.coefficients)

    def forward(self, x: Tensor) -> Tensor:
        orders = self.coefficients.shape[-1] // 2
        waves = [fourier(torsion(x, atoms), orders) for atoms in (self.first, self.second)]
        first, second = (torch.cat([torch.ones_like(w[..., :1]), w], -1) for w in waves)
        return torch.einsum("btm,tmn,btn->b", first, self.coefficients.to(x), second)


class _Walls(nn.Module):
    atoms: Tensor
    sigma: Tensor

    def __init__(self, walls: Walls) -> None:
        super().__init__()
        _keep_atoms(self, "atoms", walls.atoms, 2)
        _keep(self, "sigma", walls.sigma)
        self.epsilon, self.power = walls.epsilon, walls.power

    def forward(self, x: Tensor) -> Tensor:
        return self.epsilon * (self.sigma.to(x) / distance(x, self.atoms)).pow(self.power).sum(-1)


def _keep_atoms(module: nn.Module, name: str, rows: Sequence[Sequence[int]], width: int) -> None:
    index = torch.tensor(rows, dtype=torch.long).view(-1, width)
    module.register_buffer(name, index, persistent=False)


def _keep(module: nn.Module, name: str, values: Sequence[object]) -> None:
    module.register_buffer(name, torch.tensor(values, dtype=torch.float64), persistent=False)
