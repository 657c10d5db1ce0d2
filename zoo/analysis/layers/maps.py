"""Linear maps of a network, and their inputs and outputs as rows."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

#: Maps with more inputs are not looked into: their second moments would fill the memory.
MOST_INPUTS = 2048


@dataclass(frozen=True)
class View:
    """One matrix of weights: a = W b for each row.

    Args:
        name: of the module in the model; of a map between irreps with the irrep behind it, `after[1o]`.
        inputs, outputs: numbers of columns of b and of a, a constant for the bias not counted.
        bias: whether there is one: a further column of b, which is 1.
        mask: `[outputs, inputs]` True of those weights that are there; None: all are.
        rows_in: takes what the module gets, returns b `[rows, inputs]`.
        rows_out: takes what the module returns, or a gradient by it: `[rows, outputs]`.
        matrix: takes the module's weight and bias, or gradients by them, returns `[outputs, columns]`.
    """

    name: str
    inputs: int
    outputs: int
    bias: bool
    mask: Tensor | None
    rows_in: Callable[[Tensor], Tensor]
    rows_out: Callable[[Tensor], Tensor]
    matrix: Callable[[Tensor, Tensor | None], Tensor]

    @property
    def columns(self) -> int:
        """Columns of b with that of the bias."""
        return self.inputs + int(self.bias)

    def with_bias(self, b: Tensor, one: float = 1.0) -> Tensor:
        """Return rows `[rows, columns]`; `one` is 0 for rows that are derivatives."""
        return torch.cat([b, b.new_full((len(b), 1), one)], 1) if self.bias else b


def linear_maps(model: nn.Module) -> dict[str, nn.Module]:
    """Return the modules that are linear maps, by name: `nn.Linear`, those with a mask, e3nn's `o3.Linear`.

    Subclasses that do something else to their weights are left out, and so are maps with more than
    `MOST_INPUTS` inputs. Weights that are used without their module are seen by no one; see `unseen`.
    """
    return {name: module for name, module in model.named_modules() if views(name, module)}


def views(name: str, module: nn.Module) -> list[View]:
    """Return the matrices of a module: one, for each irrep one, or none if it is no linear map."""
    if isinstance(module, nn.Linear):
        return _plain(name, module)
    return _by_irrep(name, module) if _is_e3nn(module) else []


def unseen(model: nn.Module, seen: set[str]) -> dict[str, int]:
    """Return names and sizes of the parameters that belong to none of the modules named in `seen`."""
    inside = {id(p) for name in seen for p in model.get_submodule(name).parameters(recurse=False)}
    return {name: p.numel() for name, p in model.named_parameters() if id(p) not in inside}


def _plain(name: str, module: nn.Linear) -> list[View]:
    mask = getattr(module, "mask", None)
    masked = type(module).__name__ == "MaskedLinear" and isinstance(mask, Tensor)  # zuko's
    if (type(module) is not nn.Linear and not masked) or module.in_features > MOST_INPUTS:
        return []
    bias = module.bias is not None
    kept = mask if masked else None
    return [View(name, module.in_features, module.out_features, bias, kept, _rows, _rows, _plain_matrix)]


def _plain_matrix(weight: Tensor, bias: Tensor | None) -> Tensor:
    return weight if bias is None else torch.cat([weight, bias[:, None]], 1)


def _rows(x: Tensor) -> Tensor:
    return x.reshape(-1, x.shape[-1])


# --- e3nn: one matrix for each irrep, whose rows are (node, m) ---------------------------------------


def _is_e3nn(module: nn.Module) -> bool:
    o3 = sys.modules.get("e3nn.o3")  # a network that has such a map has imported it
    return o3 is not None and isinstance(module, o3.Linear)


def _by_irrep(name: str, module: Any) -> list[View]:
    weights = [i for i in module.instructions if i.i_in >= 0]
    biases = [i for i in module.instructions if i.i_in < 0]
    at, bias_at = _starts(weights), _starts(biases)
    out = []
    for number, (channels, irrep) in enumerate(module.irreps_out):
        own = [k for k, i in enumerate(weights) if i.i_out == number]
        inputs = sum(weights[k].path_shape[0] for k in own)
        if not 0 < inputs <= MOST_INPUTS:
            continue
        constant = [bias_at[k] for k, i in enumerate(biases) if i.i_out == number]
        several = sum(other.ir == irrep for other in module.irreps_out) > 1
        out.append(
            View(
                f"{name}[{irrep} {number}]" if several else f"{name}[{irrep}]",
                inputs, channels, bool(constant), None,
                _Irreps(module.irreps_in, [(weights[k].i_in, weights[k].path_weight) for k in own]),
                _Irreps(module.irreps_out, [(number, 1.0)]),
                _Flat([(at[k], weights[k].path_shape) for k in own], constant, channels),
            )
        )  # fmt: skip
    return out


def _starts(instructions: Sequence[Any]) -> list[int]:
    """Where each instruction's numbers begin in the flat tensor of weights, or of biases."""
    out, start = [], 0
    for instruction in instructions:
        out.append(start)
        size = 1
        for n in instruction.path_shape:
            size *= n
        start += size
    return out


@dataclass(frozen=True)
class _Irreps:
    """Features `[..., irreps.dim]` to rows `[(..., m), channels]` of some of their parts, times factors."""

    irreps: Any
    parts: list[tuple[int, float]]

    def __call__(self, x: Tensor) -> Tensor:
        columns = []
        for number, factor in self.parts:
            channels, irrep = self.irreps[number]
            part = _rows(x[..., self.irreps.slices()[number]]).unflatten(1, (channels, irrep.dim))
            columns.append(factor * part.transpose(1, 2).reshape(-1, channels))
        return torch.cat(columns, 1)


@dataclass(frozen=True)
class _Flat:
    """Flat weights and biases of all paths to the matrix of one irrep."""

    weights: list[tuple[int, tuple[int, int]]]
    biases: list[int]
    channels: int

    def __call__(self, weight: Tensor, bias: Tensor | None) -> Tensor:
        parts = [weight[at : at + a * b].view(a, b).T for at, (a, b) in self.weights]
        if self.biases and bias is not None:
            parts.append(bias[self.biases[0] : self.biases[0] + self.channels, None])
        return torch.cat(parts, 1)
