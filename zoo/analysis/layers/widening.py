"""More neurons between two linear maps, for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


@contextmanager
def widened(
    first: nn.Linear,
    second: nn.Linear,
    incoming: Tensor,
    outgoing: Tensor,
    correction: Tensor | None = None,
    bias: float = 0.0,
) -> Iterator[None]:
    """Widen what is between two maps; behind the block they are as before.

    Args:
        first, second: maps with an activation between them.
        incoming: new rows of the first one's weight, `[neurons, inputs]`.
        outgoing: new columns of the second one's, `[outputs, neurons]`.
        correction: added to the second one's weight and, its last column, to its bias.
        bias: of the new neurons, where the first one has any.
    """
    old = [(m, n, p) for m in (first, second) for n, p in m.named_parameters(recurse=False)]
    try:
        first.weight = nn.Parameter(torch.cat([first.weight.detach(), incoming.to(first.weight)]))
        if first.bias is not None:
            more = first.bias.new_full((len(incoming),), bias)
            first.bias = nn.Parameter(torch.cat([first.bias.detach(), more]))
        weight = second.weight.detach()
        if correction is not None:
            weight = weight + correction[:, : second.in_features].to(weight)
            if second.bias is not None:
                second.bias = nn.Parameter(second.bias.detach() + correction[:, -1].to(weight))
        second.weight = nn.Parameter(torch.cat([weight, outgoing.to(weight)], 1))
        yield
    finally:
        for module, name, parameter in old:
            setattr(module, name, parameter)
