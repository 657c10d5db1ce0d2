"""Field of pairs that know their surroundings, with an exact divergence at the price of a few passes."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from zoo.models.equivariant_flow.field import HOPS, Field, FieldSpec
from zoo.models.equivariant_flow.layout import Pairs

#: Sums over neighbours that each particle mixes by its own features, beside one that is taken as it is.
MIXED = 3


class PairField(Field):
    """v_i = Σ_k p_k(h_i) Σ_j w_k(h_i, h_j, d_ij, t) r_ij/d_ij + g(h_i) x_i, h_i = M(Σ_j f(d_ij, t)).

    An equivariant graph network (Satorras, Hoogeboom, Welling, ICML 2021, arXiv:2102.09844) of one
    invariant layer and one equivariant one; f and w are symmetric in i and j, and each pair is computed once.
    What particle i sees of j's surroundings depends on x_i through their own pair alone, so
    that the derivatives ∂v_i/∂x_i of all particles come from as many backward passes as space has
    dimensions, however many particles there are.

    A chiral field has in addition the vector product of two of the sums.
    """

    def __init__(self, spec: FieldSpec) -> None:
        super().__init__(spec)
        c = spec.channels
        self.kind = nn.Embedding(max(spec.labels) + 1, c)
        self.bond = nn.Embedding(len(HOPS) + 2, 2 * c)
        self.filter = nn.Linear(spec.gaussians, 2 * c)
        self.node = nn.Linear(c, 2 * c, bias=False)
        self.merge = nn.Sequential(nn.Linear(2 * c, c), nn.SiLU(), nn.Linear(c, c))
        self.end = nn.Linear(c, c, bias=False)
        self.weight = nn.Sequential(nn.SiLU(), nn.Linear(c, c), nn.SiLU(), nn.Linear(c, 1 + MIXED))
        #: of each particle: MIXED factors, that of its position, that of the vector product
        self.factor = nn.Sequential(nn.Linear(c, c), nn.SiLU(), nn.Linear(c, MIXED + 2))
        last, first = self.factor[-1], self.weight[-1]
        assert isinstance(last, nn.Linear) and isinstance(first, nn.Linear)
        with torch.no_grad():  # the field starts as zero
            last.weight.zero_()
            last.bias.zero_()
            first.weight[0] = 0
            first.bias.zero_()

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        """See `Field`."""
        pairs = self.pairs(x)
        place = pairs.enter(x - x.mean(1, keepdim=True))
        kind = self._kinds(pairs, t)
        rows = self._rows(pairs, kind, pairs.difference(place))
        h = self._merged(kind, pairs.total(rows.message))
        weight = self.weight(rows.near + pairs.both(self.end(h)))
        return pairs.leave(self._velocity(h, place, pairs.total(_spread(weight, rows.direction), -1.0)))

    def with_divergence(self, x: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """See `Field`; as many backward passes as space has dimensions."""
        keep = torch.is_grad_enabled()
        with torch.enable_grad():
            pairs = self.pairs(x)
            place, kind = pairs.enter(x - x.mean(1, keepdim=True)), self._kinds(pairs, t)
            still = self._rows(pairs, kind, pairs.difference(place)).message
            around = pairs.total(still)
            pairs, still = pairs.directed(), torch.cat([still, still])
            # moves each particle as it sees itself; its neighbours, as they see each other, stay
            step = torch.zeros_like(place).requires_grad_()
            r = pairs.difference(place) + step.index_select(0, pairs.i)
            rows = self._rows(pairs, kind, r)
            own = self._merged(kind, pairs.received(rows.message))
            others = around.index_select(0, pairs.j) + (rows.message - still)
            seen = self._merged(_at(kind, pairs.j), others)
            ends = self.end(own).index_select(0, pairs.i) + self.end(seen)
            sums = pairs.received(_spread(self.weight(rows.near + ends), rows.direction))
            v = self._velocity(own, place + step * (1 - 1 / x.shape[1]), sums)
            trace = v.new_zeros(len(x))
            for n in range(x.shape[2]):
                (g,) = torch.autograd.grad(v[..., n].sum(), step, retain_graph=True, create_graph=keep)
                trace = trace + pairs.leave(g)[..., n].sum(1)
            v = pairs.leave(v)
        return (v, trace) if keep else (v.detach(), trace.detach())

    def _kinds(self, pairs: Pairs, t: Tensor) -> Tensor:
        """Of each particle what is known without positions: its label and the time."""
        label = self.label[:1] if self.alike else self.label
        kind = self.kind(label)[None] + self.times(t)[:, None]
        return pairs.enter(kind)

    def _rows(self, pairs: Pairs, kind: Tensor, r: Tensor) -> _Rows:
        basis, direction, envelope = self.radial(r)
        pre = self.filter(basis) + pairs.both(self.node(kind))
        if self.bonded:
            pre = pre + pairs.constant(self.bond(self.hop))
        message, near = pre.chunk(2, -1)
        message = nn.functional.silu(message)
        if envelope is not None:
            message, direction = message * envelope, direction * envelope
        return _Rows(message, near, direction)

    def _merged(self, kind: Tensor, total: Tensor) -> Tensor:
        scale = 1 / len(self.spec.labels) ** 0.5
        return kind + self.merge(torch.cat([kind.expand_as(total), total * scale], -1))

    def _velocity(self, h: Tensor, place: Tensor, sums: Tensor) -> Tensor:
        """Velocities of nodes from sums over neighbours `[…, (1 + MIXED) · dim]`."""
        sums = sums.unflatten(-1, (1 + MIXED, self.spec.space)) * self.length.to(place)
        factor = self.factor(h)
        v = sums[..., 0, :] + (factor[..., :MIXED, None] * sums[..., 1:, :]).sum(-2)
        v = v + factor[..., MIXED : MIXED + 1] * place
        if self.spec.chiral:
            product = torch.linalg.cross(sums[..., 1, :], sums[..., 2, :]) / self.length.to(place)
            v = v + factor[..., MIXED + 1 :] * product
        return v


class _Rows(NamedTuple):
    """Of each pair: what it adds to the surroundings of both, what enters its weights, its direction."""

    message: Tensor
    near: Tensor
    direction: Tensor


def _spread(weight: Tensor, direction: Tensor) -> Tensor:
    """Weights `[rows, K]` times directions `[rows, dim]`: `[rows, K · dim]`."""
    return (weight[..., None] * direction[..., None, :]).flatten(-2)


def _at(h: Tensor, index: Tensor) -> Tensor:
    return h if h.shape[0] == 1 else h.index_select(0, index)
