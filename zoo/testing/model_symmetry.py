"""Checks of the symmetries that a spec promises. Each is looked at for every system it holds for."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from e3nn import o3
from torch import Tensor

from zoo import keys
from zoo.testing.subject import Subject
from zoo.testing.systems import System
from zoo.testing.tolerance import TOLERANCES, assert_close

Outputs = dict[str, Tensor]


class SymmetryChecks:
    """Energies and targets are invariant, forces turn and permute with the particles."""

    def test_rotation(self, subject: Subject, dtype: torch.dtype) -> None:
        """Turned with its cell: same energies and targets, turned forces."""
        torch.manual_seed(3)
        turn = o3.rand_matrix(dtype=torch.float64)
        _compare(
            subject, dtype, "rotation", lambda s: s.rotated(turn),
            lambda out: {k: v @ turn.T.to(dtype) if k == keys.FORCES else v for k, v in out.items()},
        )  # fmt: skip

    def test_translation(self, subject: Subject, dtype: torch.dtype) -> None:
        """Moved as a whole: nothing changes."""
        step = torch.tensor([1.7, -2.9, 0.6], dtype=torch.float64)
        _compare(subject, dtype, "translation", lambda s: s.moved(step))

    def test_permutation(self, subject: Subject, dtype: torch.dtype) -> None:
        """Particles in another order: outputs in that order."""
        torch.manual_seed(4)
        orders = {n: torch.randperm(n) for n in range(1, 40)}
        _compare(
            subject, dtype, "permutation", lambda s: s.permuted(orders[len(s.pos)]),
            lambda out: {k: v if k == keys.ENERGY else v[orders[len(v)]] for k, v in out.items()},
        )  # fmt: skip

    def test_periodic_shift(self, subject: Subject, dtype: torch.dtype) -> None:
        """Particles moved by lattice vectors, each by its own: nothing changes."""
        steps = torch.randint(-2, 3, (40, 3), generator=torch.Generator().manual_seed(5))
        _compare(subject, dtype, "periodic", lambda s: s.shifted(steps[: len(s.pos)]))

    def test_wrapped(self, subject: Subject, dtype: torch.dtype) -> None:
        """A liquid that has drifted out of its cell, unwrapped or wrapped: the same."""
        drift = torch.tensor([2.3, 0.4, -1.1], dtype=torch.float64)
        _compare(
            subject, dtype, "periodic", lambda s: s.moved(drift).wrapped(), before=lambda s: s.moved(drift)
        )


def _compare(
    subject: Subject,
    dtype: torch.dtype,
    symmetry: str,
    change: Callable[[System], System],
    expect: Callable[[Outputs], Outputs] = lambda outputs: outputs,
    before: Callable[[System], System] = lambda system: system,
) -> None:
    """Compare outputs after a change of the system with what the symmetry makes of those before."""
    if not subject.promises(symmetry):
        pytest.skip(f"the spec promises no symmetry under {symmetry}")
    if subject.interface == "autoencoder":
        pytest.skip("what goes in comes out, and moves along; see test_moved_and_turned")
    if symmetry == "permutation" and subject.interface == "density":
        pytest.skip("bonded atoms are not alike; see test_exchange")
    systems = subject.periodic_systems() if symmetry == "periodic" else subject.systems()
    if not systems:
        pytest.skip("made for one molecule in open space")
    model = subject.build(dtype)
    slack = getattr(model, "accuracy", 0.0)
    for system in systems:
        expected = expect(subject.outputs_of(model, before(system), dtype))
        for key, value in subject.outputs_of(model, change(system), dtype).items():
            row = TOLERANCES[dtype]
            allowed = row.gradient if key == keys.FORCES else row.value
            assert_close(value, expected[key], allowed, f"{key} under {symmetry}", slack)
