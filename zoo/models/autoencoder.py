"""What every autoencoder offers: from positions to fewer numbers, and back."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from typing import ClassVar

import numpy as np
import torch
from pydantic import BaseModel
from torch import Tensor
from torch_geometric.data import Data

from zoo import keys
from zoo.coarse.maps import CoarseMap
from zoo.data.graph import Graph
from zoo.data.info import DataInfo
from zoo.data.system import System
from zoo.errors import DataError
from zoo.models.base import FittedModel, ZooModel, frames_of, require_interface

#: Loss and further scalars to log, each a mean over the batch.
Objective = tuple[Tensor, dict[str, Tensor]]


class AutoencoderModel(ZooModel):
    """Base of all models with `encode(x) -> z` and `decode(z) -> x`.

    x is `[batch, particles, 3]` in the dataset's unit; z is `[batch, beads, 3]` (positions of beads, same
    unit) of a coarse-graining model, `[batch, latents]` of others. A subclass gives `encode`, `decode` and,
    where the loss is not the mean square error alone, `objective`. What it must know of the data beforehand
    (means, widths, second moments) `prepare` stores in buffers.

    Args:
        config: an instance of the entry's config model.
        info: facts of the training data, of interface "autoencoder".
    """

    #: Whether decoded structures are turned onto the originals before they are compared: of a latent that
    #: knows nothing of where a molecule is and how it is turned.
    superposed: ClassVar[bool] = False

    def __init__(self, config: BaseModel, info: DataInfo) -> None:
        super().__init__(config, info)
        require_interface(info, "autoencoder", "this model")

    # --- for subclasses -------------------------------------------------------------------------

    @abstractmethod
    def encode(self, x: Tensor) -> Tensor:
        """Return z of x `[batch, particles, 3]`; the mean of a variational model. Differentiable."""

    @abstractmethod
    def decode(self, z: Tensor) -> Tensor:
        """Return `[batch, particles, 3]`; the most likely one of a variational model. Differentiable."""

    def prepare(self, x: Tensor, forces: Tensor | None) -> None:
        """Set buffers before training starts.

        Args:
            x: `[frames, particles, 3]` float64 of the training split.
            forces: the same of forces; None if there are none.
        """

    def objective(self, x: Tensor, forces: Tensor | None, progress: float) -> Objective:
        """Return the loss of a batch and what to log of it.

        Args:
            x: `[batch, particles, 3]`.
            forces: the same of forces; None if there are none.
            progress: share of the training that is done, 0 to 1; 1 in validation.
        """
        mse = (self.reconstruct(x) - x).square().mean()
        return mse, {"mse": mse.detach()}

    def reconstruct(self, x: Tensor) -> Tensor:
        """Return decoded x `[batch, particles, 3]`, in its own position and orientation unless
        `superposed`.
        """
        return self.decode(self.encode(x))

    def draw(self, z: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Draw a structure `[batch, particles, 3]` for each z; `decode` where z allows but one."""
        return self.decode(z)

    @property
    def bottleneck(self) -> dict[str, int]:
        """Size of z as baselines take it: `{"beads": N}` or `{"latent": d}`; empty where it has no number."""
        return {}

    # --- for users ------------------------------------------------------------------------------

    def forward(self, graph: Data) -> Tensor:
        """Return reconstructed positions `[nodes, 3]` of a graph or batch of this system."""
        x = frames_of(graph, keys.POS, self.info.num_particles)
        return self.reconstruct(x).flatten(0, 1)


class BeadAutoencoder(AutoencoderModel):
    """Base of autoencoders whose z is positions of beads, by a linear map."""

    @abstractmethod
    def coarse_map(self) -> CoarseMap:
        """Return the map onto beads; those without particles are left out."""

    @property
    def bottleneck(self) -> dict[str, int]:
        """See `AutoencoderModel`."""
        return {"beads": self.coarse_map().num_beads}


class SplitAutoencoder(AutoencoderModel):
    """Base of autoencoders whose every step sees the whole split, through what `prepare` has kept of it."""

    @abstractmethod
    def split_objective(self, progress: float) -> Objective:
        """Return the loss of the whole training split; `progress` as of `objective`."""

    def look(self, x: Tensor, forces: Tensor | None) -> None:
        """Take validation frames, as `prepare` does, to choose among candidates by; never to fit to."""

    def after_step(self, step: int, total: int) -> None:
        """Called behind each optimiser step, numbered from 1: for what gradients do not do."""


class FittedAutoencoder(AutoencoderModel, FittedModel):
    """Base of autoencoders in closed form: `prepare` is all the training there is."""

    def fit(self, graphs: Iterable[Graph]) -> None:
        """See `FittedModel`. Raises `DataError` if there are no frames."""
        n = self.info.num_particles
        parts = [(frames_of(g, keys.POS, n), g.get(keys.FORCES)) for g in graphs]
        if not parts:
            raise DataError("the training split has no frames")
        x = torch.cat([x for x, _ in parts]).double()
        known = all(f is not None for _, f in parts)
        forces = torch.cat([f.view(-1, n, 3) for _, f in parts]).double() if known else None
        self.prepare(x, forces)


def system_of(info: DataInfo) -> System:
    """Return the particles that an autoencoder was made for."""
    return System(
        types=np.array(info.particle_types), masses=np.array(info.masses), type_names=info.type_names,
        bonds=np.array(info.bonds, np.int64).reshape(-1, 2), atom_names=tuple(info.atom_names),
        residue_names=tuple(info.residue_names), residues=np.array(info.residues, np.int64),
    )  # fmt: skip


def center_weights(info: DataInfo) -> Tensor:
    """Masses `[particles]` float64, or ones where a particle has none: weights of centres."""
    masses = torch.tensor(info.masses, dtype=torch.float64)
    return masses if bool((masses > 0).all()) else torch.ones_like(masses)
