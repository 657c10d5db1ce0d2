"""Expressivity bottleneck of a linear map: what the loss wants of its outputs and no change of W gives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from zoo.analysis.bootstrap import bootstrap_error
from zoo.analysis.layers.moments import Moments

#: Directions of the input with less than this share of the largest second moment are left out.
CUT = 1e-8
#: Ridges that are tried, as shares of the mean second moment.
RIDGES = (0.0, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)
#: Parts of the graphs; each is judged by what was fitted to the others.
FOLDS = 4


@dataclass(frozen=True)
class Bottleneck:
    """Ψ = ⟨‖V − δW* b‖²⟩ of one matrix, δW* being the best change of W.

    ⟨⟩ is a sum over the rows of a graph, averaged over graphs, in the loss's unit squared over that of the
    output a. With few rows δW* fits chance, so Ψ is that of graphs which δW* was not fitted to.

    Args:
        psi: Ψ of unseen graphs.
        wanted: ⟨‖V‖²⟩.
        share: Ψ/⟨‖V‖²⟩; 1: no change of W brings anything, as at the end of a training.
        share_error: standard error of `share` over groups of graphs; None for fewer than three groups.
        fitted_share: `share` on the graphs that δW* was fitted to.
        ridge: share of the mean second moment that is added to S, chosen by Ψ of unseen graphs.
        inverse: what stands for S⁺, `[columns, columns]`; None of a masked map, which has several.
        update: δW* `[outputs, columns]`, fitted to all graphs.
    """

    psi: float
    wanted: float
    share: float
    share_error: float | None
    fitted_share: float
    ridge: float
    inverse: Tensor | None
    update: Tensor


def bottleneck(moments: Moments) -> Bottleneck:
    """Return the bottleneck of one matrix. Weights that a mask forbids are not changed."""
    groups = len(moments.graphs)
    folds = folds_of(groups)
    blocks = _blocks(moments)
    # [ridges, groups] of what is left on groups that were not fitted to
    left = torch.zeros(len(RIDGES), groups, dtype=torch.float64)
    for fold in folds:
        s, m, _ = moments.parts(1 - fold)
        for allowed, outputs in blocks:
            system = System(s[allowed][:, allowed])
            for k, ridge in enumerate(RIDGES):
                update = system.inverse(ridge) @ m[allowed][:, outputs]
                for g in fold.nonzero()[:, 0].tolist():
                    left[k, g] += _left(moments, g, allowed, outputs, update)
    s, m, wanted = moments.parts(torch.ones(groups, dtype=torch.float64))
    squares = torch.stack([moments.square.total(w, 1 / moments.length)[0, 0] for w in _units(groups)])
    left += squares
    best = int(left.sum(1).argmin())
    inverse, update = _solved(moments, s, m, blocks, RIDGES[best])
    gone = 2 * (update.T * m).sum() - torch.einsum("oi,ij,oj->", update, s, update)
    share, error = ratio(left[best], squares)
    total = float(wanted)
    return Bottleneck(
        psi=share * total, wanted=total, share=share, share_error=error,
        fitted_share=1 - float(gone) / total if total > 0 else 1.0,
        ridge=RIDGES[best], inverse=inverse, update=update,
    )  # fmt: skip


def folds_of(groups: int) -> list[Tensor]:
    """Return 0 or 1 for each group `[groups]` of each fold; neighbours in time stay together."""
    number = torch.arange(groups) * min(FOLDS, groups) // groups
    return [(number == k).double() for k in range(min(FOLDS, groups))]


def ratio(above: Tensor, below: Tensor) -> tuple[float, float | None]:
    """Return Σ above / Σ below of groups `[groups]`, and its bootstrap error; 1 where nothing is wanted."""
    a, b = above.numpy(), below.numpy()
    if b.sum() <= 0:
        return 1.0, None
    error = bootstrap_error(lambda w: (w @ a) / np.maximum(w @ b, 1e-300), len(a))
    return float(a.sum() / b.sum()), None if error is None else float(error)


class System:
    """Regularised inverses of one symmetric matrix."""

    def __init__(self, s: Tensor) -> None:
        self.values, self.vectors = torch.linalg.eigh(s)
        self.kept = self.values > CUT * self.values[-1].clamp_min(1e-300)

    def inverse(self, ridge: float) -> Tensor:
        """Return (S + ρ)⁺ for ρ = `ridge` times the mean eigenvalue."""
        shift = ridge * self.values.clamp_min(0).mean()
        one_over = torch.where(self.kept, 1 / (self.values + shift).clamp_min(1e-300), 0.0)
        return (self.vectors * one_over) @ self.vectors.T


def _blocks(moments: Moments) -> list[tuple[Tensor, Tensor]]:
    """Columns that are allowed and outputs that share them; one block unless there is a mask."""
    view = moments.view
    if view.mask is None:
        return [(torch.arange(view.columns), torch.arange(view.outputs))]
    patterns, which = torch.unique(view.mask.cpu(), dim=0, return_inverse=True)
    bias = torch.ones(int(view.bias), dtype=torch.bool)
    out = []
    for k, pattern in enumerate(patterns):
        columns = torch.cat([pattern.bool(), bias]).nonzero()[:, 0]
        if len(columns):
            out.append((columns, (which == k).nonzero()[:, 0]))
    return out


def _left(moments: Moments, group: int, allowed: Tensor, outputs: Tensor, update: Tensor) -> Tensor:
    """‖V − δW b‖² − ‖V‖² summed over the rows of a group; `update` is δWᵀ `[allowed, outputs]`."""
    gram = moments.gram.product[group]
    if moments.gram.tangent is not None:
        gram = gram + moments.length**2 * moments.gram.tangent[group]
    cross = moments.cross[group][allowed][:, outputs]
    return (update * (gram[allowed][:, allowed] @ update)).sum() - 2 * (update * cross).sum()


def _solved(
    moments: Moments, s: Tensor, m: Tensor, blocks: list[tuple[Tensor, Tensor]], ridge: float
) -> tuple[Tensor | None, Tensor]:
    view = moments.view
    update = s.new_zeros(view.outputs, view.columns)
    inverse = s
    for allowed, outputs in blocks:
        inverse = s.new_zeros(view.columns, view.columns)
        inverse[allowed[:, None], allowed] = System(s[allowed][:, allowed]).inverse(ridge)
        update[outputs] = (inverse @ m)[:, outputs].T
    return (inverse if view.mask is None else None), update


def _units(groups: int) -> Tensor:
    return torch.eye(groups, dtype=torch.float64)
