"""A bonded force field, fitted to forces by linear least squares."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from pydantic import Field
from torch import Tensor
from torch_geometric.data import Data

from zoo import keys
from zoo.config import Strict
from zoo.data.graph import Graph
from zoo.data.info import DataInfo
from zoo.errors import ConfigError, DataError
from zoo.models.base import FittedModel, frames_of, require_interface, require_key
from zoo.physics import valence as internal


class HarmonicConfig(Strict):
    """Which terms the potential has."""

    angles: bool = Field(True, description="harmonic in each angle between two bonds")
    torsions: int = Field(0, ge=0, le=6, description="cosines cos(nφ), n = 1 … this, of each proper torsion")


class Harmonic(FittedModel):
    """`U = c + Σ_bonds (a Δr² + b Δr) + Σ_angles (a Δθ² + b Δθ) [+ Σ_torsions Σ_n a_n cos nφ]`.

    Every bond, angle and torsion has coefficients of its own; Δ is the difference from the mean
    over the first batch, which spans the same functions as r² and r do but is well conditioned.
    Atoms are told apart by their number. There is nothing between atoms that are not bonded, so what remains
    of the forces is what a graph network has to learn.

    Raises:
        ConfigError: the task wants targets of particles, or the system has no bonds.
    """

    bonds: Tensor  # [bonds, 2]
    angles: Tensor  # [angles, 3]
    torsions: Tensor  # [torsions, 4]
    center: Tensor  # [bonds + angles]
    coefficients: Tensor  # [features]
    constant: Tensor  # []

    def __init__(self, config: HarmonicConfig, info: DataInfo) -> None:
        super().__init__(config, info)
        require_interface(info, "potential", "harmonic")
        if not info.bonds:
            raise ConfigError("harmonic needs a molecule with bonds, and this system has none")
        self.torsion_terms = config.torsions
        atoms = {
            "bonds": (info.bonds, 2),
            "angles": (internal.angles_of(info.bonds) if config.angles else [], 3),
            "torsions": (internal.torsions_of(info.bonds) if config.torsions else [], 4),
        }
        for name, (rows, width) in atoms.items():
            index = torch.tensor(rows, dtype=torch.long).view(-1, width)
            self.register_buffer(name, index, persistent=False)
        harmonic, periodic = len(self.bonds) + len(self.angles), len(self.torsions)
        self.register_buffer("center", torch.zeros(harmonic, dtype=torch.float64))
        features = 2 * harmonic + config.torsions * periodic
        self.register_buffer("coefficients", torch.zeros(features, dtype=torch.float64))
        self.register_buffer("constant", torch.zeros((), dtype=torch.float64))

    def forward(self, graph: Data) -> Tensor:
        """Return energies `[graphs]`; see `ZooModel`."""
        x = frames_of(graph, keys.POS, self.info.num_particles)
        return self._features(x) @ self.coefficients.to(x) + self.constant.to(x)

    def fit(self, graphs: Iterable[Graph]) -> None:
        """Solve the normal equations of the forces; the mean energy fixes the constant.

        Raises:
            DataError: there are no frames, or they have no forces.
        """
        k = len(self.coefficients)
        gram, moment, mean = (self.constant.new_zeros(s) for s in ((k, k), (k,), (k,)))
        frames = 0
        for graph in graphs:
            require_key(graph, keys.FORCES, "harmonic")
            x = frames_of(graph, keys.POS, self.info.num_particles).double()
            forces = frames_of(graph, keys.FORCES, self.info.num_particles).double().flatten(1)
            if not frames:
                self.center.copy_(self._lengths_and_angles(x).mean(0))
            slope = self._feature_gradients(x)
            gram += torch.einsum("bkx,blx->kl", slope, slope)
            moment -= torch.einsum("bkx,bx->k", slope, forces)
            mean += self._features(x).sum(0)
            frames += len(x)
        if not frames:
            raise DataError("harmonic: the training split has no frames")
        self.coefficients.copy_(solve(gram, moment))
        energy = self.info.energy_per_particle * self.info.num_particles
        self.constant.copy_(energy - (mean / frames) @ self.coefficients)

    def _lengths_and_angles(self, x: Tensor) -> Tensor:
        return torch.cat([internal.distance(x, self.bonds), internal.angle(x, self.angles)], dim=1)

    def _features(self, x: Tensor) -> Tensor:
        """What the coefficients multiply, `[B, features]`."""
        delta = self._lengths_and_angles(x) - self.center.to(x)
        parts = [delta.square(), delta]
        if self.torsion_terms:
            phi = internal.torsion(x, self.torsions)
            parts += [torch.cos(n * phi) for n in range(1, self.torsion_terms + 1)]
        return torch.cat(parts, dim=1)

    def _feature_gradients(self, x: Tensor) -> Tensor:
        """Derivatives of the features by the positions, `[B, features, 3·atoms]`."""
        delta = (self._lengths_and_angles(x) - self.center)[..., None]
        bonds = _spread(internal.distance_gradient(x, self.bonds), self.bonds, x.shape[1])
        angles = _spread(internal.angle_gradient(x, self.angles), self.angles, x.shape[1])
        slope = torch.cat([bonds, angles], dim=1)
        parts = [2 * delta * slope, slope]
        if self.torsion_terms:
            phi = internal.torsion(x, self.torsions)[..., None]
            turn = _spread(internal.torsion_gradient(x, self.torsions), self.torsions, x.shape[1])
            parts += [-n * torch.sin(n * phi) * turn for n in range(1, self.torsion_terms + 1)]
        return torch.cat(parts, dim=1)


def _spread(gradient: Tensor, atoms: Tensor, particles: int) -> Tensor:
    """`[B, M, atoms of a term, 3]` → `[B, M, 3·particles]`."""
    frames, terms, width, _ = gradient.shape
    out = gradient.new_zeros(frames, terms, particles, 3)
    index = atoms[None, :, :, None].expand(frames, terms, width, 3)
    return out.scatter_add_(2, index, gradient).flatten(2)


def solve(gram: Tensor, moment: Tensor) -> Tensor:
    """Least-norm solution of `gram c = moment`, columns scaled to one first.

    Redundant coordinates (the angles around an atom) make the matrix singular: directions below
    1e-10 of the largest eigenvalue get nothing.
    """
    scale = gram.diagonal().sqrt().clamp_min(math.ulp(1.0))
    values, vectors = torch.linalg.eigh(gram / scale / scale[:, None])
    keep = values > 1e-10 * values[-1]
    inverse = torch.where(keep, 1 / values.where(keep, values[-1]), 0.0)
    return vectors @ (inverse * (vectors.T @ (moment / scale))) / scale
