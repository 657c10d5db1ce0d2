"""Features of nodes between the layers of a network."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch_geometric.data import Data

from zoo import keys
from zoo.data.graph import num_graphs
from zoo.errors import ConfigError, DataError
from zoo.models.base import ZooModel
from zoo.models.ensemble import members_of


def node_features(model: ZooModel, graph: Data) -> dict[str, Tensor]:
    """Return the features of each node before the first layer, between layers and after the last one.

    Found in a forward pass in evaluation mode, differentiable by positions and weights where gradients are
    on. Layers are the children of the outermost `nn.ModuleList` that work on nodes, unless the model says
    otherwise (`ZooModel.node_states`). Of features that turn with the frame (a layer with `irreps` of e3nn)
    scalars are as they are and others are norms over the 2l + 1 components of each channel, so all that is
    returned is invariant where the model is; a pseudoscalar still changes its sign in a mirror. Of several
    networks that predict together, the features are those of the first.

    Args:
        model: a network of nodes.
        graph: one graph, with the edges that the model needs: layouts of batches differ by model.

    Returns:
        `[nodes, channels]` by name, in the order of depth: `layer 0` is what the first layer gets.

    Raises:
        ConfigError: the model has no layers that change features of nodes.
        DataError: several graphs at once, or a graph of as many edges as nodes, where a layer that gets
            both does not tell which is which.
    """
    if num_graphs(graph) != 1:
        raise DataError(f"features of nodes are taken of one graph at a time, got {num_graphs(graph)}")
    model = members_of(model)[0]
    training = model.training
    model.eval()
    try:
        found = model.node_states(graph)
        return _recorded(model, graph) if found is None else found
    finally:
        model.train(training)


def _recorded(model: ZooModel, graph: Data) -> dict[str, Tensor]:
    record = _Record(model, len(graph[keys.POS]))
    try:
        model(graph)
    finally:
        record.remove()
    blocks = record.blocks()
    if not blocks:
        raise ConfigError(f"{type(model).__name__} has no layers that change features of its nodes")
    edges = graph.get(keys.EDGE_INDEX)
    if edges is not None and edges.shape[1] == record.nodes and any(call.several for call in blocks):
        raise DataError("the graph has as many edges as nodes, which are which is not told: take another")
    irreps = [None, *(getattr(call.module, "irreps", None) for call in blocks)]
    states = [*(call.state for call in blocks), record.last(blocks)]
    return {
        f"layer {k}": _invariant(state.flatten(1), kind)
        for k, (state, kind) in enumerate(zip(states, irreps, strict=True))
    }


class _Call:
    """One call of a module that got features of nodes; `index` counts all calls."""

    def __init__(self, name: str, module: nn.Module, index: int, found: list[Tensor]) -> None:
        self.name, self.module, self.index = name, module, index
        self.state, self.several = found[0], len(found) > 1
        self.result: list[Tensor] = []


class _Record:
    """Calls of the modules of a model in one forward pass."""

    def __init__(self, model: nn.Module, nodes: int) -> None:
        self.model, self.nodes = model, nodes
        self.calls: list[_Call] = []
        self._count = 0
        self._hooks: list[Any] = []
        for name, module in model.named_modules():
            if name:
                self._watch(name, module)

    def _watch(self, name: str, module: nn.Module) -> None:
        open_calls: list[_Call | None] = []

        def enters(_: nn.Module, args: tuple[Any, ...]) -> None:
            self._count += 1
            found = self._of_nodes(args)
            open_calls.append(_Call(name, module, self._count, found) if found else None)
            if found:
                self.calls.append(open_calls[-1])  # type: ignore[arg-type]

        def leaves(_: nn.Module, args: tuple[Any, ...], result: Any) -> None:
            call = open_calls.pop()
            if call is not None:
                call.result = self._of_nodes(result if isinstance(result, tuple) else (result,))

        self._hooks += [module.register_forward_pre_hook(enters), module.register_forward_hook(leaves)]

    def _of_nodes(self, values: tuple[Any, ...]) -> list[Tensor]:
        return [
            v for v in values
            if isinstance(v, Tensor) and v.is_floating_point() and v.ndim > 1 and len(v) == self.nodes
        ]  # fmt: skip

    def remove(self) -> None:
        """Leave the model as it was."""
        for hook in self._hooks:
            hook.remove()

    def blocks(self) -> list[_Call]:
        """Calls of the layers: of the children of the outermost list that were all called on nodes."""
        lists = [n for n, m in self.model.named_modules() if isinstance(m, nn.ModuleList) and len(m)]
        for name in sorted(lists, key=lambda name: name.count(".")):
            own = [call for call in self.calls if call.name.rpartition(".")[0] == name]
            size = len(self.model.get_submodule(name))  # type: ignore[arg-type]
            if len({call.name for call in own}) == len(own) == size:
                return own
        return []

    def last(self, blocks: list[_Call]) -> Tensor:
        """Features after the last layer: what the next module gets.

        Where that has more beside them, they are what the layer returns.
        """
        final = blocks[-1]
        inside = f"{final.name}."
        later = [c.state for c in self.calls if c.index > final.index and not c.name.startswith(inside)]
        width = final.state.shape[-1]
        same = [h for h in [*later[:1], *final.result] if h.shape[-1] == width]
        return [*same, *later, *final.result][0]


def _invariant(h: Tensor, irreps: Any) -> Tensor:
    """Scalars of `h [nodes, irreps.dim]` and norms of the rest, `[nodes, channels]`."""
    if irreps is None:
        return h
    parts, start = [], 0
    for channels, irrep in irreps:
        stop = start + channels * irrep.dim
        part = h[:, start:stop].unflatten(1, (channels, irrep.dim))
        # clamped: a norm has no gradient at zero
        parts.append(part[..., 0] if irrep.l == 0 else part.square().sum(-1).clamp_min(1e-24).sqrt())
        start = stop
    return torch.cat(parts, dim=1)
