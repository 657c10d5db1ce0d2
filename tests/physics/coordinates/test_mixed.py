"""Mixed coordinates: there and back, the Jacobian with rigid motions, the choice of the core."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

import zoo
from zoo.physics.coordinates import MixedCoordinates
from zoo.physics.coordinates.core import core_atoms
from zoo.physics.coordinates.eckart import EckartFrame


def molecule(name: str) -> tuple[MixedCoordinates, torch.Tensor]:
    data = zoo.load_dataset(name)
    x = data.array("positions")[:: max(1, len(data) // 64)].astype(np.float64)
    return MixedCoordinates.from_topology(data.system.types, data.system.bonds, x[0]), torch.from_numpy(x)


@pytest.fixture(scope="module")
def alanine() -> tuple[MixedCoordinates, torch.Tensor]:
    return molecule("alanine-dipeptide/replica-exchange")


def test_there_and_back(alanine: tuple[MixedCoordinates, torch.Tensor]) -> None:
    coordinates, x = alanine
    q, volume = coordinates.from_cartesian(x)
    y, same = coordinates.to_cartesian(q)
    again, _ = coordinates.from_cartesian(y)
    assert q.shape[1] == 60
    torch.testing.assert_close(q, again, rtol=0, atol=1e-10)
    torch.testing.assert_close(volume, same, rtol=0, atol=1e-10)
    order = coordinates.internal._relabelled(x)
    torch.testing.assert_close(torch.cdist(order, order), torch.cdist(y, y), rtol=0, atol=1e-8)


def test_jacobian_with_rigid_motions(alanine: tuple[MixedCoordinates, torch.Tensor]) -> None:
    """|∂x/∂(q, translation, rotation)| by autograd, rotations by their generators."""
    coordinates, x = alanine
    q, volume = coordinates.from_cartesian(x[:3])
    for row, expected in zip(q, volume, strict=True):
        flat = torch.autograd.functional.jacobian(
            lambda v: coordinates.to_cartesian(v[None])[0].flatten() / 10, row
        )
        y = coordinates.to_cartesian(row[None])[0][0] / 10
        axes = torch.eye(3, dtype=y.dtype)
        turns = [torch.linalg.cross(axes[i].expand_as(y), y).flatten() for i in range(3)]
        moves = [axes[i].repeat(len(y)) for i in range(3)]
        full = torch.cat([flat, torch.stack(turns + moves, 1)], 1)
        assert torch.linalg.slogdet(full)[1].item() == pytest.approx(expected.item(), abs=1e-8)


def test_density_agrees_with_internal_coordinates(alanine: tuple[MixedCoordinates, torch.Tensor]) -> None:
    """Between two sets of coordinates, the Jacobian is the difference of their log-volumes."""
    coordinates, x = alanine
    q, volume = coordinates.from_cartesian(x[:2])

    def other(row: torch.Tensor) -> torch.Tensor:
        return coordinates.internal.from_cartesian(coordinates.to_cartesian(row[None])[0])[0][0]

    for row, mixed, positions in zip(q, volume, x, strict=False):
        jacobian = torch.autograd.functional.jacobian(other, row)
        internal = coordinates.internal.from_cartesian(positions[None])[1]
        assert torch.linalg.slogdet(jacobian)[1].item() == pytest.approx((mixed - internal).item(), abs=1e-8)


def test_core_is_the_backbone() -> None:
    """Alanine dipeptide's backbone: C and N of the caps, N, Cα, C of the residue; methyls are left out."""
    data = zoo.load_dataset("alanine-dipeptide")
    assert core_atoms(data.system.types, data.system.bonds) == [4, 6, 8, 14, 16]


def test_core_without_a_peptide_is_the_longest_chain() -> None:
    chain = np.array([[0, 1], [1, 2], [2, 3], [3, 4], [2, 5], [5, 6], [6, 7], [7, 8]])
    elements = np.array([6] * 8 + [1])
    assert core_atoms(elements, chain) == [0, 1, 2, 5, 6, 7]


def test_a_mirror_image_is_outside(alanine: tuple[MixedCoordinates, torch.Tensor]) -> None:
    coordinates, x = alanine
    assert coordinates.inside(coordinates.from_cartesian(x)[0]).all()
    mirrored = x * torch.tensor([-1.0, 1.0, 1.0])
    assert not coordinates.inside(coordinates.from_cartesian(mirrored)[0]).any()


def test_methyls_and_their_symmetry(alanine: tuple[MixedCoordinates, torch.Tensor]) -> None:
    coordinates, x = alanine
    q, _ = coordinates.from_cartesian(x)
    turned = coordinates.scatter(x, torch.Generator().manual_seed(3))
    assert not torch.equal(turned, x)
    again, _ = coordinates.from_cartesian(turned)
    circular = coordinates.circular
    circle = torch.tensor(coordinates.periods).double()
    apart = torch.remainder(q[:, :circular] - again[:, :circular] + circle / 2, circle) - circle / 2
    assert apart.abs().max() < 1e-9
    torch.testing.assert_close(q[:, circular:], again[:, circular:], rtol=0, atol=1e-9)
    assert coordinates.symmetry == pytest.approx(3 * math.log(3))


def test_a_turn_too_far_is_outside() -> None:
    """What is turned by half a circle in the frame is not what positions give: it is refused."""
    r = torch.randn(6, 3, generator=torch.Generator().manual_seed(0)).double()
    frame = EckartFrame(r)
    half = torch.diag(torch.tensor([-1.0, -1.0, 1.0])).double()
    assert (
        frame.nearest(frame.reference[None]).all() and not frame.nearest((frame.reference @ half)[None]).any()
    )
    q = frame.into(r[None] @ half + 3.0)
    torch.testing.assert_close(q, torch.zeros_like(q), rtol=0, atol=1e-10)


@pytest.mark.parametrize("name", ["insulin", "aniline"])
def test_other_molecules(name: str) -> None:
    """Side chains, rings and disulfides: there and back."""
    coordinates, x = molecule(name)
    q, volume = coordinates.from_cartesian(x[:4])
    y, same = coordinates.to_cartesian(q)
    again, _ = coordinates.from_cartesian(y)
    torch.testing.assert_close(q, again, rtol=0, atol=1e-8)
    torch.testing.assert_close(volume, same, rtol=0, atol=1e-8)
