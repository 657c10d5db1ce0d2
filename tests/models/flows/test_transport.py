"""Pairings of two batches against searches through all possibilities."""

from __future__ import annotations

from itertools import permutations

import torch
from torch import Tensor

from zoo.models.flows.transport import equivariant_transport, permuted, rotated, transport


def batch(n: int, particles: int, dim: int, seed: int) -> Tensor:
    x = torch.randn(n, particles, dim, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return x - x.mean(1, keepdim=True)


def cost(a: Tensor, b: Tensor) -> float:
    return float((a - b).square().sum())


def test_transport_is_optimal() -> None:
    a, b = batch(5, 3, 2, 0), batch(5, 3, 2, 1)
    best = min(cost(a[list(order)], b) for order in permutations(range(5)))
    assert abs(cost(transport(a, b), b) - best) < 1e-9 < cost(a, b) - best


def test_permutation_is_optimal() -> None:
    a, b = batch(3, 4, 3, 0), batch(3, 4, 3, 1)
    for n, found in enumerate(permuted(a, b)):
        best = min(cost(a[n, list(order)], b[n]) for order in permutations(range(4)))
        assert abs(cost(found, b[n]) - best) < 1e-9


def test_rotation_is_optimal_and_proper() -> None:
    angle = torch.linspace(0, 2 * torch.pi, 2001, dtype=torch.float64)
    turns = torch.stack([angle.cos(), angle.sin(), -angle.sin(), angle.cos()], 1).view(-1, 2, 2)
    mirror = turns @ torch.diag(torch.tensor([1.0, -1.0], dtype=torch.float64))
    a, b = batch(6, 4, 2, 2), batch(6, 4, 2, 3)
    for allowed, ways in ((False, turns), (True, torch.cat([turns, mirror]))):
        for n, found in enumerate(rotated(a, b, allowed)):
            best = float((a[n] @ ways - b[n]).square().sum((1, 2)).min())
            assert abs(cost(found, b[n]) - best) < 1e-4
    hand = batch(8, 5, 3, 4)
    volume = torch.linalg.det(rotated(hand, batch(8, 5, 3, 5))[:, :3]) / torch.linalg.det(hand[:, :3])
    assert torch.allclose(volume, torch.ones_like(volume))


def test_symmetric_copies_are_found_again() -> None:
    """Turned, renumbered and shuffled frames come back onto themselves, or near where rounds end early."""
    a = batch(16, 4, 2, 6)
    turn = torch.linalg.qr(batch(1, 2, 2, 7)[0] + torch.eye(2, dtype=torch.float64)).Q
    other = (a @ turn)[torch.randperm(16, generator=torch.Generator().manual_seed(8))]
    kept = equivariant_transport(other, a, alike=False, mirror=True)
    assert torch.allclose(kept, a, atol=1e-9)
    loose = equivariant_transport(other[:, [2, 0, 3, 1]], a, alike=True, mirror=True)
    assert cost(loose, a) < 0.3 * cost(transport(other, a), a)
