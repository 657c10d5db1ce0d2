"""How closely two results must agree: one table for each dtype, with the reason of each number."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Tolerance:
    """Largest deviations, relative to the largest magnitude of what is compared.

    Args:
        value: of energies and targets.
        gradient: of forces, which are differences of terms larger than themselves.
        stored: of what was saved and loaded again on the same machine.
    """

    value: float
    gradient: float
    stored: float


TOLERANCES = {
    # Sums of some thousand terms of either sign, in another order (permuted, batched): round-off is
    # √1000 ε ≈ 7e-15 of the largest term, which cancellation may make 1000 times larger than the
    # sum, and a deep network another 100 times. What is really broken is off by more than 1e-3.
    torch.float64: Tolerance(value=1e-9, gradient=1e-8, stored=0.0),
    # The same with ε = 6e-8, and positions that were rotated or shifted in single precision: a
    # distance of 1 between coordinates of 30 has an error of 4e-6.
    torch.float32: Tolerance(value=3e-4, gradient=3e-3, stored=1e-6),
}

#: Central differences with step h: error h²/6 U‴ + ε U/h, least near h = ε^(1/3).
STEP = 1e-4
#: At that step: 1e-9 of U‴, which in a network may be 1000 times the slope; and kinks of activations.
DIFFERENCE = 1e-5
#: Half width, in units of the cutoff, of the interval in which nothing may jump.
EDGE = 1e-6
#: Largest step of a value within ± EDGE of the cutoff, beside its change from there to 0.7 cutoffs:
#: a continuous function changes by about 2 EDGE / 0.3 = 7e-6 of that, one that jumps by order 1.
JUMP = 1e-3


def assert_close(actual: Tensor, expected: Tensor, tolerance: float, what: str, slack: float = 0.0) -> None:
    """Raise `AssertionError`, saying by how much, if two tensors of one shape are not close.

    Deviations are relative to the largest magnitude in `expected`, of which `slack` is allowed beside:
    the error that a model declares. NaN is close to nothing.
    """
    assert actual.shape == expected.shape, f"{what}: {list(actual.shape)}, not {list(expected.shape)}"
    if not expected.numel():
        return
    actual, expected = actual.detach(), expected.detach()
    scale = max(float(expected.abs().max()), 1e-12)
    worst = float((actual - expected).abs().max()) / scale
    allowed = tolerance + slack / scale
    assert worst <= allowed, f"{what}: off by {worst:.2g} of the largest value ({allowed:.0e} allowed)"
