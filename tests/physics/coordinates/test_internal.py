"""Internal coordinates: there and back, the Jacobian, hydrogens, chirality."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

import zoo
from zoo.errors import DataError
from zoo.physics.coordinates import InternalCoordinates, ZMatrix


def molecule(name: str) -> tuple[ZMatrix, torch.Tensor]:
    data = zoo.load_dataset(name)
    return ZMatrix.from_topology(data.system.elements, data.system.bonds), torch.from_numpy(
        data.array("positions")[:: max(1, len(data) // 64)].astype(np.float64)
    )


@pytest.fixture(scope="module")
def alanine() -> tuple[InternalCoordinates, torch.Tensor]:
    zmatrix, x = molecule("alanine-dipeptide/replica-exchange")
    return InternalCoordinates(zmatrix, x[0].numpy()), x


def test_there_and_back(alanine: tuple[InternalCoordinates, torch.Tensor]) -> None:
    coordinates, x = alanine
    q, volume = coordinates.from_cartesian(x)
    y, same = coordinates.to_cartesian(q)
    again, _ = coordinates.from_cartesian(y)
    assert q.shape[1] == 60 and coordinates.circular == 7
    torch.testing.assert_close(q, again, rtol=0, atol=1e-10)
    torch.testing.assert_close(volume, same, rtol=0, atol=1e-10)
    order = coordinates._relabelled(x)
    torch.testing.assert_close(torch.cdist(order, order), torch.cdist(y, y), rtol=0, atol=1e-9)


def test_jacobian_with_rigid_motions(alanine: tuple[InternalCoordinates, torch.Tensor]) -> None:
    """|∂x/∂(q, translation, rotation)| by autograd, rotations by their generators."""
    coordinates, x = alanine
    q, volume = coordinates.from_cartesian(x[:3])
    for row, expected in zip(q, volume, strict=True):
        place = lambda v: coordinates.to_cartesian(v[None])[0].flatten() / 10  # noqa: E731
        flat = torch.autograd.functional.jacobian(place, row)
        y = coordinates.to_cartesian(row[None])[0][0] / 10
        turns = [torch.linalg.cross(torch.eye(3).double()[i].expand_as(y), y).flatten() for i in range(3)]
        moves = [torch.eye(3).double()[i].repeat(len(y)) for i in range(3)]
        full = torch.cat([flat, torch.stack(turns + moves, 1)], 1)
        assert torch.linalg.slogdet(full)[1].item() == pytest.approx(expected.item() + 0.0, abs=1e-8)


def test_phi_and_psi_are_coordinates(alanine: tuple[InternalCoordinates, torch.Tensor]) -> None:
    coordinates, _ = alanine
    found = {tuple(sorted((tuple(r), tuple(r[::-1])))[0]) for r in coordinates.quadruples.tolist()}
    for wanted in ((4, 6, 8, 14), (6, 8, 14, 16), (1, 4, 6, 8), (8, 14, 16, 18)):
        assert min(wanted, wanted[::-1]) in found
    assert sorted(coordinates.zmatrix.folds[coordinates.torsion_rows[:7]].tolist()) == [1, 1, 1, 1, 3, 3, 3]


def test_turning_a_methyl_changes_nothing(alanine: tuple[InternalCoordinates, torch.Tensor]) -> None:
    coordinates, x = alanine
    q, _ = coordinates.from_cartesian(x)
    generator = torch.Generator().manual_seed(3)
    shuffled = coordinates.scatter(x, generator)
    assert not torch.equal(shuffled, x)
    again, _ = coordinates.from_cartesian(shuffled)
    circle = torch.tensor(coordinates.periods).double()
    apart = torch.remainder(q[:, :7] - again[:, :7] + circle / 2, circle) - circle / 2
    assert apart.abs().max() < 1e-9
    torch.testing.assert_close(q[:, 7:], again[:, 7:], rtol=0, atol=1e-9)
    assert coordinates.symmetry == pytest.approx(3 * math.log(3))


def test_a_mirror_image_is_outside(alanine: tuple[InternalCoordinates, torch.Tensor]) -> None:
    coordinates, x = alanine
    assert coordinates.inside(coordinates.from_cartesian(x)[0]).all()
    assert not coordinates.inside(coordinates.from_cartesian(x * torch.tensor([-1.0, 1.0, 1.0]))[0]).any()


def test_trans_keeps_peptide_bonds() -> None:
    zmatrix, x = molecule("alanine-dipeptide")
    coordinates = InternalCoordinates(zmatrix, x[0].numpy(), "trans")
    assert coordinates.circular == 5
    assert coordinates.inside(coordinates.from_cartesian(x)[0]).all()


@pytest.mark.parametrize("name", ["insulin", "aniline", "otp", "protein"])
def test_other_molecules(name: str) -> None:
    """Rings, disulfides and side chains: there and back; what is left out of the tree closes itself."""
    data = zoo.load_dataset(name)
    x = torch.from_numpy(data.array("positions")[:8].astype(np.float64))
    try:
        zmatrix = ZMatrix.from_topology(data.system.elements, data.system.bonds)
    except DataError as error:
        assert "connected" in str(error)
        return
    coordinates = InternalCoordinates(zmatrix, x[0].numpy(), "reference")
    q, volume = coordinates.from_cartesian(x)
    y, same = coordinates.to_cartesian(q)
    again, _ = coordinates.from_cartesian(y)
    torch.testing.assert_close(q, again, rtol=0, atol=1e-8)
    torch.testing.assert_close(volume, same, rtol=0, atol=1e-8)


def test_two_molecules_are_refused() -> None:
    with pytest.raises(DataError, match="connected"):
        ZMatrix.from_topology(np.full(8, 6), np.array([[0, 1], [1, 2], [2, 3], [4, 5], [5, 6], [6, 7]]))
