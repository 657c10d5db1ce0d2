"""One sound model, and what can be wrong with it, one thing at a time."""

from __future__ import annotations

import torch
from pydantic import BaseModel, Field
from torch import Tensor, nn

from zoo import keys
from zoo.config import Strict
from zoo.graphs import CosineCutoff, GaussianBasis, edge_vectors
from zoo.models.base import FittedModel, TypeIndex, ZooModel
from zoo.models.heads import make_head


class Config(Strict):
    channels: int = Field(8, ge=1)
    cutoff: float = Field(3.5, gt=0)
    gain: float = 1.0


class Sound(ZooModel):
    """Neighbours send what their type and distance say; a head turns the sum into outputs."""

    def __init__(self, config, info) -> None:
        super().__init__(config, info, config.cutoff)
        self.index = TypeIndex(info.types)
        self.embedding = nn.Embedding(len(info.types), config.channels)
        self.basis = GaussianBasis(0.0, config.cutoff, 8)
        self.envelope = CosineCutoff(config.cutoff)
        self.filter = nn.Linear(8, config.channels)
        self.head = make_head(config.channels, info, nn.SiLU)

    def lengths(self, graph) -> Tensor:
        r = edge_vectors(graph[keys.POS], graph[keys.EDGE_INDEX], graph.get(keys.EDGE_SHIFT))
        return r.norm(dim=1)

    def weigh(self, d: Tensor) -> Tensor:
        return self.filter(self.basis(d)) * self.envelope(d)[:, None]

    def nodes(self, graph) -> Tensor:
        h = self.embedding(self.index(graph[keys.Z]))
        send, receive = graph[keys.EDGE_INDEX]
        messages = self.config.gain * self.weigh(self.lengths(graph)) * h[send]
        return h + torch.zeros_like(h).index_add(0, receive, messages)

    def forward(self, graph) -> Tensor:
        return self.head(self.nodes(graph), graph)


class WrongShape(Sound):
    """One more axis than asked for."""

    def forward(self, graph) -> Tensor:
        return super().forward(graph)[..., None]


class NotFinite(Sound):
    """NaN where two particles are close."""

    def forward(self, graph) -> Tensor:
        return super().forward(graph) / (graph[keys.Z] < 0).sum()


class MixesGraphs(Sound):
    """Takes a mean over all nodes, whatever graph they are in."""

    def nodes(self, graph) -> Tensor:
        h = super().nodes(graph)
        return h - h.mean(0)


class ChangesInput(Sound):
    """Leaves a note in the graph."""

    def forward(self, graph) -> Tensor:
        graph.seen = torch.ones(1)
        return super().forward(graph)


class ChangesNumbers(Sound):
    """Turns edges round in the graph itself."""

    def forward(self, graph) -> Tensor:
        out = super().forward(graph)
        graph[keys.EDGE_INDEX].copy_(graph[keys.EDGE_INDEX].flip(1))
        return out


class RandomInEval(Sound):
    """Dropout that does not look at the mode."""

    def nodes(self, graph) -> Tensor:
        return nn.functional.dropout(super().nodes(graph), 0.2, training=True)


class NeedsPairs(Sound):
    """Looks at pair numbers, which graphs made elsewhere do not have."""

    def nodes(self, graph) -> Tensor:
        h = super().nodes(graph)
        if graph.get(keys.EDGE_PAIR) is None:
            return 0.9 * h
        return h


class LooksBeyond(Sound):
    """No envelope: every edge in the list counts."""

    def weigh(self, d: Tensor) -> Tensor:
        return self.filter(self.basis(d))


class NoLonely(Sound):
    """Divides by the number of neighbours."""

    def nodes(self, graph) -> Tensor:
        h = super().nodes(graph)
        count = torch.bincount(graph[keys.EDGE_INDEX][1], minlength=len(h))
        return h / count[:, None]


class LooksAtX(Sound):
    """Takes the vectors of edges for invariant."""

    def weigh_vectors(self, r: Tensor) -> Tensor:
        return 1 + 0.1 * r[:, :1]

    def nodes(self, graph) -> Tensor:
        h = self.embedding(self.index(graph[keys.Z]))
        send, receive = graph[keys.EDGE_INDEX]
        r = edge_vectors(graph[keys.POS], graph[keys.EDGE_INDEX], graph.get(keys.EDGE_SHIFT))
        messages = self.weigh(r.norm(dim=1)) * h[send] * self.weigh_vectors(r)
        return h + torch.zeros_like(h).index_add(0, receive, messages)


class LooksAtOrigin(Sound):
    """Uses the distance from the origin."""

    def nodes(self, graph) -> Tensor:
        return super().nodes(graph) + 1e-3 * graph[keys.POS].square().sum(-1, keepdim=True)


class LooksAtNumber(Sound):
    """Counts the particles off."""

    def nodes(self, graph) -> Tensor:
        h = super().nodes(graph)
        batch = graph.get(keys.BATCH)
        start = 0 if batch is None else graph[keys.PTR][batch]
        number = torch.arange(len(h), device=h.device) - start
        return h * (1 + 0.01 * number[:, None])


class ForgetsShifts(Sound):
    """Leaves the periodic shift of edges out."""

    def lengths(self, graph) -> Tensor:
        r = edge_vectors(graph[keys.POS], graph[keys.EDGE_INDEX])
        return r.norm(dim=1).clamp_min(1e-3)  # self-images have length 0 without their shift


class DeadParameter(Sound):
    """A layer that nothing goes through."""

    def __init__(self, config, info) -> None:
        super().__init__(config, info)
        self.unused = nn.Linear(3, 3)


class Detached(Sound):
    """A gradient cut by detach: the values are right, the forces are not."""

    def lengths(self, graph) -> Tensor:
        d = super().lengths(graph)
        return 0.5 * d + 0.5 * d.detach()


class _WrongTwice(torch.autograd.Function):
    """x², with a first derivative that is right and a second one that is not."""

    @staticmethod
    def forward(ctx, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grad * (2 * x).detach()


class WrongSecondDerivative(Sound):
    """Forces are right; training on them goes astray."""

    def nodes(self, graph) -> Tensor:
        return _WrongTwice.apply(super().nodes(graph))


class HardCutoff(Sound):
    """Edges count in full up to the cutoff."""

    def weigh(self, d: Tensor) -> Tensor:
        return self.filter(self.basis(d)) * (d < self.cutoff)[:, None]


class Kink(Sound):
    """Linear to zero: the energy is continuous, the force jumps."""

    def weigh(self, d: Tensor) -> Tensor:
        return self.filter(self.basis(d)) * (1 - d / self.cutoff).clamp_min(0)[:, None]


class Stubborn(Sound):
    """Its outputs do not depend on what can be learnt: targets it is built from, and nothing else."""

    def forward(self, graph) -> Tensor:
        out = super().forward(graph)
        return out.detach() + 0.0 * out


class NotSaved(Sound):
    """Random features kept beside the state, not in it."""

    def __init__(self, config, info) -> None:
        super().__init__(config, info)
        self.features = [torch.randn(config.channels)]

    def nodes(self, graph) -> Tensor:
        h = super().nodes(graph)
        return h * self.features[0].to(h)


class OtherRandomNumbers(Sound):
    """Initialised from the clock rather than from torch's seed."""

    def __init__(self, config, info) -> None:
        super().__init__(config, info)
        generator = torch.Generator()
        generator.seed()
        with torch.no_grad():
            self.filter.weight.uniform_(generator=generator)


class LosesPrecision(Sound):
    """Rounds on the way, to 8 bits."""

    def nodes(self, graph) -> Tensor:
        h = super().nodes(graph)
        return h if h.dtype == torch.float64 else h.bfloat16().to(h)


class Forgetful(Config):
    """Drops a setting when written."""

    gain: float = Field(1.0, exclude=True)


class Lenient(BaseModel):
    """Accepts any key."""

    channels: int = 8
    cutoff: float = 3.5
    gain: float = 1.0


class NoModel(nn.Module):
    """Not a ZooModel."""


class Fitted(FittedModel):
    """Sound: the mean target."""

    def __init__(self, config, info) -> None:
        super().__init__(config, info)
        self.register_buffer("mean", torch.zeros(len(info.target_names)))

    def fit(self, graphs) -> None:
        self.mean.copy_(torch.cat([graph[keys.TARGETS] for graph in graphs]).mean(0))

    def forward(self, graph) -> Tensor:
        return self.mean.to(graph[keys.POS]).expand(len(graph[keys.POS]), -1)


class FittedInList(Fitted):
    """Keeps what it found where it is not saved."""

    def fit(self, graphs) -> None:
        super().fit(graphs)
        self.found = self.mean.clone()
        self.mean.zero_()

    def forward(self, graph) -> Tensor:
        found = getattr(self, "found", self.mean)
        return found.to(graph[keys.POS]).expand(len(graph[keys.POS]), -1)


class FittedBadly(Fitted):
    """Worse than saying nothing."""

    def fit(self, graphs) -> None:
        super().fit(graphs)
        self.mean += 10.0
