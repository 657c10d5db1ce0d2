"""A variational autoencoder of internal coordinates, with graph attention as its encoder."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zoo.data.info import DataInfo
from zoo.graphs import Segments
from zoo.models.activation import SiLU
from zoo.models.autoencoder import AutoencoderModel, Objective
from zoo.models.edges import Edges
from zoo.models.gat.model import AttentionLayer, Radial
from zoo.models.gat_autoencoder.config import GATAutoencoderConfig
from zoo.models.gat_autoencoder.features import PER_ATOM, Coordinates, InternalFeatures
from zoo.models.gat_autoencoder.noise import Noise, kl
from zoo.physics.superpose import superposed

#: Kinds of edges of the molecular graph; see `InternalFeatures.edges`.
KINDS = 3
#: Rows that are drawn at a time.
CHUNK = 4096


class GATAutoencoder(AutoencoderModel):
    """z `[batch, latent]` of bonds, angles and torsions, and back; p(z) is standard normal.

    Loss, in nats:

        d²(q, decoded q) / 2r² + KL(p(z|x) ‖ p(z)),    z drawn from p(z|x)

    (Kingma & Welling 2014), d² being about the square of the RMSD (`InternalFeatures.square_distance`) and r
    the resolution. The noise that z does not explain is kept beside it, for draws (`Noise`). Invariant by its
    features; nothing is known of where the molecule is and how it is turned, so `decode` gives structures
    about the origin in an orientation of their own, and `reconstruct` turns them onto x. The hydrogens of a
    methyl are alike: which is which is taken from x as well.

    A normal latent is a plane and torsions live on circles, so the encoder must tear: neighbouring
    conformations on both sides of a tear have latents far apart. It learns to tear where the data is not.

    Raises:
        ConfigError: a system without bonds.
        DataError: bonds that do not connect all particles, or fewer than four of them.
    """

    config: GATAutoencoderConfig
    superposed = True

    def __init__(self, config: GATAutoencoderConfig, info: DataInfo) -> None:
        super().__init__(config, info)
        self.features = InternalFeatures(info)
        torsions, local = self.features.num_torsions, self.features.num_local
        self.encoder = Encoder(self.features, config, info)
        width, layers = config.decoder_channels, []
        for i in range(config.decoder_layers):
            layers += [nn.Linear(width if i else config.latent, width), SiLU()]
        self.decoder = nn.Sequential(*layers, nn.Linear(width, 2 * torsions + local))
        self.noise = Noise(torsions, local)

    @property
    def bottleneck(self) -> dict[str, int]:
        """See `AutoencoderModel`."""
        return {"latent": self.config.latent}

    def prepare(self, x: Tensor, forces: Tensor | None) -> None:
        """See `AutoencoderModel`: means and widths of bonds and angles."""
        self.features.prepare(x.double())

    # --- there and back ---------------------------------------------------------------------------

    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance of p(z|x), `[batch, latent]` each, of x `[batch, particles, 3]`."""
        return self._posterior(self.features(x))

    def encode(self, x: Tensor) -> Tensor:
        """Return the mean of p(z|x), `[batch, latent]`."""
        return self.posterior(x)[0]

    def decode(self, z: Tensor) -> Tensor:
        """Return `[batch, particles, 3]` about the origin, the seeds of the Z-matrix in the xy plane."""
        return self.features.positions(self._coordinates(z))

    def reconstruct(self, x: Tensor) -> Tensor:
        """Return decode(encode(x)), turned onto x, with hydrogens of methyls labelled as in x."""
        decoded = self.features.coordinates.labelled_like(self.decode(self.encode(x)), x)
        return superposed(decoded, x)

    @torch.no_grad()
    def draw(self, z: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Draw from p(x|z), `[batch, particles, 3]`: with the noise that z does not explain."""
        drawn = self.noise.draw(self._coordinates(z), generator)
        limit = self.features.reach().to(z)
        return self.features.positions(drawn._replace(local=drawn.local.clamp(-limit, limit)))

    @torch.no_grad()
    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """Draw n structures `[n, particles, 3]`: z of the prior, x of p(x|z)."""
        like = self.encoder.embedding
        z = torch.randn(n, self.config.latent, generator=generator, dtype=like.dtype, device=like.device)
        return torch.cat([self.draw(part, generator) for part in z.split(CHUNK)])

    # --- training ---------------------------------------------------------------------------------

    def objective(self, x: Tensor, forces: Tensor | None, progress: float) -> Objective:
        """See the class. In evaluation the noise of z is the same each time, and `mse` is logged as well."""
        found = self.features(x)
        mean, log_variance = self._posterior(found)
        z = mean + (0.5 * log_variance).exp() * self._standard_normal(mean)
        decoded = self._coordinates(z)
        square = self.features.square_distance(found, decoded)
        divergence = kl(mean, log_variance)
        rise = min(1.0, progress / self.config.kl_warmup) if self.config.kl_warmup else 1.0
        loss = 0.5 * square / self.config.resolution**2 + rise * divergence
        logs = {"kl": divergence.mean(), "square": square.mean()}
        if self.training:
            self.noise.update(found, decoded)
        else:
            with torch.no_grad():
                logs["mse"] = (self.reconstruct(x) - x).square().mean()
        return loss.mean(), {name: value.detach() for name, value in logs.items()}

    def _standard_normal(self, like: Tensor) -> Tensor:
        if self.training:
            return torch.randn_like(like)
        seed = torch.Generator().manual_seed(0)
        return torch.randn(like.shape, generator=seed, dtype=like.dtype).to(like.device)

    # --- inside -----------------------------------------------------------------------------------

    def _posterior(self, found: Coordinates) -> tuple[Tensor, Tensor]:
        mean, log_variance = self.encoder(self.features.by_atom(found)).chunk(2, 1)
        return mean, log_variance

    def _coordinates(self, z: Tensor) -> Coordinates:
        raw = self.decoder(z)
        split = 2 * self.features.num_torsions
        pairs = raw[:, :split].unflatten(1, (-1, 2))
        unit = pairs * (pairs.square().sum(-1, keepdim=True) + 1e-6).rsqrt()
        return Coordinates(unit, self.features.bounded(raw[:, split:]))


class Encoder(nn.Module):
    """Each atom begins with its own bond, angle and torsion; attention goes along the molecular graph.

    Edges are bonds and the references of the Z-matrix, which know their kind. Each atom has its own weights
    on the way in and on the way out, as the molecule is always the same one.

    Args:
        features: of the molecule.
        config: sizes.
        info: for its bonds.
    """

    edges: Tensor  # [2, edges], sender and receiver
    kinds: Tensor  # [edges, KINDS], one of each row is 1

    def __init__(self, features: InternalFeatures, config: GATAutoencoderConfig, info: DataInfo) -> None:
        super().__init__()
        channels, atoms = config.hidden_channels, info.num_particles
        self.enter = nn.Parameter(torch.randn(atoms, PER_ATOM, channels) / PER_ATOM**0.5)
        self.embedding = nn.Parameter(torch.randn(atoms, channels))
        self.layers = nn.ModuleList(
            AttentionLayer(channels, config.heads, KINDS, 0.0) for _ in range(config.num_layers)
        )
        self.norm = nn.LayerNorm(channels)
        self.leave = nn.Linear(atoms * channels, 2 * config.latent)
        edges, kinds = features.edges(info.bonds)
        self.register_buffer("edges", edges, persistent=False)
        self.register_buffer("kinds", nn.functional.one_hot(kinds, KINDS), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Features of atoms `[batch, particles, PER_ATOM]` → `[batch, 2 latent]`."""
        batch, atoms, _ = x.shape
        h = (torch.einsum("baf,afc->bac", x, self.enter) + self.embedding).flatten(0, 1)
        edges, kinds = self._repeated(batch, atoms, x)
        for layer in self.layers:
            h = layer(h, edges, kinds)
        return self.leave(self.norm(h).view(batch, -1))

    def _repeated(self, batch: int, atoms: int, like: Tensor) -> tuple[Edges, Radial]:
        """The molecule's edges once for each row; kinds stand where `gat` has functions of the distance."""
        first = torch.arange(batch, device=like.device)[:, None] * atoms
        send, receive = ((column + first).flatten() for column in self.edges)
        kinds = self.kinds.to(like).repeat(batch, 1)
        one = like.new_ones(len(kinds), 1)
        edges = Edges(
            Segments.unsorted(send, batch * atoms), Segments.sorted(receive, batch * atoms), one[:, 0], None
        )
        return edges, Radial(kinds, one)
