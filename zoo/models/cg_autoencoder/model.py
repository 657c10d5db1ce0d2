"""Coarse-graining autoencoder (Wang & Gómez-Bombarelli 2019) on second moments."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from zoo.coarse.maps import CoarseMap, centers
from zoo.coarse.moments import explained, least_squares_decoder, second_moment, square_error
from zoo.coarse.schemes import segments
from zoo.data.info import DataInfo
from zoo.errors import ConfigError
from zoo.models.autoencoder import (
    BeadAutoencoder,
    Objective,
    SplitAutoencoder,
    center_weights,
    system_of,
)
from zoo.models.cg_autoencoder.assignment import contiguity, entropy, gumbel, soft_map, soft_projection
from zoo.models.cg_autoencoder.config import CGAutoencoderConfig
from zoo.models.cg_autoencoder.refining import Landscape, refined
from zoo.models.cg_autoencoder.rescue import rescued
from zoo.models.linear import bead_center, decode_linear

#: By how much the final map is preferred to any other.
MARGIN = 3.0
#: Steps between two looks for beads without particles.
LOOK = 20


@dataclass(frozen=True)
class Moments:
    """What is kept of a split: second moments `[particles, particles]` over their mean diagonal, float64.

    Args:
        positions: of centred positions.
        forces: of forces, None if there are none.
    """

    positions: Tensor
    forces: Tensor | None

    def to(self, device: torch.device) -> Moments:
        """The same on a device."""
        return Moments(self.positions.to(device), None if self.forces is None else self.forces.to(device))


class CGAutoencoder(SplitAutoencoder, BeadAutoencoder):
    """`z = C x`, `x ≈ D z`: which bead each particle belongs to is learned.

    C_Ii = w_i S_iI / Σ_j w_j S_jI, S = softmax((logits + Gumbel noise)/τ) over the beads, w masses or ones;
    τ falls from `tau_start` to `tau_end`, so that the assignment becomes hard. Training minimises

        mse/v + ρ ⟨F²⟩/f² + weight · (bonds cut) + weight · (entropy),

    v the variance of a coordinate, ⟨F²⟩ the mean square force on a bead and f² that on a particle. As the
    map is the same for all frames, the first two depend on ⟨Σ_d x_d x_dᵀ⟩ and ⟨Σ_d f_d f_dᵀ⟩ alone: a step
    sees the whole training split and costs O(particles²·beads), whatever the number of frames. The decoder
    of least squares is solved for, so that only the assignment is searched; `learned` is the published one.

    Raises:
        ConfigError: more beads than particles.
    """

    config: CGAutoencoderConfig
    weights: Tensor  # [particles]
    bonds: Tensor  # [bonds, 2]
    segments: Tensor  # [particles]
    group: Tensor  # [particles]
    decoder: Tensor  # [particles, beads]
    mean: Tensor  # [particles, 3]

    def __init__(self, config: CGAutoencoderConfig, info: DataInfo) -> None:
        super().__init__(config, info)
        n, beads = info.num_particles, config.beads
        if beads > n:
            raise ConfigError(f"{beads} beads of {n} particles: take model.beads up to {n}")
        weights = center_weights(info)
        if config.centers == "plain":
            weights = torch.ones_like(weights)
        bonds = torch.tensor(info.bonds, dtype=torch.long).view(-1, 2)
        start = torch.from_numpy(segments(system_of(info), beads))
        for name, value in (("weights", weights), ("bonds", bonds)):
            self.register_buffer(name, value, persistent=False)
        self._moments: dict[str, Moments] = {}
        self.register_buffer("segments", start, persistent=False)
        self.register_buffer("group", start.clone())
        self.register_buffer("decoder", torch.zeros(n, beads, dtype=torch.float64))
        self.register_buffer("mean", torch.zeros(n, 3, dtype=torch.float64))
        self.logits = nn.Parameter(0.1 * torch.randn(config.restarts, n, beads))
        self.free = nn.Parameter(0.1 * torch.randn(config.restarts, n, beads)) if self._learned else None

    @property
    def _learned(self) -> bool:
        return self.config.decoder == "learned"

    # --- training ----------------------------------------------------------------------------------

    def prepare(self, x: Tensor, forces: Tensor | None) -> None:
        """See `AutoencoderModel`: keeps second moments of positions and forces.

        Raises:
            ConfigError: forces have a weight, and there are none.
        """
        if forces is None and self.config.force_weight:
            raise ConfigError("model.force_weight needs a dataset with forces")
        if self.config.offset:
            x = x.double()
            self.mean.copy_((x - bead_center(x, self._particle_weights)).mean(0))
        self._keep("train", x, forces)

    def look(self, x: Tensor, forces: Tensor | None) -> None:
        """See `SplitAutoencoder`: among maps of nearly one loss, held-out frames choose."""
        self._keep("held", x, forces)

    def _keep(self, name: str, x: Tensor, forces: Tensor | None) -> None:
        x = x.double()
        x = x - bead_center(x, self._particle_weights) - self.mean.double()
        self._moments[name] = Moments(_scaled(x), None if forces is None else _scaled(forces.double()))

    def _seen(self, *names: str) -> Moments:
        """Moments of the first of these splits that was seen, on the weights' device."""
        name = next(n for n in names if n in self._moments)
        self._moments[name] = self._moments[name].to(self.logits.device)
        return self._moments[name]

    @property
    def _particle_weights(self) -> Tensor:
        return self.weights.double()

    def temperature(self, progress: float) -> float:
        """τ after a share of the training: geometric from `tau_start` to `tau_end`, then held."""
        first, last = self.config.tau_start, self.config.tau_end
        return first * (last / first) ** min(1.0, progress / (1 - self.config.hold))

    def split_objective(self, progress: float) -> Objective:
        """See the class; the sum over restarts, each of which has its own weights."""
        config = self.config
        tau = self.temperature(progress)
        logits = self.logits.double()
        assigned = torch.softmax((logits + gumbel(logits)) / tau, -1)
        coarse = soft_map(assigned, self._particle_weights)
        seen = self._seen("train")
        n = self.info.num_particles
        if self.free is None:
            mse = (seen.positions.trace() - explained(coarse, seen.positions)) / n
        else:
            mse = square_error(coarse, self.free.double(), seen.positions) / n
        loss = mse
        logs = {"mse": mse.min(), "tau": mse.new_tensor(tau)}
        if seen.forces is not None and config.force_weight and progress >= config.force_from:
            project = soft_projection(assigned, coarse)
            square = ((project @ seen.forces) * project).sum((-2, -1)) / config.beads
            loss = loss + config.force_weight * square
            logs["mean_force"] = square.min()
        if config.contiguity and len(self.bonds):
            loss = loss + config.contiguity * contiguity(assigned, self.bonds)
        if config.entropy:
            loss = loss + config.entropy * entropy(assigned)
        logs["beads_used"] = self._used().double().max()
        return loss.sum(), logs

    def objective(self, x: Tensor, forces: Tensor | None, progress: float) -> Objective:
        """Square error of frames under the map as it is now, hard and with the decoder that belongs to it."""
        self._settle()
        return super().objective(x, forces, progress)

    @torch.no_grad()
    def after_step(self, step: int, total: int) -> None:
        """See `SplitAutoencoder`: rescues empty beads; at the end refines the best map and keeps it."""
        last = step >= total
        if self.config.rescue and (last or step % LOOK == 0):
            self.logits.copy_(
                rescued(self.logits.double(), self._seen("train").positions, self._particle_weights).to(
                    self.logits
                )
            )
        if last and self.config.refine and self.free is None:
            chosen = self._refined()
            self.logits.scatter_(
                2, chosen.expand(len(self.logits), -1)[..., None], float(self.logits.max()) + MARGIN
            )
        if last:
            self._settle()

    def _refined(self) -> Tensor:
        """The best of all maps found, of segments, and of what local search makes of each, `[particles]`."""
        seen = self._seen("train")
        forces = torch.zeros_like(seen.positions) if seen.forces is None else seen.forces
        scape = Landscape(seen.positions, self._particle_weights, self.config.force_weight, forces)
        found = [*self._hard(), self.segments]
        found += [refined(group, self.config.beads, scape) for group in found]
        groups = torch.stack(found)
        return groups[int(self._losses(groups)[0].argmin())]

    def _hard(self) -> Tensor:
        """Bead of each particle in each restart, `[restarts, particles]`."""
        return self.logits.argmax(-1)

    def _used(self) -> Tensor:
        """Beads with particles in each restart, `[restarts]`."""
        return torch.nn.functional.one_hot(self._hard(), self.config.beads).amax(1).sum(1)

    @torch.no_grad()
    def _settle(self) -> None:
        """Keep the hard map of least loss, and its decoder."""
        groups = self._hard()
        losses, decoders = self._losses(groups, self.free)
        best = int(losses.argmin())
        self.group.copy_(groups[best])
        self.decoder.copy_(decoders[best])

    def _losses(self, groups: Tensor, free: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Losses `[maps]` on held-out frames where there are any, and decoders, of hard maps `[maps,
        particles]`.
        """
        member = torch.nn.functional.one_hot(groups, self.config.beads).double()
        coarse = soft_map(member, self._particle_weights)
        decoders = (
            least_squares_decoder(coarse, self._seen("train").positions) if free is None else free.double()
        )
        seen = self._seen("held", "train")
        losses = square_error(coarse, decoders, seen.positions) / self.info.num_particles
        if seen.forces is not None and self.config.force_weight:
            sums = ((member.mT @ seen.forces) * member.mT).sum((-2, -1)) / self.config.beads
            losses = losses + self.config.force_weight * sums
        return losses, decoders

    # --- the map -------------------------------------------------------------------------------------

    @property
    def to_beads(self) -> Tensor:
        """C `[beads, particles]` of the hard map; the row of a bead without particles is the centre."""
        member = torch.nn.functional.one_hot(self.group, self.config.beads).double()
        coarse = soft_map(member, self._particle_weights)
        middle = self._particle_weights / self._particle_weights.sum()
        return torch.where(member.sum(0)[:, None] > 0, coarse, middle)

    def encode(self, x: Tensor) -> Tensor:
        """Return beads `[batch, beads, 3]`."""
        return self.to_beads.to(x) @ x

    def decode(self, z: Tensor) -> Tensor:
        """Return particles `[batch, particles, 3]`."""
        mean = torch.cat([self.mean, self.to_beads @ self.mean]) if self.config.offset else None
        return decode_linear(self.decoder, z, self._bead_weights, mean)

    @property
    def _bead_weights(self) -> Tensor:
        member = torch.nn.functional.one_hot(self.group, self.config.beads).double()
        return self._particle_weights @ member

    @property
    def bottleneck(self) -> dict[str, int]:
        """See `AutoencoderModel`."""
        return {"beads": self.config.beads}

    def coarse_map(self) -> CoarseMap:
        """See `BeadAutoencoder`."""
        _, group = torch.unique(self.group, return_inverse=True)
        return centers(group.cpu().numpy(), self._particle_weights.cpu().numpy())


def _scaled(x: Tensor) -> Tensor:
    """Second moment over its mean diagonal: all terms of the loss are then of order one."""
    found = second_moment(x)
    return found / (found.trace() / len(found)).clamp_min(1e-300)
