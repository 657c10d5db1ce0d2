"""Bond lengths, angles and torsions of one molecule, with their derivatives."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import torch
from torch import Tensor


def neighbours(bonds: Sequence[tuple[int, int]]) -> dict[int, list[int]]:
    """Atoms bonded to each atom."""
    table: dict[int, set[int]] = {}
    for i, j in bonds:
        table.setdefault(i, set()).add(j)
        table.setdefault(j, set()).add(i)
    return {i: sorted(near) for i, near in sorted(table.items())}


def angles_of(bonds: Sequence[tuple[int, int]]) -> list[tuple[int, int, int]]:
    """All `(i, j, k)` with bonds i–j and j–k, each once."""
    near = neighbours(bonds)
    return [(i, j, k) for j in near for i, k in combinations(near[j], 2)]


def torsions_of(bonds: Sequence[tuple[int, int]]) -> list[tuple[int, int, int, int]]:
    """All proper torsions `(i, j, k, l)` with bonds i–j, j–k and k–l, each once."""
    near = neighbours(bonds)
    return [
        (i, j, k, m)
        for j, k in sorted({(min(b), max(b)) for b in bonds})
        for i in near[j]
        for m in near[k]
        if i != k and m != j and i != m
    ]


def distance(x: Tensor, atoms: Tensor) -> Tensor:
    """Length of bonds `atoms [M, 2]` in frames `x [B, N, 3]`: `[B, M]`, unit of length."""
    return (x[:, atoms[:, 1]] - x[:, atoms[:, 0]]).norm(dim=-1)


def distance_gradient(x: Tensor, atoms: Tensor) -> Tensor:
    """Its derivative by the positions of both atoms, `[B, M, 2, 3]`."""
    r = x[:, atoms[:, 1]] - x[:, atoms[:, 0]]
    unit = r / r.norm(dim=-1, keepdim=True)
    return torch.stack([-unit, unit], dim=2)


def angle(x: Tensor, atoms: Tensor) -> Tensor:
    """Angles at the middle atom of `atoms [M, 3]`: `[B, M]`, radian."""
    u, v = x[:, atoms[:, 0]] - x[:, atoms[:, 1]], x[:, atoms[:, 2]] - x[:, atoms[:, 1]]
    # atan2 keeps its precision where the cosine is near ±1
    return torch.atan2(torch.linalg.cross(u, v).norm(dim=-1), (u * v).sum(-1))


def angle_gradient(x: Tensor, atoms: Tensor) -> Tensor:
    """Its derivative by the positions of the three atoms, `[B, M, 3, 3]`."""
    u, v = x[:, atoms[:, 0]] - x[:, atoms[:, 1]], x[:, atoms[:, 2]] - x[:, atoms[:, 1]]
    p = torch.linalg.cross(u, v)
    p = p / p.norm(dim=-1, keepdim=True)
    # the quickest way to open the angle is across u (or v), within the plane
    first = torch.linalg.cross(u, p) / u.square().sum(-1, keepdim=True)
    last = torch.linalg.cross(p, v) / v.square().sum(-1, keepdim=True)
    return torch.stack([first, -first - last, last], dim=2)


def torsion(x: Tensor, atoms: Tensor) -> Tensor:
    """Torsions of `atoms [M, 4]`: `[B, M]`, radian in (−π, π], IUPAC's sign."""
    b1, b2, b3 = (x[:, atoms[:, k + 1]] - x[:, atoms[:, k]] for k in range(3))
    m, n = torch.linalg.cross(b1, b2), torch.linalg.cross(b2, b3)
    sine = (torch.linalg.cross(m, n) * b2).sum(-1) / b2.norm(dim=-1)
    return torch.atan2(sine, (m * n).sum(-1))


def torsion_gradient(x: Tensor, atoms: Tensor) -> Tensor:
    """Its derivative by the positions of the four atoms, `[B, M, 4, 3]`.

    Blondel and Karplus, J. Comput. Chem. 17, 1132 (1996), eq. 27.
    """
    b1, b2, b3 = (x[:, atoms[:, k + 1]] - x[:, atoms[:, k]] for k in range(3))
    m, n = torch.linalg.cross(b1, b2), torch.linalg.cross(b2, b3)
    g = b2.norm(dim=-1, keepdim=True)
    m2, n2 = m.square().sum(-1, keepdim=True), n.square().sum(-1, keepdim=True)
    first, last = -g / m2 * m, g / n2 * n
    a = (b1 * b2).sum(-1, keepdim=True) / (g * m2) * m
    b = (b3 * b2).sum(-1, keepdim=True) / (g * n2) * n
    return torch.stack([first, -first + a + b, -last - a - b, last], dim=2)


def fourier(phi: Tensor, orders: int) -> Tensor:
    """Return cos φ, cos 2φ, …, sin φ, sin 2φ, … of angles `[...]`: `[..., 2 · orders]`."""
    turns = phi[..., None] * torch.arange(1, orders + 1).to(phi)
    return torch.cat([torch.cos(turns), torch.sin(turns)], -1)
