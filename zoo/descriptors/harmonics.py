"""Real spherical harmonics of any degree, by recursion."""

from __future__ import annotations

from math import pi, sqrt

import torch
from torch import Tensor


def spherical_harmonics(vectors: Tensor, degree: int) -> Tensor:
    """Return orthonormal `Y_lm` of the directions, l = 1 … degree, `[E, (degree + 1)² − 1]`.

    Degree by degree; within one: m = 0, then cosine and sine of m = 1, 2, …. The recursions are those
    of associated Legendre functions divided by sinᵐθ, which has no trouble at the poles:
    T. Limpanuparb, J. Milthorpe, arXiv:1410.1748, without the Condon-Shortley phase.

    Args:
        vectors: `[E, 3]` of length one.
        degree: at least 1.
    """
    x, y, z = vectors.T.contiguous()
    out = vectors.new_empty((degree + 1) ** 2 - 1, len(vectors))
    cos, sin = torch.ones_like(x), torch.zeros_like(x)  # real and imaginary part of (x + iy)ᵐ
    top = sqrt(1 / (4 * pi))  # of l = m, which does not depend on z
    for m in range(degree + 1):
        if m:
            cos, sin = cos * x - sin * y, cos * y + sin * x
            top *= sqrt((2 * m + 1) / (2 * m))
        before, now = torch.zeros_like(z), torch.full_like(z, top)
        for order in range(m, degree + 1):
            if order > m:
                a = sqrt((4 * order**2 - 1) / (order**2 - m**2))
                b = sqrt(((order - 1) ** 2 - m**2) / (4 * (order - 1) ** 2 - 1))
                before, now = now, a * (z * now - b * before)
            if order == 0:
                continue
            row = order**2 - 1
            if m == 0:
                out[row] = now
            else:
                scaled = sqrt(2) * now
                out[row + 2 * m - 1], out[row + 2 * m] = scaled * cos, scaled * sin
    return out.T
