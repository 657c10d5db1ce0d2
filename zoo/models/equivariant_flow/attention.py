"""Field of graph attention: the layers of `gat` say how much each neighbour's difference vector counts."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zoo.graphs import Segments, batched_all_pairs, gather, segment_sum
from zoo.models.edges import Edges
from zoo.models.equivariant_flow.field import HOPS, Field, FieldSpec
from zoo.models.gat.model import AttentionLayer, Radial

#: Features of the bonds between two particles.
BOND_FEATURES = 8


class AttentionField(Field):
    """v_i = Σ_j Σ_h α_ij^h (a_h(h_i) + b_h(d_ij)) r_ij/d_ij + g(h_i) x_i, α the attention of head h.

    Features h come from layers of `gat`, which see distances, bonds and time; one more of them gives α
    (only its attention is used, and it has no other weights).

    Args:
        spec: see `FieldSpec`.
        layers: of attention before the last.
        heads: in each.
    """

    def __init__(self, spec: FieldSpec, layers: int, heads: int) -> None:
        super().__init__(spec)
        c, basis = spec.channels, spec.gaussians + BOND_FEATURES
        self.heads, self.products = heads, 3 if spec.chiral else 1
        self.kind = nn.Embedding(max(spec.labels) + 1, c)
        self.bond = nn.Embedding(len(HOPS) + 2, BOND_FEATURES)
        self.layers = nn.ModuleList(AttentionLayer(c, heads, basis, 0.0) for _ in range(layers))
        self.last = _attention_only(AttentionLayer(c, heads, basis, 0.0))
        self.norm = nn.LayerNorm(c)
        self.amplitude = nn.Linear(c, heads * self.products)
        self.value = nn.Linear(basis, heads * self.products)
        self.drift = nn.Linear(c, 1)
        for linear in (self.amplitude, self.value):  # starts as the identity, but for what products need
            rows = linear.weight.view(heads, self.products, -1)[:, 0]
            nn.init.zeros_(rows)
            nn.init.zeros_(linear.bias)
        nn.init.zeros_(self.drift.weight)
        nn.init.zeros_(self.drift.bias)

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        """See `Field`."""
        particles = x.shape[1]
        edges = self._edges(x)
        flat = (x - x.mean(1, keepdim=True)).flatten(0, 1)
        r = gather(flat, edges.receivers) - gather(flat, edges.senders)
        basis, direction, envelope = self.radial(r)
        hop = self.hop[edges.receivers.index % particles, edges.senders.index % particles]
        known = torch.cat([basis, self.bond(hop)], -1)
        radial = Radial(known, torch.ones_like(known[:, :1]) if envelope is None else envelope)
        h = (self.kind(self.label)[None] + self.times(t)[:, None]).flatten(0, 1)
        for layer in self.layers:
            h = layer(h, edges, radial)
        weight, own = self.last.attention(self.last.norm(h), edges, radial)
        weight = weight * radial.envelope
        share = weight / gather(own + segment_sum(weight, edges.receivers), edges.receivers)
        h = self.norm(h)
        value = gather(self.amplitude(h), edges.receivers) + self.value(known)
        factor = (share[..., None] * value.view(-1, self.heads, self.products)).sum(1)
        sums = [segment_sum(factor[:, n : n + 1] * direction, edges.receivers) for n in range(self.products)]
        unit = self.length.to(x)
        v = sums[0] * (unit * particles**0.5) + self.drift(h) * flat
        if self.spec.chiral:
            v = v + torch.linalg.cross(sums[1], sums[2]) * unit
        return v.view_as(x)

    def _edges(self, x: Tensor) -> Edges:
        """Edges without distances, which the layers do not look at."""
        batch, particles, _ = x.shape
        nodes, none = batch * particles, x.new_empty(0)
        if self.spec.cutoff is None:
            send, receive = batched_all_pairs(particles, batch, x.device).edge_index
            receivers = Segments.sorted(receive, nodes, particles - 1)
        else:
            near = (torch.cdist(x.detach(), x.detach()) < self.spec.cutoff).triu(1)
            b, i, j = (near | near.mT).nonzero(as_tuple=True)
            send, receivers = b * particles + j, Segments.sorted(b * particles + i, nodes)
        return Edges(Segments.unsorted(send, nodes), receivers, none, None)


def _attention_only(layer: AttentionLayer) -> AttentionLayer:
    """Drop the weights of a layer that `attention` does not use."""
    for name in ("value", "value_filter", "own_value", "out", "mlp"):
        delattr(layer, name)
    return layer
