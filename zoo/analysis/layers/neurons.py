"""The best neurons to add between two linear maps, and the first-order gain that they promise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from zoo.analysis.bootstrap import bootstrap_error
from zoo.analysis.layers.bottleneck import CUT, Bottleneck, System, folds_of
from zoo.analysis.layers.moments import Joint, Moments
from zoo.analysis.layers.pairs import slope_at_zero
from zoo.errors import ConfigError


@dataclass(frozen=True)
class Neurons:
    """New neurons between two maps, a direction in the space of weights.

    With amplitude γ ≥ 0 the first map gets the rows √γ · `incoming` (bias 0), the second one the columns
    √γ · `outgoing`, and its own weights the change γ · `correction`, which takes from the new neurons what W
    could have given as well. At γ = 0 the function is unchanged, and the loss (averaged over the graphs that
    were measured) falls by `gain` per unit of γ, exactly: −dL/dγ = σ′(0) Σ Λ².

    Args:
        incoming: S₋₂^(−1/2) U √Λ, `[neurons, inputs of the first map]`.
        outgoing: √Λ Vᵀ, `[outputs of the second map, neurons]`.
        correction: `[outputs, columns]` of the second map, its bias last.
        values: all singular values Λ of S₋₂^(−1/2) N, largest first; N = ⟨b₋₂ V⊥ᵀ⟩.
        slope: σ′(0).
        gain: σ′(0) Σ Λ² over the neurons taken: loss per unit of γ.
        unseen_gain: the same of graphs that the neurons were not made from, by cross-validation.
        unseen_error: its standard error over groups of graphs; None for fewer than three.
    """

    incoming: Tensor
    outgoing: Tensor
    correction: Tensor
    values: Tensor
    slope: float
    gain: float
    unseen_gain: float
    unseen_error: float | None

    @property
    def count(self) -> int:
        """Number of neurons."""
        return len(self.incoming)

    @property
    def parameters(self) -> int:
        """Number of parameters that they add, a bias of the first map not counted."""
        return self.incoming.numel() + self.outgoing.numel()


def best_neurons(
    joint: Joint, second: Moments, found: Bottleneck, activation: nn.Module, count: int, ridge: float = 0.0
) -> Neurons:
    """Return the `count` neurons that give most of what the second map cannot, to first order.

    Args:
        joint: moments of the place.
        second: of its second map.
        found: bottleneck of the second map, whose S⁺ is used.
        activation: between the maps.
        count: of neurons; fewer are returned where N has a smaller rank.
        ridge: share of the mean second moment that is added to S₋₂ and to the second map's S. The gain is
            exact with any; without, neurons may live on inputs that hardly vary, with weights so large that
            a network does not train on with them.

    Raises:
        ConfigError: the activation is not 0 at 0, or has no slope there; or the second map is masked.
    """
    slope = slope_at_zero(activation)
    if slope is None:
        raise ConfigError(f"{joint.place.activation} is not 0 at 0 or bends there: no first-order gain")
    groups = len(second.graphs)
    every = torch.ones(groups, dtype=torch.float64)
    if found.inverse is None:
        raise ConfigError(f"{joint.place.second} has weights that are not there: no neurons can be added")
    inverse = found.inverse
    if ridge > found.ridge:
        inverse = System(second.parts(every)[0]).inverse(ridge)
    incoming, outgoing, correction, values = _direction(joint, second, inverse, every, count, ridge)
    gains = torch.zeros(groups, dtype=torch.float64)
    for fold in folds_of(groups):
        parts = _direction(joint, second, inverse, 1 - fold, count, ridge)
        for g in fold.nonzero()[:, 0].tolist():
            gains[g] = slope * _agreement(joint, second, g, *parts[:3])
    graphs = second.graphs.numpy()
    error = bootstrap_error(lambda w: (w @ gains.numpy()) / (w @ graphs), groups)
    return Neurons(
        incoming, outgoing, slope * correction, values, slope,
        gain=slope * float(values[: len(incoming)].square().sum()),
        unseen_gain=float(gains.sum() / graphs.sum()),
        unseen_error=None if error is None else float(np.asarray(error)),
    )  # fmt: skip


def _direction(
    joint: Joint, second: Moments, inverse: Tensor, weights: Tensor, count: int, ridge: float
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Incoming, outgoing and correction for γ σ′(0) = 1, and all singular values."""
    n = weights @ second.graphs
    _, m, _ = second.parts(weights)
    seen = joint.seen.total(weights, second.length) / n
    shared = joint.shared.total(weights, second.length) / n
    missing = torch.tensordot(weights, joint.wish, 1) / n - shared @ (inverse @ m)  # N
    half = _inverse_root(seen, ridge)
    u, values, vt = torch.linalg.svd(half @ missing, full_matrices=False)
    k = min(count, int((values > 1e-12 * values[0].clamp_min(1e-300)).sum()))
    root = values[:k].sqrt()
    incoming = (half @ u[:, :k] * root).T
    outgoing = (vt[:k] * root[:, None]).T
    return incoming, outgoing, -outgoing @ incoming @ shared @ inverse, values


def _inverse_root(s: Tensor, ridge: float) -> Tensor:
    values, vectors = torch.linalg.eigh(s)
    kept = values > CUT * values[-1].clamp_min(1e-300)
    shift = ridge * values.clamp_min(0).mean()
    return (vectors * torch.where(kept, (values + shift).clamp_min(1e-300).rsqrt(), 0.0)) @ vectors.T


def _agreement(
    joint: Joint, second: Moments, group: int, incoming: Tensor, outgoing: Tensor, correction: Tensor
) -> float:
    """Σ V · δa over a group's rows, δa being the change of the outputs for γ σ′(0) = 1."""
    direct = (incoming.T * (joint.wish[group] @ outgoing)).sum()
    return float(direct + (correction.T * second.cross[group]).sum())
