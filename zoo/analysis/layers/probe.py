"""Inputs b of each linear map a = W b and what the loss wants of its outputs, V = −∂L/∂a, row by row.

A loss that depends on values alone has rows (b, V). One that depends on forces F = −∂E/∂x depends on a(x)
and on its derivative, so −∂L/∂a says too little. With the direction v = ∂L/∂F held fixed, a change δa(x) =
δW b(x) of a map changes the loss by

    δL = −Σ v · ∂δE/∂x = −d/dε δE(x + ε v),   δE = Σ_rows g · δW b,   g = ∂E/∂a,

    δL = −Σ_rows (ġ · δW b + g · δW ḃ),   dots being d/dε at ε = 0.

The samples are then the values and the tangents of the map's input: rows (b, ġ) and (ḃ, g), and Σ V bᵀ over
both is −∂L/∂W, as with the other losses. The tangents are symmetric differences in float64, which no network
needs a second derivative for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from zoo.analysis.layers.maps import View, linear_maps, views
from zoo.errors import DataError

#: Step of the tangents: root mean square displacement of a particle, in the unit of length.
STEP = 1e-5
#: Losses that draw noise draw the same each time.
SEED = 7


@dataclass(frozen=True)
class ValueLoss:
    """Loss of one graph that depends on the network's values alone.

    Args:
        value: returns the loss, a scalar, from the network as it is.
    """

    value: Callable[[], Tensor]

    def evaluated(self) -> Tensor:
        """Return the loss without gradients; noise that it draws is the same each time."""
        return _evaluated(self.value)


@dataclass(frozen=True)
class SlopeLoss:
    """Loss of one graph that depends on an energy and on its gradient by the positions.

    Args:
        energy: returns the energy, a scalar, with positions moved by `[nodes, 3]`.
        direction: ∂L/∂F `[nodes, 3]`, F being −∂E/∂x.
        by_energy: ∂L/∂E.
        value: returns the loss, a scalar, from the network as it is.
    """

    energy: Callable[[Tensor], Tensor]
    direction: Tensor
    by_energy: float
    value: Callable[[], Tensor]

    def evaluated(self) -> Tensor:
        """Return the loss without gradients."""
        return _evaluated(self.value)


GraphLoss = ValueLoss | SlopeLoss


@dataclass(frozen=True)
class Rows:
    """Samples of one matrix in one graph.

    Args:
        b: `[rows, columns]` inputs, the last column being 1 where there is a bias.
        v: `[rows, outputs]` −∂L/∂a.
        b_tangent: the same as `b` of d/dε along the loss's direction, in a length's time in which particles
            move by one unit of length (root mean square); the constant's column is 0. None of a `ValueLoss`.
        v_tangent: the same as `v` of what is wanted of the tangents.
    """

    b: Tensor
    v: Tensor
    b_tangent: Tensor | None = None
    v_tangent: Tensor | None = None

    def gradient(self) -> Tensor:
        """Return Σ V bᵀ = −∂L/∂W, `[outputs, columns]`."""
        total = self.v.T @ self.b
        if self.b_tangent is not None and self.v_tangent is not None:
            total = total + self.v_tangent.T @ self.b_tangent
        return total


def rows(model: nn.Module, loss: GraphLoss) -> dict[str, Rows]:
    """Return the samples of each matrix in one graph, by name of its view.

    Args:
        model: in evaluation mode; in float64, for a `SlopeLoss` at least.
        loss: of one graph, bound to this model.

    Returns:
        Those of the maps that were called and that the loss depends on. A map that is called several times
        has the rows of all calls.

    Raises:
        DataError: the loss is no finite number, or the network does something else if particles are moved
            by `STEP`.
    """
    if isinstance(loss, ValueLoss):
        found = _traced(model, loss.value)
        return {
            view.name: Rows(view.with_bias(view.rows_in(b)), -view.rows_out(g))
            for view, b, g in _viewed(model, found)
        }
    return _slope_rows(model, loss)


def _slope_rows(model: nn.Module, loss: SlopeLoss) -> dict[str, Rows]:
    speed = float(loss.direction.square().sum(-1).mean().sqrt())
    unit = loss.direction / speed if speed > 0 else torch.zeros_like(loss.direction)
    ahead = _traced(model, lambda: loss.energy(STEP * unit))
    behind = _traced(model, lambda: loss.energy(-STEP * unit))
    out = {}
    for (view, b1, g1), (other, b2, g2) in zip(_viewed(model, ahead), _viewed(model, behind), strict=True):
        if view.name != other.name or b1.shape != b2.shape:
            raise DataError(f"{view.name} has other rows once particles are moved by {STEP:g}")
        (b, db), (g, dg) = (_middle(view.rows_in(b1), view.rows_in(b2)),
                            _middle(view.rows_out(g1), view.rows_out(g2)))  # fmt: skip
        out[view.name] = Rows(
            view.with_bias(b), speed * dg - loss.by_energy * g, view.with_bias(db, 0.0), speed * g
        )
    return out


def _middle(ahead: Tensor, behind: Tensor) -> tuple[Tensor, Tensor]:
    """Mean, and derivative by the step."""
    return (ahead + behind) / 2, (ahead - behind) / (2 * STEP)


def _viewed(model: nn.Module, found: dict[str, tuple[Tensor, Tensor]]) -> list[tuple[View, Tensor, Tensor]]:
    return [(view, b, g) for name, (b, g) in found.items() for view in views(name, model.get_submodule(name))]


def _evaluated(value: Callable[[], Tensor]) -> Tensor:
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        return value().detach()


def _traced(model: nn.Module, value: Callable[[], Tensor]) -> dict[str, tuple[Tensor, Tensor]]:
    """Inputs `[..., in]` and gradients by outputs `[..., out]` of each linear module, calls joined."""
    calls: list[tuple[str, Tensor, Tensor]] = []

    def watch(name: str) -> Callable[..., Tensor | None]:
        def hook(_: nn.Module, args: tuple[Tensor, ...], out: Tensor) -> Tensor | None:
            if not torch.is_grad_enabled():  # of what is logged, no part of the loss
                return None
            shift = torch.zeros_like(out).requires_grad_()
            calls.append((name, args[0].detach().clone(), shift))
            return out + shift

        return hook

    maps = linear_maps(model)
    hooks = [module.register_forward_hook(watch(name)) for name, module in maps.items()]
    try:
        with torch.enable_grad(), torch.random.fork_rng(devices=[]):
            torch.manual_seed(SEED)
            total = value()
    finally:
        for hook in hooks:
            hook.remove()
    if not bool(torch.isfinite(total)):
        raise DataError(f"the loss of a graph is {total.item()}: the layers cannot be looked into")
    if not calls or not total.requires_grad:
        return {}
    gradients = torch.autograd.grad(total, [shift for *_, shift in calls], allow_unused=True)
    found: dict[str, list[tuple[Tensor, Tensor]]] = {}
    for (name, b, _), g in zip(calls, gradients, strict=True):
        if g is not None:
            found.setdefault(name, []).append((b.reshape(-1, b.shape[-1]), g.reshape(-1, g.shape[-1])))
    return {
        name: (torch.cat([b for b, _ in found[name]]), torch.cat([g for _, g in found[name]]))
        for name in maps
        if name in found
    }
