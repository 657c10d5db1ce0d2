"""The noise floor where it is known exactly: beads in a network of springs whose other particles are hidden.

U = ½ Σ_d x_dᵀ L x_d with the Laplacian L of the springs. For beads b on single particles and hidden ones h,
x_h at given x_b is normal about −L_hh⁻¹ L_hb x_b with covariance kT L_hh⁻¹; the force on the beads
has the mean −S x_b, S = L_bb − L_bh L_hh⁻¹ L_hb, and the covariance kT L_bh L_hh⁻¹ L_hb.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

import zoo
from zoo.coarse.maps import CoarseMap
from zoo.coarse.mean_forces import mean_forces
from zoo.coarse.noise import noise_floor
from zoo.coarse.priors import fit_prior
from zoo.coarse.schemes import scheme
from zoo.data.potential import potential_of
from zoo.errors import DataError
from zoo.models.prior import prior_of
from zoo.physics.samplers.state import inertia

KT, BEADS, FRAMES = 0.5, 3, 3000


@pytest.fixture(scope="module")
def network() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    k = np.triu(rng.uniform(0.5, 2.0, (6, 6)), 1)
    laplacian = np.diag((k + k.T).sum(1)) - k - k.T
    bb, bh, hh = laplacian[:BEADS, :BEADS], laplacian[:BEADS, BEADS:], laplacian[BEADS:, BEADS:]
    hidden = np.linalg.inv(hh)
    mean = bb - bh @ hidden @ bh.T
    values, vectors = np.linalg.eigh(laplacian)
    root = vectors[:, 1:] * np.sqrt(KT / values[1:])  # centred: the translation is left out
    x = np.einsum("pm,fmd->fpd", root, rng.standard_normal((FRAMES, 5, 3)))
    forces = -np.einsum("ij,fjd->fid", laplacian, x)[:, :BEADS]
    return {
        "laplacian": laplacian, "x": x, "z": x[:, :BEADS], "forces": forces, "S": mean,
        "floor": np.array(KT * np.trace(bh @ hidden @ bh.T) / BEADS), "covariance": KT * bh @ hidden @ bh.T,
        "runs": np.arange(FRAMES) * 10 // FRAMES,
    }  # fmt: skip


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_floor_and_excess_are_the_exact_ones_whatever_the_model(
    network: dict[str, np.ndarray], share: float
) -> None:
    """A model that gives a share of the exact mean force: its excess is known, the floor does not move.

    Within four standard errors, which must be small themselves, and 2 % of the floor for the distance between
    partners, which is not zero.
    """
    mean = -np.einsum("ij,fjd->fid", network["S"], network["z"])
    residual = network["forces"] - share * mean
    found = noise_floor(network["z"], residual, network["runs"])
    assert found is not None
    floor, excess = float(network["floor"]), (((1 - share) * mean) ** 2).mean()
    assert found.floor_error < 0.05 * floor
    assert abs(found.floor - floor) < 4 * found.floor_error + 0.02 * floor
    assert abs(found.excess - excess) < 4 * found.excess_error + 0.02 * floor
    assert found.floor + found.excess == pytest.approx((residual**2).mean())


def test_noise_that_neighbours_in_time_share_is_still_noise(network: dict[str, np.ndarray]) -> None:
    """Each frame written four times in a row: copies must not be taken for agreement."""
    z, forces, runs = (np.repeat(network[k][:800], 4, 0) for k in ("z", "forces", "runs"))
    found = noise_floor(z, forces + np.einsum("ij,fjd->fid", network["S"], z), runs)
    assert found is not None and found.floor == pytest.approx(float(network["floor"]), rel=0.1)
    one_run = noise_floor(z, forces + np.einsum("ij,fjd->fid", network["S"], z), np.zeros(len(z)))
    assert one_run is not None and one_run.floor == pytest.approx(float(network["floor"]), rel=0.1)


def test_few_frames_say_nothing(network: dict[str, np.ndarray]) -> None:
    assert noise_floor(network["z"][:20], network["forces"][:20], network["runs"][:20]) is None


def test_mean_forces_at_held_beads_are_the_exact_ones(network: dict[str, np.ndarray]) -> None:
    """−S z within four standard errors (the largest of 144), and the noise about it within 5 %."""
    laplacian = torch.from_numpy(network["laplacian"])

    def potential(x: torch.Tensor) -> torch.Tensor:
        return 0.5 * torch.einsum("fid,ij,fjd->f", x, laplacian, x)

    eye = np.eye(6)[:BEADS]
    coarse = CoarseMap(eye, eye, np.arange(6) % BEADS)
    masses = torch.tensor([1.0, 2, 3, 1, 2, 3])
    found = mean_forces(
        potential,
        masses,
        coarse,
        network["x"][:16],
        KT,
        timestep=0.15,
        friction=1.0,
        steps=2000,
        equilibrate=200,
    )
    expected = -np.einsum("ij,fjd->fid", network["S"], network["z"][:16])
    assert (
        np.abs(found.mean - expected) / found.error
    ).mean() < 1.2  # 0.8 for normal errors, more for eight blocks
    np.testing.assert_allclose(found.mean, expected, atol=0.35)
    np.testing.assert_allclose(found.variance.mean((0, 2)), np.diag(network["covariance"]), rtol=0.05)


def test_alanine_dipeptide_s_floor_from_pairs_is_that_of_held_beads() -> None:
    """Within 15 %: pairs of 640 frames have an error of 5 %, 0.8 ps at held beads miss 3 % of the noise."""
    data = zoo.load_dataset("alanine-dipeptide")
    kT = data.units.boltzmann * 300
    coarse = scheme("backbone", data.system)
    test, train = data.split("test"), data.split("train")
    z, forces = coarse.to_beads(test.array("positions")), coarse.project(test.array("forces"))
    bonds = np.array([[0, 1], [1, 2], [2, 3], [3, 4]])
    terms = fit_prior(coarse.to_beads(train.array("positions")), np.arange(5), bonds, kT, ["bonds", "angles"])
    found = noise_floor(z, forces - prior_of(terms, z)[1], data.runs()[test.index])
    held = mean_forces(
        potential_of(data), inertia(data.system.masses, data.units), coarse, test.array("positions")[::40],
        kT, timestep=0.002, friction=10.0, steps=400, equilibrate=40,
    )  # fmt: skip
    assert found is not None
    assert found.floor == pytest.approx(held.variance.mean(), rel=0.15)


def test_requests_that_do_not_fit_are_refused(network: dict[str, np.ndarray]) -> None:
    eye = np.eye(6)[:BEADS]
    coarse = CoarseMap(eye, eye, np.arange(6) % BEADS)
    usual = {"timestep": 0.1, "friction": 1.0, "equilibrate": 0}
    with pytest.raises(DataError, match="at least 8 steps"):
        mean_forces(lambda x: x.sum((1, 2)), torch.ones(6), coarse, network["x"][:2], KT, steps=3, **usual)
    with pytest.raises(DataError, match="does not fit"):
        mean_forces(lambda x: x.sum((1, 2)), torch.ones(5), coarse, network["x"][:2], KT, steps=10, **usual)
