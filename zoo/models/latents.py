"""The latent space of a model of conformations: there, back, and what of it does not turn with the frame."""

from __future__ import annotations

from abc import ABC, abstractmethod
from itertools import combinations

import numpy as np
import torch
from torch import Tensor

from zoo.analysis.peptides import named_torsions
from zoo.data.system import System
from zoo.errors import ConfigError
from zoo.models.autoencoder import AutoencoderModel
from zoo.models.base import ZooModel
from zoo.models.density import DensityModel
from zoo.physics.coordinates import InternalCoordinates
from zoo.physics.superpose import superposed

#: Beads whose distances are all taken; of more, distances of as many of them, evenly spaced.
MOST_BEADS = 24


class Latent(ABC):
    """Numbers that a conformation is reduced to.

    `point` is what can be decoded, `describe` what does not change when the molecule is moved or turned:
    for many models the same.

    Args:
        model: in evaluation mode; its precision is that of the results.

    Attributes:
        periods: of each column of `point`; None of a plain one.
        names: of the columns of `describe`.
    """

    periods: list[float | None]
    names: list[str]

    def __init__(self, model: ZooModel) -> None:
        self.model = model.eval()
        side = torch.tensor(model.info.reference, dtype=torch.float64)
        self.reference = torch.nn.functional.pad(side, (0, 3 - side.shape[1]))

    def cast(self, x: np.ndarray | Tensor) -> Tensor:
        """Positions `[n, particles, 3]` in the model's precision and on its device."""
        weights = [*self.model.parameters(), *self.model.buffers()]
        like = next((w for w in weights if w.is_floating_point()), torch.zeros(()))
        return torch.as_tensor(np.asarray(x) if isinstance(x, np.ndarray) else x).to(like)

    @abstractmethod
    def point(self, x: Tensor) -> Tensor:
        """Return `[n, d]` of positions `[n, particles, 3]`; differentiable."""

    @abstractmethod
    def structure(self, point: Tensor) -> Tensor:
        """Return positions `[n, particles, 3]` of points."""

    def describe(self, x: Tensor) -> Tensor:
        """Return `[n, columns]` of positions; differentiable."""
        return self.point(x)

    def upright(self, x: Tensor) -> Tensor:
        """Frames turned onto the reference structure."""
        return superposed(x, self.reference.to(x))


class Numbers(Latent):
    """z `[n, latents]` of an autoencoder; frames are turned onto the reference where it would matter."""

    model: AutoencoderModel

    def __init__(self, model: AutoencoderModel, size: int) -> None:
        super().__init__(model)
        self.names, self.periods = [f"z{k + 1}" for k in range(size)], [None] * size

    def point(self, x: Tensor) -> Tensor:
        """See `Latent`."""
        return self.model.encode(x if self.model.superposed else self.upright(x))

    def structure(self, point: Tensor) -> Tensor:
        """See `Latent`."""
        return self.model.decode(point)


class Beads(Latent):
    """Positions of beads, of frames that were turned onto the reference; described by their distances."""

    model: AutoencoderModel

    def __init__(self, model: AutoencoderModel, beads: int) -> None:
        super().__init__(model)
        self.periods = [None] * (3 * beads)
        picked = np.unique(np.linspace(0, beads - 1, min(beads, MOST_BEADS)).round().astype(int))
        self.pairs = torch.tensor(list(combinations(picked.tolist(), 2)), dtype=torch.long).view(-1, 2)
        self.names = [f"d{i + 1},{j + 1}" for i, j in self.pairs.tolist()]

    def point(self, x: Tensor) -> Tensor:
        """See `Latent`."""
        return self.model.encode(self.upright(x)).flatten(1)

    def structure(self, point: Tensor) -> Tensor:
        """See `Latent`."""
        return self.model.decode(point.unflatten(1, (-1, 3)))

    def describe(self, x: Tensor) -> Tensor:
        """See `Latent`: distances between beads, in the unit of length."""
        z = self.model.encode(x)
        apart = z[:, self.pairs[:, 0]] - z[:, self.pairs[:, 1]]
        return apart.square().sum(-1).clamp_min(1e-24).sqrt()


class Base(Latent):
    """Where a flow's base has a conformation; Cartesian frames are turned onto the reference first."""

    model: DensityModel

    def __init__(self, model: DensityModel, system: System | None) -> None:
        super().__init__(model)
        with torch.no_grad():
            self.point(self.cast(self.reference)[None])  # raises where there is no base
        coordinates, periods = model.coordinates, model.base_periods
        size = coordinates.dimension
        self.periods = [*periods, *[None] * (size - len(periods))]
        self.names = [f"u{k + 1}" for k in range(size)]
        if isinstance(coordinates, InternalCoordinates) and system is not None:
            for k, label in _torsion_names(coordinates, system).items():
                self.names[k] = f"u({label})"

    def point(self, x: Tensor) -> Tensor:
        """See `Latent`."""
        coordinates = self.model.coordinates
        upright = x if coordinates.lost != "centre" else self.upright(x)
        return self.model.to_base(coordinates.from_cartesian(upright)[0])

    def structure(self, point: Tensor) -> Tensor:
        """See `Latent`."""
        return self.model.coordinates.to_cartesian(self.model.from_base(point))[0]


def latent_of(model: ZooModel, system: System | None = None) -> Latent:
    """Return the latent space of an autoencoder or of a flow.

    Args:
        model: in any mode; it is put into evaluation mode.
        system: whose names of torsions the columns of a flow's base are called by.

    Raises:
        ConfigError: the model has none.
    """
    if isinstance(model, AutoencoderModel):
        space = Numbers(model, 0)  # how wide it is shows when a structure is encoded
        with torch.no_grad():
            shape = model.encode(space.cast(space.reference)[None]).shape
        return Numbers(model, shape[1]) if len(shape) == 2 else Beads(model, shape[1])
    if isinstance(model, DensityModel):
        return Base(model, system)
    raise ConfigError(f"{type(model).__name__} has no latent space that can be decoded, only layers")


def _torsion_names(coordinates: InternalCoordinates, system: System) -> dict[int, str]:
    """Names of circular columns that turn about the bond of a named torsion."""
    known = {frozenset(atoms[1:3]): name for name, atoms in named_torsions(system).items()}
    middle = [frozenset(row) for row in coordinates.quadruples[:, 1:3].tolist()]
    return {k: known[bond] for k, bond in enumerate(middle) if bond in known}
