"""Variational decoder of beads, after CGVAE (Wang et al., ICML 2022)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from zoo.coarse.beads import bead_system
from zoo.coarse.maps import CoarseMap
from zoo.coarse.schemes import scheme
from zoo.data.info import DataInfo
from zoo.data.system import System
from zoo.errors import ConfigError
from zoo.models.autoencoder import BeadAutoencoder, Objective, system_of
from zoo.models.cg_vae.config import CGVAEConfig
from zoo.models.cg_vae.latent import Gaussian, bounded, divergence
from zoo.models.cg_vae.network import Edges, Network
from zoo.models.cg_vae.start import LocalDecoder
from zoo.models.cg_vae.strain import Strain

#: Beads of segments and random maps unless told.
BEADS = 6
#: Maps that take a number of beads.
COUNTED = ("segments", "random")
#: Least spread of a distance, in bonds.
STIFF = 0.03
#: Positions that statistics are taken of before training, at most: distances would fill the memory.
MOST = 4_000_000
#: Weight of the square error of the most likely structure: low, as what beads leave open would blur it.
LIKELY = 0.1
#: Vectors of the beads that the offsets of atoms are measured by: a frame has three.
FRAME = 3


class Context(NamedTuple):
    """What the beads alone tell.

    Args:
        scalars: `[batch, beads, channels]`.
        vectors: `[batch, beads, 3, channels]`.
        features, to: see `Edges`.
        start: `[batch, particles, 3]` where particles lie on average; see `LocalDecoder`.
        z: `[batch, beads, 3]`.
    """

    scalars: Tensor
    vectors: Tensor
    features: Tensor
    to: Tensor
    start: Tensor
    z: Tensor

    def twice(self) -> Context:
        """The batch behind itself."""
        return Context(*(torch.cat([part, part]) for part in self))


class CGVAE(BeadAutoencoder):
    """p(x | z) = ∫ p(x | z, ξ) p(ξ | z) dξ: beads at z = C x have many structures, told apart by ξ.

    Prior p(ξ | z), posterior q(ξ | x, z) and decoder are networks on the graph of beads, with scalars and
    vectors. A particle lies where `LocalDecoder` puts it, moved by a combination of its bead's vectors with
    weights of its own and of its kind (names of residue and atom); then each group is shifted so that
    C x̂ = z holds exactly. x̂ turns and moves with z, but is no mirror image when z is one:
    three beads are their own mirror image, and molecules are not. Training minimises

        ⟨|x̂ − x|²⟩/ℓ² + weight · KL(q ‖ p)/3N + weight · (strain of bonds)²/ℓ²,

    ℓ being the mean bond; the last term (`Strain`) also where ξ comes from the prior, half of the time its
    mean: of the square error alone, the hydrogens of a methyl would lie on its axis. `reconstruct` takes the
    posterior's mean, and thus sees more than z; `decode` takes the prior's mean.

    Raises:
        ConfigError: fewer than three beads, which leave a turn about an axis open, or a particle without one.
    """

    config: CGVAEConfig
    to_beads: Tensor  # [beads, particles]
    group: Tensor  # [particles]
    kinds: Tensor  # [particles]
    types: Tensor  # [beads]
    length: Tensor  # unit of length

    def __init__(self, config: CGVAEConfig, info: DataInfo) -> None:
        super().__init__(config, info)
        system = system_of(info)
        counted = config.map in COUNTED and config.beads is None
        self._map = scheme(config.map, system, BEADS if counted else config.beads)
        beads = self._map.num_beads
        if beads < 3:
            raise ConfigError(
                f"map {config.map!r} has {beads} beads here; cg-vae needs three to tell how they lie"
            )
        if (self._map.group < 0).any():
            raise ConfigError(f"map {config.map!r} leaves particles without a bead")
        self._buffers_of(system)
        grain = bead_system(system, self._map)
        bonded = torch.zeros(beads, beads, dtype=torch.bool)
        i, j = torch.from_numpy(grain.bonds).T
        bonded[i, j] = bonded[j, i] = True
        c = config.hidden_channels
        self.strain = Strain(system.bonds)
        self.edges = Edges(beads, config.neighbors, bonded, c)
        self.start = LocalDecoder(self.group, beads, self.edges.index.shape[1])
        self.kind_of_bead = nn.Embedding(int(grain.types.max()) + 1, c)
        self.own_of_bead = nn.Parameter(0.1 * torch.randn(beads, c))
        self.before, self.after = Network(c, config.layers), Network(c, config.layers)
        self.prior_head = nn.Sequential(nn.Linear(c, c), nn.SiLU(), nn.Linear(c, 2 * config.latent))
        self.listen = nn.Parameter(torch.randn(info.num_particles, c) / c**0.5)
        self.frame = nn.Linear(c, FRAME * c, bias=False)
        self.posterior_head = nn.Sequential(
            nn.Linear((FRAME + 2) * c, c),
            nn.SiLU(),
            nn.Linear(c, c),
            nn.SiLU(),
            nn.Linear(c, 2 * config.latent),
        )
        self.enter = nn.Linear(config.latent, c)
        self.kind_weights = nn.Parameter(0.1 * torch.randn(int(self.kinds.max()) + 1, c) / c**0.5)
        self.own_weights = nn.Parameter(torch.zeros(info.num_particles, c))

    def _buffers_of(self, system: System) -> None:
        """What the map and the system say, and room for what `prepare` finds."""
        types = torch.from_numpy(bead_system(system, self._map).types)
        for name, value in (
            ("to_beads", torch.from_numpy(self._map.positions)),
            ("group", torch.from_numpy(self._map.group)),
            ("kinds", _kinds(system)),
            ("types", types),
        ):
            self.register_buffer(name, value, persistent=False)
        self.register_buffer("length", torch.ones(()))

    # --- training ----------------------------------------------------------------------------------

    def prepare(self, x: Tensor, forces: Tensor | None) -> None:
        """See `AutoencoderModel`: neighbours of beads, where particles lie about them, usual distances."""
        x = x[:: -(-x[..., 0].numel() // MOST)].double()
        z = self.to_beads.double() @ x
        self.strain.prepare(x)
        around = (x - z[:, self.group]).square().sum(-1).mean().sqrt()
        self.length.copy_(self.strain.length if self.strain.bonds else around)
        self.edges.prepare(z, STIFF * float(self.length))
        self.start.prepare(x, z, self.edges.index)

    def objective(self, x: Tensor, forces: Tensor | None, progress: float) -> Objective:
        """See the class; in validation means stand for draws."""
        config = self.config
        context = self._context(self.encode(x))
        prior = self._prior(context)
        posterior = self._posterior(x, context, prior)
        kl = divergence(posterior, prior).mean() / x[0].numel()
        half = (len(x) + 1) // 2
        ways = [posterior.mean, prior.mean]
        if self.training:  # from the beads alone: half are the most likely structures, half are draws
            ways = [posterior.draw(), torch.cat([prior.mean[:half], prior.draw()[half:]])]
        rebuilt, drawn = self._decode(torch.cat(ways), context.twice()).chunk(2)
        mse = (rebuilt - x).square().mean()
        decoded = (drawn[:half] - x[:half]).square().mean()
        strain = self.strain(rebuilt) + self.strain(drawn)
        rise = min(1.0, progress / config.kl_warmup) if config.kl_warmup else 1.0
        unit = self.length.square()
        loss = (
            (mse + LIKELY * decoded) / unit
            + rise * config.kl_weight * kl
            + config.bond_weight * strain / unit
        )
        logs = {"mse": mse, "kl": kl, "strain": strain, "decode_mse": decoded}
        return loss, {name: value.detach() for name, value in logs.items()}

    # --- the three distributions -------------------------------------------------------------------

    def _context(self, z: Tensor) -> Context:
        edges = self.edges(z)
        s = (self.kind_of_bead(self.types) + self.own_of_bead).expand(len(z), -1, -1)
        v = s.new_zeros(*s.shape[:2], 3, s.shape[2])
        s, v = self.before(s, v, edges, self.edges.index)
        features, to = edges
        return Context(s, v, features, to, self.start(z, self.edges.index), z)

    def _prior(self, context: Context) -> Gaussian:
        return bounded(*self.prior_head(context.scalars).chunk(2, -1))

    def _posterior(self, x: Tensor, context: Context, prior: Gaussian) -> Gaussian:
        off = (x - context.start) / self.length
        heard = off.new_zeros(*context.vectors.shape)
        heard = heard.index_add(1, self.group, off[..., None] * self.listen[:, None])
        frame = self.frame(context.vectors).unflatten(-1, (FRAME, -1))
        seen = torch.einsum("bnxc,bnxfc->bnfc", heard, frame).flatten(-2)
        length = (heard.square().sum(-2) + 1e-8).sqrt()
        shift, log_variance = self.posterior_head(torch.cat([context.scalars, length, seen], -1)).chunk(2, -1)
        return bounded(prior.mean + shift, log_variance)

    def _decode(self, latent: Tensor, context: Context) -> Tensor:
        s = context.scalars + self.enter(latent)
        _, v = self.after(s, context.vectors, (context.features, context.to), self.edges.index)
        weights = self.kind_weights[self.kinds] + self.own_weights
        x = context.start + self.length * torch.einsum("bixc,ic->bix", v[:, self.group], weights)
        return x + (context.z - self.to_beads.to(x) @ x)[:, self.group]

    # --- what all autoencoders have --------------------------------------------------------------

    def encode(self, x: Tensor) -> Tensor:
        """Return beads `[batch, beads, 3]`."""
        return self.to_beads.to(x) @ x

    def decode(self, z: Tensor) -> Tensor:
        """Return particles `[batch, particles, 3]` for the mean of the prior p(ξ | z)."""
        context = self._context(z)
        return self._decode(self._prior(context).mean, context)

    def draw(self, z: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Return particles `[batch, particles, 3]` for one draw of the prior."""
        context = self._context(z)
        return self._decode(self._prior(context).draw(generator), context)

    def reconstruct(self, x: Tensor) -> Tensor:
        """Return particles `[batch, particles, 3]` for the posterior's mean, which knows more than beads."""
        context = self._context(self.encode(x))
        return self._decode(self._posterior(x, context, self._prior(context)).mean, context)

    def posterior_of(self, x: Tensor) -> Gaussian:
        """Return q(ξ | x, C x); each part `[batch, beads, latent]`."""
        context = self._context(self.encode(x))
        return self._posterior(x, context, self._prior(context))

    def prior_of(self, z: Tensor) -> Gaussian:
        """Return p(ξ | z); each part `[batch, beads, latent]`."""
        return self._prior(self._context(z))

    def coarse_map(self) -> CoarseMap:
        """See `AutoencoderModel`."""
        return self._map


def _kinds(system: System) -> Tensor:
    """Number `[particles]` of each particle's kind: its residue's name and its own, or else its type."""
    if system.atom_names and system.residue_names:
        labels = list(zip(system.residue_names, system.atom_names, strict=True))
    else:
        labels = [("", str(t)) for t in system.types]
    known = {label: k for k, label in enumerate(dict.fromkeys(labels))}
    return torch.tensor([known[label] for label in labels])
