"""One sound density, and what can be wrong with it, one thing at a time."""

from __future__ import annotations

import math

import torch
from pydantic import Field
from torch import Tensor, nn

from zoo.models.density import DensityConfig, DensityModel


class Config(DensityConfig):
    gain: float = Field(1.0, gt=0)


class Sound(DensityModel):
    """Angles by a bent uniform density, everything else normal, with a mean that follows the angles."""

    def __init__(self, config, info) -> None:
        super().__init__(config, info)
        self.circular = self.coordinates.circular
        local = self.coordinates.dimension - self.circular
        self.register_buffer("mean", torch.zeros(local, dtype=torch.float64))
        self.register_buffer("width", torch.ones(local, dtype=torch.float64))
        self.register_buffer("widening", torch.ones((), dtype=torch.float64))
        self.shift = nn.Parameter(torch.zeros(local))
        self.log_scale = nn.Parameter(torch.zeros(local))

    def prepare(self, target, positions) -> None:
        local = self.coordinates.from_cartesian(positions)[0][:, self.circular :]
        self.mean.copy_(local.mean(0))
        self.width.copy_(local.std(0))

    def rescale(self, factor) -> None:
        self.widening.fill_(factor)

    def draw(self, n, generator=None):
        like = self.shift
        noise = torch.randn(n, len(self.mean), generator=generator, dtype=like.dtype)
        period = torch.tensor(self.coordinates.periods, dtype=like.dtype)
        angle = (torch.rand(n, self.circular, generator=generator, dtype=like.dtype) - 0.5) * period
        local = self.mean.to(like) + self.unit * (self.shift + self.log_scale.exp() * noise)
        q = torch.cat([angle, local], 1)
        return q, self.log_density(q)

    @property
    def unit(self) -> Tensor:
        return (self.config.gain * self.widening.sqrt() * self.width).to(self.shift)

    def noise(self, q: Tensor) -> Tensor:
        white = (q[:, self.circular :] - self.mean.to(q)) / self.unit
        return (white - self.shift) * (-self.log_scale).exp()

    def log_density(self, q):
        volume = self.log_scale.sum() + self.unit.log().sum()
        circle = sum(math.log(p) for p in self.coordinates.periods)
        z = self.noise(q)
        return -0.5 * z.square().sum(1) - 0.5 * z.shape[1] * math.log(2 * math.pi) - volume - circle


class OwnRandomNumbers(Sound):
    """Takes its noise from the clock."""

    def draw(self, n, generator=None):
        return super().draw(n, None)


class WrongShapeOfDraws(Sound):
    """Densities with an axis too many."""

    def draw(self, n, generator=None):
        q, log_q = super().draw(n, generator)
        return q, log_q[:, None]


class ForgetsVolume(Sound):
    """Draws say their density without the Jacobian of their scale."""

    def draw(self, n, generator=None):
        q, log_q = super().draw(n, generator)
        return q, log_q + self.log_scale.sum()


class NotNormalised(Sound):
    """Half a constant is missing, in both directions."""

    def log_density(self, q):
        return super().log_density(q) + 0.5 * math.log(2 * math.pi)


class DrawsTooNarrow(Sound):
    """Says the right density of draws that are from another one."""

    def draw(self, n, generator=None):
        q = super().draw(n, generator)[0]
        middle = self.mean.to(q) + self.unit * self.shift
        local = middle + 0.9 * (q[:, self.circular :] - middle)
        q = torch.cat([q[:, : self.circular], local], 1)
        return q, self.log_density(q)


class ForgetsExchange(Sound):
    """Samples in the order of q, with the density of any order."""

    def sample(self, n, generator=None):
        x, log_q = super().sample(n, generator)
        return x, log_q + 1.0


class HalfGradient(Sound):
    """The scale moves the draws, but their gradient does not know."""

    def draw(self, n, generator=None):
        scale = self.log_scale.data
        q, log_q = super().draw(n, generator)
        z = self.noise(q).detach()
        local = self.mean.to(q) + self.unit * (self.shift + scale.exp() * z)
        return torch.cat([q[:, : self.circular], local], 1), log_q


class NoGradientByCoordinates(Sound):
    """Looks at a copy of half of the coordinates."""

    def log_density(self, q):
        odd = torch.arange(q.shape[1]) % 2 == 1
        return super().log_density(torch.where(odd, q.detach(), q + 0.0 * q))


class RescalesDrawsAlone(Sound):
    """Hot draws, cold densities."""

    def draw(self, n, generator=None):
        q, log_q = super().draw(n, generator)
        return q, log_q - 0.5 * len(self.mean) * self.widening.log().to(log_q)


class DrawsNotSaved(Sound):
    """Turns its noise by signs that are kept beside the state: the density is the same."""

    def __init__(self, config, info) -> None:
        super().__init__(config, info)
        self.signs = [torch.randint(2, (len(self.mean),)) * 2 - 1]

    def draw(self, n, generator=None):
        q = super().draw(n, generator)[0]
        middle = self.mean.to(q) + self.unit * self.shift
        local = middle + self.signs[0] * (q[:, self.circular :] - middle)
        q = torch.cat([q[:, : self.circular], local], 1)
        return q, self.log_density(q)


class Unprintable(Sound):
    """A line of its own that says nothing."""

    def __repr__(self) -> str:
        return ""
