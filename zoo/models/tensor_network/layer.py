"""One layer of a tensor field network: convolution, self-connection, gate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from e3nn import o3
from e3nn.nn import Gate
from torch import Tensor, nn

from zoo.graphs import gather, segment_sum
from zoo.models.activation import SiLU
from zoo.models.edges import Edges

#: Σ_k exp(−(d − μ_k)²/Δ²) ≈ √π for centres Δ apart: with weights of this size, outputs of size 1.
BASIS_GAIN = torch.pi**-0.25
#: One over the root mean square of silu(x), x normal.
SILU_GAIN = 1.68


class Neighbors(NamedTuple):
    """What the edges of a batch tell to every layer."""

    edges: Edges
    basis: Tensor  # [rows, gaussians], rows as in `Edges`
    envelope: Tensor  # [rows, 1]
    harmonics: Tensor  # [edges, harmonics.dim]; of the direction from sender to receiver


class Layer(nn.Module):
    """`h_i ← gate(A h_i + B Σ_j R(d_ij) (C h_j ⊗ Y(r̂_ij)) / √neighbors)`, NequIP's interaction block.

    A, B and C mix channels of equal irreps; R(d) gives a weight to each channel of each path
    `irrep of h ⊗ harmonic → irrep`. Other paths than into `kinds` are left out, and so are kinds that
    no path leads to: the first layer, which has scalars alone to start from, makes no pseudovectors.

    Args:
        irreps_in: of the nodes' features, 0e first.
        harmonics: irreps of `Neighbors.harmonics`.
        kinds: irreps that features may have, by order.
        channels: of each kind.
        widths: of the radial network: Gaussians, hidden channels.
        neighbors: of a node, on average.

    Attributes:
        irreps: of the new features, 0e first.
    """

    def __init__(
        self,
        irreps_in: o3.Irreps,
        harmonics: o3.Irreps,
        kinds: Sequence[o3.Irrep],
        channels: int,
        widths: tuple[int, int],
        neighbors: int,
    ) -> None:
        super().__init__()
        paths = [
            (i, j, kind)
            for i, (_, a) in enumerate(irreps_in)
            for j, (_, b) in enumerate(harmonics)
            for kind in kinds
            if kind in a * b
        ]
        self.scale = neighbors**-0.5
        self.before = o3.Linear(irreps_in, irreps_in)
        middle = o3.Irreps([(irreps_in[i].mul, kind) for i, _, kind in paths])
        instructions = [(i, j, k, "uvu", True) for k, (i, j, _) in enumerate(paths)]
        self.product = o3.TensorProduct(irreps_in, harmonics, middle, instructions, shared_weights=False)
        self.radial = _radial_network(*widths, self.product.weight_numel)
        self.gate = _gate([kind for kind in kinds if kind in middle], channels)
        self.irreps = self.gate.irreps_out
        self.after = o3.Linear(middle, self.gate.irreps_in)
        self.own = o3.Linear(irreps_in, self.gate.irreps_in, biases=True)

    def forward(self, h: Tensor, around: Neighbors) -> Tensor:
        """`[nodes, irreps_in.dim]` → `[nodes, irreps.dim]`."""
        edges = around.edges
        weights = edges.spread(self.radial(around.basis) * around.envelope)
        messages = self.product(gather(self.before(h), edges.senders), around.harmonics, weights)
        received = segment_sum(messages, edges.receivers) * self.scale
        return self.gate(self.own(h) + self.after(received))


def _radial_network(gaussians: int, hidden: int, out: int) -> nn.Sequential:
    """Of a distance's Gaussians; its outputs are of size 1 at the start."""
    first, last = nn.Linear(gaussians, hidden), nn.Linear(hidden, out, bias=False)
    nn.init.normal_(first.weight, std=BASIS_GAIN)
    nn.init.zeros_(first.bias)
    nn.init.normal_(last.weight, std=SILU_GAIN * hidden**-0.5)
    return nn.Sequential(first, SiLU(), last)


def _gate(kinds: Sequence[o3.Irrep], channels: int) -> Gate:
    """Scalars through silu, pseudoscalars through tanh, which is odd; the rest times a sigmoid of scalars."""
    scalars = [kind for kind in sorted(kinds, key=lambda kind: -kind.p) if kind.l == 0]
    gated = [kind for kind in kinds if kind.l > 0]
    return Gate(
        o3.Irreps([(channels, kind) for kind in scalars]),
        [torch.nn.functional.silu if kind.p == 1 else torch.tanh for kind in scalars],
        o3.Irreps([(channels * len(gated), "0e")]),
        [torch.sigmoid],
        o3.Irreps([(channels, kind) for kind in gated]),
    )
