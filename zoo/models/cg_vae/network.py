"""Messages on the graph of beads, with scalars and vectors; rotations turn the vectors, mirrors do not."""

from __future__ import annotations

import torch
from torch import Tensor, nn

#: Differences in number of two beads beyond this are alike.
FAR = 4
#: Added to squares before a root is taken.
TINY = 1e-8


class Edges(nn.Module):
    """Which beads send messages to which, and what is known of each pair; filled by `prepare`.

    The pairs are fixed: the beads that are nearest to each on average over the training frames. A distance
    counts by how far it is from its own mean, in its own spread, since bonds move by a few hundredths of what
    the ends of a chain do.

    Args:
        beads: their number.
        neighbors: k, of each.
        bonded: `[beads, beads]` bool.
        channels: features of an edge.
    """

    bonded: Tensor  # [beads, beads]
    index: Tensor  # [beads, k]
    mean: Tensor  # [beads, k], unit of length
    spread: Tensor  # [beads, k], unit of length

    def __init__(self, beads: int, neighbors: int, bonded: Tensor, channels: int) -> None:
        super().__init__()
        shape = (beads, min(neighbors, beads - 1))
        self.register_buffer("bonded", bonded, persistent=False)
        self.register_buffer("index", torch.zeros(shape, dtype=torch.long))
        self.register_buffer("mean", torch.ones(shape))
        self.register_buffer("spread", torch.ones(shape))
        self.relation = nn.Embedding(2 * (2 * FAR + 1), channels)
        self.distance = nn.Linear(2, channels)

    def prepare(self, z: Tensor, least: float) -> None:
        """Choose neighbours from beads `[frames, beads, 3]`; no spread is below `least`."""
        d = torch.stack([torch.cdist(part, part).mean(0) * len(part) for part in z.split(1024)]).sum(0) / len(
            z
        )
        d.fill_diagonal_(torch.inf)
        self.index.copy_(d.topk(self.index.shape[1], largest=False).indices)
        lengths = torch.linalg.vector_norm(z[:, self.index] - z[:, :, None], dim=-1)
        self.mean.copy_(lengths.mean(0))
        self.spread.copy_(lengths.std(0, correction=0).clamp_min(least))

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Return features `[batch, beads, k, channels]` and unit vectors to neighbours `[…, 3]`."""
        to = z[:, self.index] - z[:, :, None]
        d = (to.square().sum(-1) + TINY).sqrt()
        known = torch.stack([(d - self.mean) / self.spread, d / self.mean.mean()], -1)
        here = torch.arange(len(self.index), device=z.device)[:, None]
        offset = (self.index - here).clamp(-FAR, FAR) + FAR
        kind = 2 * offset + self.bonded[here, self.index].long()
        return self.distance(known) + self.relation(kind), to / d[..., None]


class Block(nn.Module):
    """One exchange of messages and one mixing of the channels of a bead.

    As PaiNN (Schütt et al. 2021), and with cross products of a bead's vectors: without them the network would
    commute with reflections, and could not tell on which side of three beads an atom lies.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.sender = nn.Linear(channels, channels, bias=False)
        self.receiver = nn.Linear(channels, channels, bias=False)
        self.message = nn.Sequential(nn.SiLU(), nn.Linear(channels, 3 * channels))
        self.left = nn.Linear(channels, channels, bias=False)
        self.right = nn.Linear(channels, channels, bias=False)
        self.mix = nn.Sequential(
            nn.Linear(3 * channels, channels), nn.SiLU(), nn.Linear(channels, 3 * channels)
        )

    def forward(
        self, s: Tensor, v: Tensor, edges: tuple[Tensor, Tensor], index: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return new scalars and vectors.

        Args:
            s: `[batch, beads, channels]`.
            v: `[batch, beads, 3, channels]`.
            edges: from `Edges`.
            index: of the neighbours `[beads, k]`.
        """
        features, to = edges
        scale = index.shape[1] ** -0.5
        heard = self.sender(s)[:, index] + self.receiver(s)[:, :, None] + features
        ds, along, across = self.message(heard).chunk(3, -1)
        s = s + scale * ds.sum(2)
        carried = along[..., None, :] * v[:, index] + across[..., None, :] * to[..., None]
        v = v + scale * carried.sum(2)
        # of unit size before they are multiplied: products of products grow without bound
        even = v / (v.square().sum(-2, keepdim=True).mean(-1, keepdim=True) + TINY).sqrt()
        a, b = self.left(even), self.right(even)
        length = (a.square().sum(-2) + TINY).sqrt()
        ds, straight, turned = self.mix(torch.cat([s, (a * b).sum(-2), length], -1)).chunk(3, -1)
        v = v + straight[..., None, :] * a + turned[..., None, :] * torch.linalg.cross(a, b, dim=-2)
        return s + ds, v


class Network(nn.Module):
    """Blocks one behind the other."""

    def __init__(self, channels: int, layers: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(Block(channels) for _ in range(layers))

    def forward(
        self, s: Tensor, v: Tensor, edges: tuple[Tensor, Tensor], index: Tensor
    ) -> tuple[Tensor, Tensor]:
        """See `Block`."""
        for block in self.blocks:
            s, v = block(s, v, edges, index)
        return s, v
