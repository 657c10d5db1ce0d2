"""Which columns a coupling changes."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def halves(circular: int, local: int, count: int, generator: torch.Generator) -> list[Tensor]:
    """Return `count` masks `[circular + local]`, True of the columns that a coupling changes.

    Each is about half of the circular and half of the local columns, and followed by its complement. The
    n-th pair takes the n-th binary digit of shuffled column numbers: so log₂ of the number of columns
    pairs part any two columns, where random halves leave one pair in 2^pairs together.
    """
    kinds = [_digits(columns, (count + 1) // 2, generator) for columns in (circular, local)]
    masks = []
    for number in range(count):
        mask = torch.cat([kind[number // 2] for kind in kinds])
        masks.append(~mask if number % 2 else mask)
    return masks


def _digits(columns: int, count: int, generator: torch.Generator) -> list[Tensor]:
    bits = max(1, math.ceil(math.log2(max(columns, 1))))
    out = []
    for number in range(count):
        if number % bits == 0:
            order = torch.randperm(columns, generator=generator)
        out.append((order >> (number % bits)) % 2 == 1)
    return out
