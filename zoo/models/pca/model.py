"""Principal components of centred frames."""

from __future__ import annotations

import torch
from pydantic import Field
from torch import Tensor

from zoo.coarse.moments import second_moment
from zoo.config import Strict
from zoo.data.info import DataInfo
from zoo.errors import ConfigError
from zoo.models.autoencoder import FittedAutoencoder
from zoo.physics.superpose import centered, superposed


class PCAConfig(Strict):
    """How many components, of what."""

    beads: int | None = Field(None, ge=1, description="components over particles, the same for x, y and z")
    latent: int | None = Field(None, ge=1, description="components over all coordinates of superposed frames")


class PCA(FittedAutoencoder):
    """With `beads`: z = Uᵀ x, U the leading eigenvectors of ⟨Σ_d x_d x_dᵀ⟩ about the centre.

    No map to so many beads with a linear decoder has a smaller square error over the training split: it is a
    matrix of that rank (Eckart & Young 1936). With `latent`: components of superposed frames about their
    mean, `[batch, latent]`, what a latent of so many numbers is compared to; structures are then decoded in
    the mean's orientation.

    Raises:
        ConfigError: neither or both are given, or more than there are coordinates.
    """

    config: PCAConfig
    components: Tensor  # [particles, beads] or [3 particles, latent]
    mean: Tensor  # [particles, 3]

    def __init__(self, config: PCAConfig, info: DataInfo) -> None:
        super().__init__(config, info)
        if (config.beads is None) == (config.latent is None):
            raise ConfigError("pca needs either model.beads or model.latent")
        rows = info.num_particles * (1 if config.beads else 3)
        number = config.beads or config.latent or 1
        if number > rows:
            raise ConfigError(f"pca: {number} components of {rows} coordinates")
        self.register_buffer("components", torch.zeros(rows, number, dtype=torch.float64))
        self.register_buffer("mean", torch.zeros(info.num_particles, 3, dtype=torch.float64))
        self.superposed = config.latent is not None  # type: ignore[misc]

    @property
    def bottleneck(self) -> dict[str, int]:
        """See `AutoencoderModel`."""
        return {"beads": self.config.beads} if self.config.beads else {"latent": self.config.latent or 1}

    def prepare(self, x: Tensor, forces: Tensor | None) -> None:
        """See `AutoencoderModel`: finds the components."""
        x = centered(x.double())
        if self.config.beads:
            moment = second_moment(x)
        else:
            mean = x[0]
            for _ in range(3):  # to the mean structure and back, a few times
                x = superposed(x, mean)
                mean = x.mean(0)
            self.mean.copy_(mean)
            off = (x - mean).flatten(1)
            moment = off.T @ off / len(off)
        self.components.copy_(torch.linalg.eigh(moment).eigenvectors[:, -self.components.shape[1] :].flip(1))

    def encode(self, x: Tensor) -> Tensor:
        """Return z; with `beads`, `[batch, beads + 1, 3]`: the last row is the centre."""
        u = self.components.to(x)
        if self.config.beads:
            return torch.cat([u.T @ centered(x), x.mean(-2, keepdim=True)], -2)
        return (superposed(x, self.mean.to(x)) - self.mean.to(x)).flatten(1) @ u

    def decode(self, z: Tensor) -> Tensor:
        """Return `[batch, particles, 3]`."""
        u = self.components.to(z)
        if self.config.beads:
            return u @ z[..., :-1, :] + z[..., -1:, :]
        return (z @ u.T).view(-1, *self.mean.shape) + self.mean.to(z)
