"""One sound autoencoder, and what can be wrong with it, one thing at a time."""

from __future__ import annotations

import torch
from pydantic import Field
from torch import Tensor, nn

from zoo.coarse.maps import CoarseMap, projection
from zoo.config import Strict
from zoo.models.autoencoder import AutoencoderModel, BeadAutoencoder, FittedAutoencoder, SplitAutoencoder


class Config(Strict):
    beads: int = Field(5, ge=1)


class Sound(BeadAutoencoder):
    """Soft beads and a linear decoder, which move with the molecule; draws have noise of their own."""

    def __init__(self, config, info) -> None:
        super().__init__(config, info)
        n = info.num_particles
        self.logits = nn.Parameter(torch.randn(config.beads, n))
        self.decoder = nn.Parameter(torch.randn(n, config.beads) / config.beads)
        self.register_buffer("spread", torch.ones((), dtype=torch.float64))

    @property
    def bottleneck(self):
        return {"beads": self.config.beads}

    @property
    def to_beads(self) -> Tensor:
        return self.logits.softmax(1)

    def prepare(self, x, forces) -> None:
        self.spread.copy_((x - x.mean(1, keepdim=True)).std())

    def encode(self, x):
        return self.to_beads @ x

    def decode(self, z):
        rest = (1 - self.decoder.sum(1, keepdim=True)) / self.config.beads
        return (self.decoder + rest) @ z

    def draw(self, z, generator=None):
        noise = torch.randn(len(z), self.info.num_particles, 3, generator=generator, dtype=z.dtype)
        return self.decode(z) + 0.1 * self.spread.to(z) * noise

    def objective(self, x, forces, progress):
        loss, logs = super().objective(x, forces, progress)
        return loss / self.spread.to(x).square(), logs

    def coarse_map(self):
        c = self.to_beads.detach().double().numpy()
        return CoarseMap(c, projection(c), c.argmax(0))


class WrongShapeOfLatents(Sound):
    """Beads with their coordinates in front."""

    def encode(self, x):
        return super().encode(x).mT

    def decode(self, z):
        return super().decode(z.mT)


class ForwardForgets(Sound):
    """Returns reconstructions about another origin than `reconstruct` has."""

    def forward(self, graph):
        return super().forward(graph) + 1


class LooksAtTheBatch(Sound):
    """Beads about the mean of the batch."""

    def encode(self, x):
        z = super().encode(x)
        return z + 0.1 * (z - z.mean(0)) if len(x) > 1 else z


class CentresInPlace(Sound):
    """Moves the frames that it is given."""

    def encode(self, x):
        with torch.no_grad():
            x += 0.0
            x -= 0.1
        return super().encode(x)


class StaysBehind(Sound):
    """Decodes about the origin."""

    def decode(self, z):
        x = super().decode(z)
        return x - x.mean(1, keepdim=True)


class StretchesAnAxis(Sound):
    """Knows where up is."""

    def encode(self, x):
        z = super().encode(x)
        return z + (z - x.mean(1, keepdim=True)) * x.new_tensor([0.0, 0.0, 0.1])


class OwnRandomNumbers(Sound):
    """Takes its noise from the clock."""

    def draw(self, z, generator=None):
        return super().draw(z, None)


class DrawsOneStructure(Sound):
    """Overrides `draw` for nothing."""

    def draw(self, z, generator=None):
        return self.decode(z)


class LossOfEachFrame(Sound):
    """Forgets to average."""

    def objective(self, x, forces, progress):
        return (self.reconstruct(x) - x).square().mean((1, 2)), {}


class LossOfNothing(Sound):
    """Cuts the graph off half-way through the training."""

    def objective(self, x, forces, progress):
        loss, logs = super().objective(x, forces, progress)
        return (loss if progress < 0.5 else loss.detach()), logs


class EncodesWithoutGradient(Sound):
    """Latents of a copy of half of the particles."""

    def encode(self, x):
        odd = torch.arange(x.shape[1])[:, None] % 2 == 1
        return super().encode(torch.where(odd, x.detach(), x))


class MapOfAnother(Sound):
    """Says that its beads are sums of other particles."""

    def coarse_map(self):
        c = self.to_beads.detach().double().flip(1).numpy()
        return CoarseMap(c, projection(c), c.argmax(0))


class BeadsNotSaved(Sound):
    """Keeps an order of its beads beside the state."""

    def __init__(self, config, info) -> None:
        super().__init__(config, info)
        self.order = torch.randperm(config.beads).tolist()

    def encode(self, x):
        return super().encode(x)[:, self.order]

    def decode(self, z):
        return super().decode(z[:, torch.tensor(self.order).argsort()])


class Unused(Sound):
    """Has a parameter that the loss does not depend on."""

    def __init__(self, config, info) -> None:
        super().__init__(config, info)
        self.idle = nn.Parameter(torch.zeros(3))


class StopsGradients(Sound):
    """The loss moves with the decoder, its gradient does not."""

    def objective(self, x, forces, progress):
        loss, logs = super().objective(x, forces, progress)
        return loss + self.decoder.detach().square().sum(), logs


class Climbs(Sound):
    """Trained by the wrong sign."""

    def objective(self, x, forces, progress):
        loss, logs = super().objective(x, forces, progress)
        return 1e3 - loss + 2 * loss.detach(), logs


class Whole(Sound, SplitAutoencoder):
    """Trained by what it keeps of all frames; its map is not to be had frame by frame."""

    def __init__(self, config, info) -> None:
        super().__init__(config, info)
        n = info.num_particles
        self.register_buffer("moment", torch.zeros(n, n), persistent=False)

    def prepare(self, x, forces) -> None:
        super().prepare(x, forces)
        x = x - x.mean(1, keepdim=True)
        self.moment.copy_(torch.einsum("bid,bjd->ij", x, x) / len(x))

    def split_objective(self, progress):
        rest = (1 - self.decoder.sum(1, keepdim=True)) / self.config.beads
        left = torch.eye(len(self.moment)).to(self.decoder) - (self.decoder + rest) @ self.to_beads
        return torch.einsum("ij,jk,ik->", left, self.moment.to(left), left), {}


class Latent(AutoencoderModel):
    """Distances from the first particle, in a few numbers; decodes to one place."""

    superposed = True

    def __init__(self, config, info) -> None:
        super().__init__(config, info)
        n = info.num_particles
        self.enter = nn.Linear(n - 1, config.beads)
        self.leave = nn.Linear(config.beads, 3 * n)

    @property
    def bottleneck(self):
        return {"latent": self.config.beads}

    def encode(self, x):
        return self.enter((x[:, 1:] - x[:, :1]).norm(dim=2)).tanh()

    def decode(self, z):
        return self.leave(z).unflatten(1, (-1, 3))

    def objective(self, x, forces, progress):
        off = self.reconstruct(x) - (x - x.mean(1, keepdim=True))
        return off.square().mean(), {}


class TurnsWithTheFrame(Latent):
    """Latents of coordinates, which know how the molecule is turned."""

    def encode(self, x):
        return self.enter((x[:, 1:] - x[:, :1])[..., 0]).tanh()


class MoreLatentsThanSaid(Latent):
    """Says that it has one number less."""

    @property
    def bottleneck(self):
        return {"latent": self.config.beads - 1}


class Fitted(FittedAutoencoder):
    """The mean structure, moved to where the frame is."""

    superposed = True

    def __init__(self, config, info) -> None:
        super().__init__(config, info)
        self.register_buffer("mean", torch.zeros(info.num_particles, 3, dtype=torch.float64))

    def prepare(self, x, forces) -> None:
        self.mean.copy_(x[0] - x[0].mean(0))

    def encode(self, x):
        return (x[:, 1] - x[:, 0]).norm(dim=1, keepdim=True)

    def decode(self, z):
        return self.mean.to(z) * (1 + 0.001 * z[:, :, None])


class FittedToNothing(Fitted):
    """Finds the mirror image, twice as large."""

    def prepare(self, x, forces) -> None:
        super().prepare(x, forces)
        self.mean.mul_(-2)
