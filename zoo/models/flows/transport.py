"""Optimal transport between minibatches, up to the symmetries of the particles."""

from __future__ import annotations

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

#: Turns of (permutation, rotation) when alike particles are aligned.
ROUNDS = 2


def assign(cost: Tensor) -> Tensor:
    """Return for each row the column that is its partner `[n]`, with the least total cost `[n, n]`."""
    return torch.from_numpy(linear_sum_assignment(cost.cpu().numpy())[1]).to(cost.device)


def transport(source: Tensor, target: Tensor) -> Tensor:
    """Return the rows of source `[batch, particles, dim]` in the order that is nearest to target's.

    Tong et al., TMLR 2024 (arXiv:2302.00482): the coupling of minibatch optimal transport.
    """
    return source[assign(_squares(target.flatten(1), source.flatten(1)))]


def equivariant_transport(source: Tensor, target: Tensor, alike: bool, mirror: bool) -> Tensor:
    """Return source in the order, the orientation and the numbering that are near to target's.

    After Klein, Krämer, Noé, NeurIPS 2023 (arXiv:2306.15030), at less cost: instead of
    aligning every source with every target, partners are found by their pair distances (sorted where
    particles are alike), which know nothing of rotations; then each pair alone is aligned.

    Args:
        source, target: `[batch, particles, dim]` about their centres.
        alike: particles may be exchanged.
        mirror: reflections are allowed as well.
    """
    source = source[assign(_squares(_fingerprint(target, alike), _fingerprint(source, alike)))]
    if not alike:
        return rotated(source, target, mirror)
    for _ in range(ROUNDS):
        source = rotated(permuted(source, target), target, mirror)
    return permuted(source, target)


def rotated(source: Tensor, target: Tensor, mirror: bool = False) -> Tensor:
    """Turn each row of source onto that of target: least squares (Kabsch, Acta Cryst. A 32, 922, 1976)."""
    u, _, vh = torch.linalg.svd(source.mT @ target)
    if not mirror:
        sign = torch.linalg.det(u @ vh).sign()
        u = torch.cat([u[..., :-1], u[..., -1:] * sign[:, None, None]], -1)
    return source @ (u @ vh)


def permuted(source: Tensor, target: Tensor) -> Tensor:
    """Renumber the particles of each row of source to be nearest to those of target: least squares."""
    overlap = -(target @ source.mT)
    order = torch.stack([assign(row) for row in overlap.cpu()]).to(source.device)
    return source.gather(1, order[..., None].expand_as(source))


def _fingerprint(x: Tensor, alike: bool) -> Tensor:
    i, j = torch.triu_indices(x.shape[1], x.shape[1], 1, device=x.device)
    d = torch.linalg.vector_norm(x[:, i] - x[:, j], dim=-1)
    return d.sort(1).values if alike else d


def _squares(a: Tensor, b: Tensor) -> Tensor:
    return torch.cdist(a, b).square()
