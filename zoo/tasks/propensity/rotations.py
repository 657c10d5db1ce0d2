"""Random rotations of a batch, for models that do not know the symmetry of space."""

from __future__ import annotations

import copy

import torch
from torch import Tensor
from torch_geometric.data import Data

from zoo import keys


def turned(batch: Data, kind: str) -> Data:
    """Return a batch turned and perhaps mirrored at random, as a whole; "none" returns it as it is.

    Args:
        kind: "octahedral": one of the 48 symmetries of the cube; "full": of all rotations and their
            mirror images. A system in the plane z = 0 stays there.
    """
    if kind == "none":
        return batch
    flat = not bool(batch[keys.POS][:, 2].any())
    matrix = _signed_permutation(flat) if kind == "octahedral" else _orthogonal(flat)
    out = copy.copy(batch)  # the tensors of the cached graph stay as they are
    for key in (keys.POS, keys.EDGE_SHIFT, keys.CELL, keys.FORCES):
        value = batch.get(key)
        if value is not None:
            out[key] = value @ matrix.to(value).T
    return out


def _signed_permutation(flat: bool) -> Tensor:
    """One of the 48 (in the plane: 8) matrices with one ±1 in each row and column."""
    size = 2 if flat else 3
    matrix = torch.eye(3)
    rows = torch.eye(size)[torch.randperm(size)]
    matrix[:size, :size] = rows * (2 * torch.randint(0, 2, (size, 1)) - 1)
    return matrix


def _orthogonal(flat: bool) -> Tensor:
    """A matrix of O(3), in the plane of O(2), by the Haar measure (Mezzadri 2007)."""
    size = 2 if flat else 3
    q, r = torch.linalg.qr(torch.randn(size, size, dtype=torch.float64))
    matrix = torch.eye(3, dtype=torch.float64)
    matrix[:size, :size] = q * r.diagonal().sign()
    return matrix
