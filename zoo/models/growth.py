"""Wider hidden layers of a model that exists: new neurons behind the old ones, the rest as it was.

A place is a linear map, an activation and a second linear map, one right behind the other. It is named
`first > second`, by the names of the two maps in the model.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from zoo.errors import ConfigError
from zoo.models.base import ZooModel

JOINT = " > "

#: An old parameter and the larger one that took its place.
Swap = tuple[nn.Parameter, nn.Parameter]


def maps_of(model: nn.Module, place: str) -> tuple[nn.Linear, nn.Linear]:
    """Return the two linear maps of a place. Raises `ConfigError` where the model has no such place."""
    try:
        first, second = (model.get_submodule(name) for name in place.split(JOINT))
    except (AttributeError, ValueError) as error:
        raise ConfigError(f"the model has no place {place!r}") from error
    for module in (first, second):
        if type(module) is not nn.Linear:
            raise ConfigError(f"{place!r} is not between two plain linear maps")
    assert isinstance(first, nn.Linear) and isinstance(second, nn.Linear)
    if first.out_features != second.in_features:
        raise ConfigError(f"{place!r}: {first.out_features} outputs do not meet {second.in_features} inputs")
    return first, second


def parameters_in_use(model: ZooModel) -> int:
    """Number of parameters, without the embeddings of types that the training data does not have.

    `SchNet` and `GAT` hold one for each of 100 elements: at small widths most of their parameters.
    """
    total = sum(p.numel() for p in model.parameters())
    table = getattr(model, "embedding", None)
    if isinstance(table, nn.Embedding) and table.num_embeddings > len(model.info.types):
        total -= (table.num_embeddings - len(model.info.types)) * table.embedding_dim
    return total


def neuron_cost(model: nn.Module, place: str) -> int:
    """Number of parameters of one more neuron at a place."""
    first, second = maps_of(model, place)
    return first.in_features + int(first.bias is not None) + second.out_features


def widen(model: ZooModel, place: str, incoming: Tensor, outgoing: Tensor) -> list[Swap]:
    """Add neurons at a place. With `outgoing` 0 the model's function is unchanged.

    Where others have a bias theirs is 0. What was added is counted in `model.growth`, with which
    `load_weights` builds the model again.

    Args:
        model: changed in place; its parameters there are replaced by larger ones.
        place: `first > second`.
        incoming: weights `[neurons, inputs of first]`.
        outgoing: weights `[outputs of second, neurons]`.

    Returns:
        The parameters that were replaced, for an optimiser (`follow`).

    Raises:
        ConfigError: there is no such place, or the shapes do not fit.
    """
    first, second = maps_of(model, place)
    count = len(incoming)
    if incoming.shape != (count, first.in_features) or outgoing.shape != (second.out_features, count):
        raise ConfigError(f"{place!r}: the new weights do not fit")
    swaps = [_swap(first, "weight", incoming, 0), _swap(second, "weight", outgoing, 1)]
    if first.bias is not None:
        swaps.append(_swap(first, "bias", incoming.new_zeros(count), 0))
    first.out_features += count
    second.in_features += count
    model.growth[place] = model.growth.get(place, 0) + count
    return swaps


def grow_to(model: ZooModel, growth: Mapping[str, int]) -> None:
    """Give a newly built model the widths of one that has grown; the new weights are 0.

    Raises:
        ConfigError: the model has no such place.
    """
    for place, count in growth.items():
        first, second = maps_of(model, place)
        weight = first.weight
        widen(
            model,
            place,
            weight.new_zeros(count, first.in_features),
            weight.new_zeros(second.out_features, count),
        )


def padded(state: Mapping[str, Tensor], model: nn.Module) -> dict[str, Tensor]:
    """Return weights from before a growth in the sizes that the model has now, the same function.

    New neurons stand behind the old ones, so that zeros behind the old weights are neurons without effect.
    """
    out = dict(state)
    for name, value in model.named_parameters():
        if name in out:
            out[name] = grown_tensor(out[name], value.shape)
    return out


def grown_tensor(value: Tensor, shape: torch.Size, fill: float | Tensor = 0.0) -> Tensor:
    """Return a tensor of a larger shape with `value` at its beginning and `fill` behind."""
    if value.shape == shape:
        return value
    out = value.new_zeros(shape) + fill
    out[tuple(slice(n) for n in value.shape)] = value
    return out


def follow(optimizer: torch.optim.Optimizer, swaps: list[Swap]) -> None:
    """Let an optimiser go on with the parameters that took the place of others.

    What it remembers of the old entries stays. Of the new ones, first moments are 0, and second moments the
    mean of the tensor: with 0 Adam would make their first steps several times as long as all others.
    """
    for old, new in swaps:
        for group in optimizer.param_groups:
            group["params"] = [new if p is old else p for p in group["params"]]
        if old not in optimizer.state:
            continue
        state = optimizer.state.pop(old)
        for key, value in state.items():
            if torch.is_tensor(value) and value.shape == old.shape:
                fill = value.mean() if key.endswith("_sq") else 0.0
                state[key] = grown_tensor(value, new.shape, fill)
        optimizer.state[new] = state


def _swap(module: nn.Linear, name: str, more: Tensor, dim: int) -> Swap:
    old = getattr(module, name)
    new = nn.Parameter(torch.cat([old.detach(), more.detach().to(old)], dim), old.requires_grad)
    setattr(module, name, new)
    return old, new
