"""Continuous-filter convolutions over pairs of nodes, differentiable any number of times.

    m_i = Σ_j W_ij ⊙ x_j

Filters depend on distances, so that W_ij = W_ji: they are kept once for each pair, and the
convolution is its own transpose. Its derivatives close under two operations, the sum above and the
product `W_ij = a_i ⊙ b_j + a_j ⊙ b_i`, and each layout of pairs needs to implement those two:

- `CompletePairs`: batches of one molecule on the CPU, all pairs. Blocks of memory are added to
  blocks of memory; no index is looked up, no message is stored.
- `ListedPairs`: any neighbour list with pair numbers.
- `DirectedEdges`: graphs made elsewhere, without pair numbers; one filter for each edge.

Each layout has its own order of nodes (`enter`, `leave`) and of rows of filters (`distance`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor
from torch_geometric.data import Data

from zoo import keys
from zoo.data.graph import num_graphs
from zoo.graphs import Segments, batched_all_pairs, segment_sum
from zoo.models.base import require_key


class Pairs(ABC):
    """A layout of pairs.

    Attributes:
        distance: `[rows]` length of each row's edge, differentiable by the positions.
        reverse: the layout with every edge turned round; itself where filters are symmetric.
    """

    distance: Tensor
    reverse: Pairs

    def enter(self, h: Tensor) -> Tensor:
        """Bring `[nodes, channels]` into this layout's order of nodes, `[..., channels]`."""
        return h

    def leave(self, h: Tensor) -> Tensor:
        """Inverse of `enter`."""
        return h

    def convolve(self, filters: Tensor, x: Tensor) -> Tensor:
        """Return `Σ_j W_ij ⊙ x_j` for filters `[rows, channels]` and x `[..., channels]`."""
        return _Convolve.apply(filters, x.to(filters.dtype), self)

    @abstractmethod
    def weighted_sum(self, filters: Tensor, x: Tensor) -> Tensor:
        """The kernel of `convolve`, without gradients."""

    @abstractmethod
    def product(self, a: Tensor, b: Tensor) -> Tensor:
        """Return `∂⟨a, convolve(W, b)⟩/∂W`, `[rows, channels]`, without gradients."""


class _Convolve(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, filters: Tensor, x: Tensor, pairs: Pairs) -> Tensor:
        ctx.save_for_backward(filters, x)
        ctx.pairs = pairs
        return pairs.weighted_sum(filters, x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        filters, x = ctx.saved_tensors
        by_filters = by_x = None
        if ctx.needs_input_grad[0]:
            by_filters = _Product.apply(grad, x, ctx.pairs)
        if ctx.needs_input_grad[1]:
            by_x = _Convolve.apply(filters, grad, ctx.pairs.reverse)
        return by_filters, by_x, None


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor, pairs: Pairs) -> Tensor:
        ctx.save_for_backward(a, b)
        ctx.pairs = pairs
        return pairs.product(a, b)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        a, b = ctx.saved_tensors
        by_a = by_b = None
        if ctx.needs_input_grad[0]:
            by_a = _Convolve.apply(grad, b, ctx.pairs)
        if ctx.needs_input_grad[1]:
            by_b = _Convolve.apply(grad, a, ctx.pairs.reverse)
        return by_a, by_b, None


class CompletePairs(Pairs):
    """All pairs of equal molecules. Nodes are ordered `[atom, molecule]`.

    Rows are ordered `[step, atom, molecule]`: step k pairs atom i with atom i + k (mod n), for
    k = 1 … n/2. Written twice behind itself, x turns "atom i + k" into a block of memory.
    """

    def __init__(self, pos: Tensor, graphs: int) -> None:
        self.reverse = self
        self.graphs, self.atoms = graphs, len(pos) // graphs
        n = self.atoms
        self.steps = n // 2
        #: pairs of each step; with n even, the last one would count every pair twice
        self.sizes = [n // 2 if 2 * k == n else n for k in range(1, self.steps + 1)]
        first, second = _circle(n, pos.device)
        x = self.enter(pos).flatten(1)
        r = x.index_select(0, second) - x.index_select(0, first)
        self.distance = length(r.view(-1, 3))

    def enter(self, h: Tensor) -> Tensor:
        """`[molecules · atoms, C]` → `[atoms, molecules, C]`."""
        return h.view(self.graphs, self.atoms, *h.shape[1:]).transpose(0, 1).contiguous()

    def leave(self, h: Tensor) -> Tensor:
        """`[atoms, molecules, ...]` → `[molecules · atoms, ...]`."""
        return h.transpose(0, 1).reshape(self.graphs * self.atoms, *h.shape[2:])

    def weighted_sum(self, filters: Tensor, x: Tensor) -> Tensor:
        """See `Pairs`."""
        w = filters.view(-1, *x.shape[1:])
        around = torch.cat([x, x[: self.steps]])
        out = torch.zeros_like(around)
        start = 0
        for k, size in enumerate(self.sizes, 1):
            block = w[start : start + size]
            out[:size].addcmul_(block, around[k : k + size])
            out[k : k + size].addcmul_(block, around[:size])
            start += size
        out[: self.steps] += out[self.atoms :]
        return out[: self.atoms]

    def product(self, a: Tensor, b: Tensor) -> Tensor:
        """See `Pairs`."""
        around_a, around_b = torch.cat([a, a[: self.steps]]), torch.cat([b, b[: self.steps]])
        out = a.new_empty(sum(self.sizes), *a.shape[1:])
        start = 0
        for k, size in enumerate(self.sizes, 1):
            block = out[start : start + size]
            torch.mul(around_a[:size], around_b[k : k + size], out=block)
            block.addcmul_(around_a[k : k + size], around_b[:size])
            start += size
        return out.view(-1, a.shape[-1])


class ListedPairs(Pairs):
    """Pairs of a neighbour list, in the order of `pair_edge`."""

    def __init__(self, graph: Data, edges_per_node: int | None = None) -> None:
        self.reverse = self
        pos, (send, receive) = graph[keys.POS], graph[keys.EDGE_INDEX]
        self.send, self.pair = send, graph[keys.EDGE_PAIR]
        self.receivers = Segments.sorted(receive, len(pos), edges_per_node)
        one = graph[keys.PAIR_EDGE]
        self.i, self.j = receive.index_select(0, one), send.index_select(0, one)
        self.distance = edge_length(pos, self.j, self.i, graph.get(keys.EDGE_SHIFT), one)

    def weighted_sum(self, filters: Tensor, x: Tensor) -> Tensor:
        """See `Pairs`."""
        messages = filters.index_select(0, self.pair).mul_(x.index_select(0, self.send))
        return segment_sum(messages, self.receivers)

    def product(self, a: Tensor, b: Tensor) -> Tensor:
        """See `Pairs`."""
        out = a.index_select(0, self.i).mul_(b.index_select(0, self.j))
        return out.addcmul_(a.index_select(0, self.j), b.index_select(0, self.i))


class DirectedEdges(Pairs):
    """Edges as they come: any order, one direction or both."""

    def __init__(self, graph: Data) -> None:
        pos, (send, receive) = graph[keys.POS], graph[keys.EDGE_INDEX]
        self.send, self.receive, self.nodes = send, receive, len(pos)
        self.distance = edge_length(pos, send, receive, graph.get(keys.EDGE_SHIFT))
        turned = object.__new__(DirectedEdges)
        turned.send, turned.receive, turned.nodes = receive, send, len(pos)
        turned.reverse, self.reverse = self, turned

    def weighted_sum(self, filters: Tensor, x: Tensor) -> Tensor:
        """See `Pairs`."""
        messages = filters * x.index_select(0, self.send)
        return x.new_zeros(self.nodes, x.shape[1]).index_add_(0, self.receive, messages)

    def product(self, a: Tensor, b: Tensor) -> Tensor:
        """See `Pairs`."""
        return a.index_select(0, self.receive) * b.index_select(0, self.send)


def make_pairs(graph: Data) -> Pairs:
    """Choose the layout for a graph or batch. Raises `DataError` if it has no `edge_index`."""
    require_key(graph, keys.EDGE_INDEX, "a graph network")
    atoms = complete_atoms(graph)
    if atoms and graph[keys.POS].device.type == "cpu":
        return CompletePairs(graph[keys.POS], num_graphs(graph))
    if graph.get(keys.EDGE_PAIR) is None or graph.get(keys.PAIR_EDGE) is None:
        return DirectedEdges(graph)
    return ListedPairs(graph, atoms - 1 if atoms else None)


def complete_atoms(graph: Data) -> int | None:
    """Atoms of each graph, if all graphs have equally many and all pairs as edges, in order."""
    edge_index, nodes, graphs = graph[keys.EDGE_INDEX], len(graph[keys.POS]), num_graphs(graph)
    if graph.get(keys.EDGE_SHIFT) is not None or not 0 < graphs < nodes or nodes % graphs:
        return None
    atoms = nodes // graphs
    if edge_index.shape[1] != nodes * (atoms - 1):
        return None
    return atoms if torch.equal(edge_index, _all_pairs(atoms, graphs, edge_index.device)) else None


def edge_length(
    pos: Tensor, send: Tensor, receive: Tensor, shift: Tensor | None, rows: Tensor | None = None
) -> Tensor:
    """Length of edges `[E]`; `rows` picks those of `shift`."""
    r = pos.index_select(0, receive) - pos.index_select(0, send)
    if shift is not None:
        r = r + (shift if rows is None else shift.index_select(0, rows))
    return length(r)


def length(r: Tensor) -> Tensor:
    """Norm of `[E, 3]`, with gradient 0 (not NaN) where two nodes coincide."""
    return r.square().sum(-1).clamp_min(1e-24).sqrt()


@lru_cache(maxsize=8)
def _all_pairs(atoms: int, graphs: int, device: torch.device) -> Tensor:
    return batched_all_pairs(atoms, graphs, device).edge_index


@lru_cache(maxsize=8)
def _circle(n: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """First and second atom of each pair in the order of `CompletePairs`."""
    first, second = [], []
    for k in range(1, n // 2 + 1):
        size = n // 2 if 2 * k == n else n
        first += list(range(size))
        second += [(i + k) % n for i in range(size)]
    return torch.tensor(first, device=device), torch.tensor(second, device=device)
