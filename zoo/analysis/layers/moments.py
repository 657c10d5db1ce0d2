"""Second moments of inputs and wishes, group of graphs by group of graphs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from zoo.analysis.layers.maps import View, linear_maps, views
from zoo.analysis.layers.pairs import Place
from zoo.analysis.layers.probe import GraphLoss, Rows, rows
from zoo.errors import DataError

#: Groups of graphs that stay apart, for errors and for trials on graphs that were not fitted to.
GROUPS = 16


@dataclass(frozen=True)
class Sums:
    """Sums over the rows of each group of graphs: of values, and of tangents where a loss has them.

    Args:
        product: `[groups, m, n]` Σ left rightᵀ of the values.
        tangent: the same of the tangents; None where there are none.
    """

    product: Tensor
    tangent: Tensor | None = None

    def total(self, weights: Tensor, length: float = 1.0) -> Tensor:
        """Return `[m, n]`, the sum over groups times `weights [groups]`; tangents times `length`²."""
        out = torch.tensordot(weights, self.product, 1)
        return out if self.tangent is None else out + length**2 * torch.tensordot(weights, self.tangent, 1)


@dataclass(frozen=True)
class Moments:
    """Of one matrix a = W b.

    Tangents enter as rows (ℓ ḃ, V̇/ℓ): ℓ is the length that particles move by until the map's input has
    changed by as much as it is, Σ‖b‖² = ℓ² Σ‖ḃ‖², so that both sorts of rows weigh alike. Σ V bᵀ does not
    depend on ℓ.

    Args:
        view: the matrix.
        graphs: `[groups]` number of graphs.
        rows: `[groups]` number of rows of values.
        gram: Σ b bᵀ `[groups, columns, columns]`.
        cross: Σ b Vᵀ `[groups, columns, outputs]` of values and tangents.
        square: Σ ‖V‖² `[groups, 1, 1]`, tangents with ℓ⁻².
        gradients: `[graphs]` root mean square over the weights of ∂L/∂W of each graph; 0 where the graph's
            loss does not depend on them.
        length: ℓ, the unit of length; 1 where there are no tangents.
    """

    view: View
    graphs: Tensor
    rows: Tensor
    gram: Sums
    cross: Tensor
    square: Sums
    gradients: Tensor
    length: float = 1.0

    def parts(self, weights: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return S = ⟨b bᵀ⟩, M = ⟨b Vᵀ⟩ and ⟨‖V‖²⟩ of groups times `weights [groups]`.

        ⟨⟩ is the sum over the rows of a graph, averaged over graphs.
        """
        n = weights @ self.graphs
        return (
            self.gram.total(weights, self.length) / n,
            torch.tensordot(weights, self.cross, 1) / n,
            self.square.total(weights, 1 / self.length)[0, 0] / n,
        )


@dataclass(frozen=True)
class Joint:
    """Of a place (first map, activation, second map): what new neurons there would see and be asked for.

    Args:
        place: names of the three.
        seen: Σ b₋₂ b₋₂ᵀ `[groups, inputs, inputs]` of the first map's inputs, without a constant.
        shared: Σ b₋₂ bᵀ `[groups, inputs, columns]` with the second map's inputs.
        wish: Σ b₋₂ Vᵀ `[groups, inputs, outputs]` with what is wanted of the second map.
    """

    place: Place
    seen: Sums
    shared: Sums
    wish: Tensor


@dataclass
class Measured:
    """Moments of all matrices and places of a network, and the losses they were taken at.

    Args:
        maps: by name of the matrix.
        places: by name of the place.
        losses: `[graphs]`.
    """

    maps: dict[str, Moments]
    places: dict[str, Joint]
    losses: Tensor
    _groups: int = field(default=0, repr=False)

    @property
    def groups(self) -> int:
        """How many groups of graphs are kept apart."""
        return self._groups


def measure(
    model: nn.Module, losses: Iterable[GraphLoss], graphs: int, places: Sequence[Place] = ()
) -> Measured:
    """Gather moments over graphs.

    Args:
        model: in evaluation mode and float64.
        losses: one for each graph, bound to the model; neighbours in time one behind the other.
        graphs: how many there are.
        places: from `growable`.

    Raises:
        DataError: fewer than two graphs, or one with a loss that is no finite number.
    """
    if graphs < 2:
        raise DataError("layers are looked into with two graphs at least")
    groups = min(GROUPS, graphs)
    gather = _Gather(model, groups, places)
    values = []
    for number, loss in enumerate(losses):
        values.append(float(loss.evaluated()))
        gather.add(number * groups // graphs, rows(model, loss))
    return gather.measured(torch.tensor(values, dtype=torch.float64))


class _Gather:
    def __init__(self, model: nn.Module, groups: int, places: Sequence[Place]) -> None:
        self.views = {
            view.name: view for name, module in linear_maps(model).items() for view in views(name, module)
        }
        self.groups, self.places = groups, list(places)
        self.graphs = torch.zeros(groups, dtype=torch.float64)
        self.rows: dict[str, Tensor] = {}
        self.norms: list[dict[str, float]] = []
        self.sums: dict[tuple[str, ...], tuple[Tensor, Tensor | None]] = {}

    def add(self, group: int, found: dict[str, Rows]) -> None:
        """Add the rows of one graph."""
        self.graphs[group] += 1
        self.norms.append({name: float(r.gradient().square().mean().sqrt()) for name, r in found.items()})
        for name, r in found.items():
            count = self.rows.setdefault(name, torch.zeros(self.groups, dtype=torch.float64))
            count[group] += len(r.b)
            self._put(("gram", name), group, r.b, r.b, r.b_tangent, r.b_tangent)
            self._put(("cross", name), group, r.b, r.v, r.b_tangent, r.v_tangent)
            tangent = None if r.v_tangent is None else r.v_tangent.reshape(-1, 1)
            self._put(("square", name), group, *[r.v.reshape(-1, 1)] * 2, *[tangent] * 2)
        for place in self.places:
            if place.first in found and place.second in found:
                self._join(group, place, found[place.first], found[place.second])

    def _join(self, group: int, place: Place, first: Rows, second: Rows) -> None:
        if len(first.b) != len(second.b):
            raise DataError(f"{place.name}: rows of both maps differ")
        n = self.views[place.first].inputs
        b, db = first.b[:, :n], None if first.b_tangent is None else first.b_tangent[:, :n]
        self._put(("seen", place.name), group, b, b, db, db)
        self._put(("shared", place.name), group, b, second.b, db, second.b_tangent)
        self._put(("wish", place.name), group, b, second.v, db, second.v_tangent)

    def _put(
        self, key: tuple[str, ...], group: int, left: Tensor, right: Tensor,
        left_tangent: Tensor | None, right_tangent: Tensor | None,
    ) -> None:  # fmt: skip
        shape = (self.groups, left.shape[1], right.shape[1])
        values, tangents = self.sums.get(key, (left.new_zeros(shape), None))
        values[group] += left.T @ right
        if left_tangent is not None and right_tangent is not None:
            tangents = left.new_zeros(shape) if tangents is None else tangents
            tangents[group] += left_tangent.T @ right_tangent
        self.sums[key] = (values, tangents)

    def measured(self, losses: Tensor) -> Measured:
        """Return what was gathered."""
        names = [name for name in self.views if name in self.rows]
        lengths = self._lengths(names)
        maps = {
            name: Moments(
                self.views[name], self.graphs, self.rows[name], self._of("gram", name),
                self._both("cross", name), self._of("square", name), self._norms(name), lengths[name],
            )
            for name in names
        }  # fmt: skip
        places = {
            place.name: Joint(
                place, self._of("seen", place.name), self._of("shared", place.name),
                self._both("wish", place.name),
            )
            for place in self.places
            if ("wish", place.name) in self.sums
        }  # fmt: skip
        return Measured(maps, places, losses, self.groups)

    def _of(self, *key: str) -> Sums:
        return Sums(*self.sums[key])

    def _both(self, *key: str) -> Tensor:
        sums = self._of(*key)
        return sums.product if sums.tangent is None else sums.product + sums.tangent

    def _norms(self, name: str) -> Tensor:
        return torch.tensor([found.get(name, 0.0) for found in self.norms], dtype=torch.float64)

    def _lengths(self, names: list[str]) -> dict[str, float]:
        """ℓ of each map; of one whose input does not move with the particles, the middle of the others."""
        found: dict[str, float] = {}
        for name in names:
            gram, n = self._of("gram", name), self.views[name].inputs
            if gram.tangent is None:
                return dict.fromkeys(names, 1.0)
            still, moving = (float(g.sum(0).diagonal()[:n].sum()) for g in (gram.product, gram.tangent))
            if moving > 1e-12 * still:
                found[name] = (still / moving) ** 0.5
        middle = sorted(found.values())[len(found) // 2] if found else 1.0
        return {name: found.get(name, middle) for name in names}
