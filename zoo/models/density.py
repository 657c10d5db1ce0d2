"""What every generative model offers: draws, and the density of what it draws."""

from __future__ import annotations

from abc import abstractmethod
from typing import Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor
from torch_geometric.data import Data

from zoo import keys
from zoo.config import Strict
from zoo.data.info import DataInfo
from zoo.errors import ConfigError
from zoo.models.base import ZooModel, frames_of
from zoo.physics.coordinates import (
    CenteredCartesian,
    Coordinates,
    InternalCoordinates,
    MixedCoordinates,
    ZMatrix,
)
from zoo.physics.target import BoltzmannTarget

#: Rows that are drawn or scored together outside of training.
CHUNK = 4096


class DensityConfig(Strict):
    """Coordinates, for all density models."""

    coordinates: Literal["auto", "internal", "mixed", "cartesian"] = Field(
        "auto",
        description="auto: internal for a molecule with bonds, else Cartesian about the centre; "
        "mixed: Cartesian core, internal coordinates of the rest",
    )
    omega: Literal["trans", "free", "reference"] = Field(
        "free", description="ω of peptide bonds: trans alone, free, or as the first frame has them"
    )


class DensityModel(ZooModel):
    """Base of all models with `sample(n) -> (x, log_prob)` and `log_prob(x)`.

    A subclass gives `draw` and `log_density` on the coordinates q `[batch, d]` of `self.coordinates`.
    Densities are with respect to dq, in nm and rad (Å or σ for Cartesian coordinates); see
    `zoo.physics.coordinates`. What it must know of the target or the data beforehand (centres, widths),
    `prepare` stores in buffers.

    Args:
        config: an instance of the entry's config model, a `DensityConfig`.
        info: facts of the training data, of interface "density".
    """

    config: DensityConfig
    #: Target energies that training has cost.
    evaluations: Tensor
    #: Error of log-densities beyond rounding, nats: of those that are integrated in steps.
    accuracy: float = 0.0

    def __init__(self, config: DensityConfig, info: DataInfo) -> None:
        super().__init__(config, info)
        if info.interface != "density":
            raise ConfigError(f"this model gives densities (task density), not {info.interface}")
        self.coordinates = make_coordinates(config, info)
        self.register_buffer("evaluations", torch.zeros((), dtype=torch.int64))

    # --- for subclasses -------------------------------------------------------------------------

    def prepare(self, target: BoltzmannTarget | None, positions: Tensor | None) -> None:
        """Set buffers before training starts.

        Args:
            target: the Boltzmann distribution; None if the dataset has no energy function.
            positions: `[frames, particles, dim]` of the training split; None in training without data.

        Raises:
            ConfigError: the model needs the one that is None.
        """

    @abstractmethod
    def draw(self, n: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Draw q `[n, d]` with log q(q) `[n]`, differentiable with respect to the weights."""

    @abstractmethod
    def log_density(self, q: Tensor) -> Tensor:
        """Return log q(q) `[batch]`, differentiable with respect to q and the weights."""

    def to_base(self, q: Tensor) -> Tensor:
        """Return where each row of q `[batch, d]` comes from in the base, `[batch, d]`; differentiable.

        Raises:
            ConfigError: the density is no image of a base.
        """
        raise ConfigError(f"{type(self).__name__} is no flow: its draws come from no base")

    def from_base(self, u: Tensor) -> Tensor:
        """Inverse of `to_base`: q `[batch, d]`. Raises as it does."""
        raise ConfigError(f"{type(self).__name__} is no flow: its draws come from no base")

    @property
    def base_periods(self) -> list[float]:
        """Periods of those columns of the base that lie on circles: the first ones."""
        return []

    def log_choice(self, q: Tensor) -> Tensor | None:
        """log q(q) `[batch]` with gradients of those weights alone that draws do not move with.

        The weights of a mixture, say: reverse KL then adds their gradient, E[log(q/p̃) ∇ log q]. None if
        there are no such weights.
        """
        return None

    def matching_loss(self, q: Tensor, weights: Tensor | None = None) -> Tensor:
        """Loss whose minimum is the density of the rows of q; weights `[batch]` have mean 1.

        Negative log-likelihood here; a model that is trained otherwise (flow matching) says how.
        """
        loss = -self.log_density(q)
        return loss.mean() if weights is None else (weights * loss).mean()

    def parameter_groups(self) -> dict[float, list[torch.nn.Parameter]]:
        """Parameters by the factor on the learning rate."""
        return {1.0: list(self.parameters())}

    def rescale(self, factor: float) -> None:
        """Widen local coordinates for a temperature higher by `factor`; a model without widths ignores it."""

    # --- for users ------------------------------------------------------------------------------

    @torch.no_grad()
    def sample(self, n: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Draw positions.

        Args:
            n: how many.
            generator: on the model's device.

        Returns:
            Positions `[n, particles, dim]` in the dataset's unit, and their log-densities `[n]` with
            respect to dq. Like hydrogens are exchanged at random, which the density accounts for.
        """
        parts = []
        for start in range(0, n, CHUNK):
            q, log_q = self.draw(min(CHUNK, n - start), generator)
            x = self.coordinates.to_cartesian(q)[0]
            parts.append((self.coordinates.scatter(x, generator), log_q - self.coordinates.symmetry))
        return torch.cat([x for x, _ in parts]), torch.cat([p for _, p in parts])

    @torch.no_grad()
    def log_prob(self, positions: Tensor) -> Tensor:
        """Return log-densities `[n]` of positions `[n, particles, dim]` with respect to dq.

        −∞ outside of the model's domain, such as for a mirror image.
        """
        out = []
        for part in positions.split(CHUNK):
            q = self.coordinates.from_cartesian(part)[0]
            value = self.log_density(q) - self.coordinates.symmetry
            out.append(value.where(self.coordinates.inside(q), -torch.inf))
        return torch.cat(out)

    def forward(self, graph: Data) -> Tensor:
        """Return the log-density of each graph `[graphs]`."""
        return self.log_prob(frames_of(graph, keys.POS, self.info.num_particles))


def make_coordinates(config: DensityConfig, info: DataInfo) -> Coordinates:
    """Return the coordinates that a config asks for.

    Raises:
        ConfigError: internal coordinates of something that has no bonds.
        DataError: bonds that do not connect all atoms.
    """
    kind = config.coordinates
    if kind == "auto":
        kind = "internal" if info.units == "ase" and info.bonds else "cartesian"
    if kind in ("internal", "mixed"):
        if not info.bonds:
            raise ConfigError(f"{kind} coordinates need bonds: use --set model.coordinates=cartesian")
        types, bonds = np.array(info.particle_types), np.array(info.bonds)
        if kind == "mixed":
            return MixedCoordinates.from_topology(types, bonds, np.array(info.reference), config.omega)
        zmatrix = ZMatrix.from_topology(types, bonds)
        return InternalCoordinates(zmatrix, np.array(info.reference), config.omega)
    length = "Å" if info.units == "ase" else "σ"
    return CenteredCartesian(info.num_particles, len(info.reference[0]), length)
