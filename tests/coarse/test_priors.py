"""Priors: planted potentials come back, forces are slopes, terms leave out what they cannot serve."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from zoo.coarse.priors import fit_prior
from zoo.data.prior import PriorTerms
from zoo.errors import DataError
from zoo.models.prior import Prior, prior_of
from zoo.physics.torsions import place

KT = 0.025
CHAIN = np.array([[0, 1], [1, 2], [2, 3], [3, 4]])


def drawn(energy: np.ndarray, grid: np.ndarray, number: int, seed: int) -> np.ndarray:
    """Draws of exp(−U/kT) on a fine grid, spread within its cells."""
    rng = np.random.default_rng(seed)
    weights = np.exp(-(energy - energy.min()) / KT)
    picked = rng.choice(len(grid), number, p=weights / weights.sum())
    return grid[picked] + (rng.random(number) - 0.5) * (grid[1] - grid[0])


def bent(r: np.ndarray, theta: np.ndarray, other: float = 1.0) -> np.ndarray:
    """Three particles: a bond r, an angle θ, and a second bond."""
    x = np.zeros((len(r), 3, 3))
    x[:, 0, 0] = r
    x[:, 2, 0], x[:, 2, 1] = other * np.cos(theta), other * np.sin(theta)
    return x


def chain(*torsions: np.ndarray) -> np.ndarray:
    """A chain of bonds of 1.5 and angles of 110°, with these torsions."""
    frames = len(torsions[0])
    x = [np.broadcast_to(np.array(p), (frames, 3)) for p in ([0.0, 0, 0], [1.5, 0, 0], [2.0, 1.41, 0])]
    for phi in torsions:
        x.append(place(x[-3], x[-2], x[-1], 1.5, np.radians(110), phi[:, None]))
    return np.stack(x, 1)


def test_planted_wells_come_back_with_their_jacobians() -> None:
    """Soft wells, whose means the Jacobians shift by 0.03: k within 4 % (√(2/N) is 1 %), q₀ within 1 %."""
    k_r, r0, k_t, t0 = 1.0, 1.5, 0.5, 1.2
    r = np.linspace(0.5, 2.7, 4001)
    t = np.linspace(0.01, np.pi - 0.01, 4001)
    length = drawn(0.5 * k_r * (r - r0) ** 2 - 2 * KT * np.log(r), r, 20_000, 0)
    theta = drawn(0.5 * k_t * (t - t0) ** 2 - KT * np.log(np.sin(t)), t, 20_000, 1)
    bonds = np.array([[0, 1], [1, 2]])
    terms = fit_prior(bent(length, theta), np.zeros(3), bonds, KT, ["bonds", "angles"])
    assert terms.bonds is not None and terms.angles is not None
    assert terms.bonds.center[0] == pytest.approx(r0, rel=0.01)
    assert terms.bonds.stiffness[0] == pytest.approx(k_r, rel=0.04)
    assert terms.angles.center[0] == pytest.approx(t0, rel=0.01)
    assert terms.angles.stiffness[0] == pytest.approx(k_t, rel=0.04)
    assert length.mean() > r0 + 0.02  # the plain mean is not it


def test_a_planted_torsion_comes_back() -> None:
    """Series of two orders: coefficients within 0.1 kT, a few times the noise of 100 counts a bin."""
    grid = np.linspace(-np.pi, np.pi, 3601)
    energy = KT * (1.0 * np.cos(grid) + 0.8 * np.sin(2 * grid))
    terms = fit_prior(chain(drawn(energy, grid, 20_000, 0)), np.arange(4), CHAIN[:3], KT, ["torsions"])
    assert terms.torsions is not None
    found = np.array(terms.torsions.coefficients[0]) / KT
    np.testing.assert_allclose(found, [1.0, 0, 0, 0, 0.8, 0], atol=0.1)


def test_torsions_around_one_bond_share_its_energy() -> None:
    """A twin of the last atom, turned by half a turn with it: the sum around the bond is the planted one."""
    grid = np.linspace(-np.pi, np.pi, 3601)
    phi = drawn(KT * np.cos(2 * grid), grid, 20_000, 0)
    x = np.concatenate([chain(phi), chain(phi + np.pi)[:, 3:]], axis=1)
    bonds = np.array([[0, 1], [1, 2], [2, 3], [2, 4]])
    terms = fit_prior(x, np.arange(5), bonds, KT, ["torsions"])
    assert terms.torsions is not None and len(terms.torsions.atoms) == 2
    at = np.array([0.0, np.pi / 2])
    energy, _ = prior_of(terms, np.concatenate([chain(at), chain(at + np.pi)[:, 3:]], axis=1))
    assert energy[0] - energy[1] == pytest.approx(2 * KT, abs=0.15 * KT)


def test_a_coupling_tells_mirror_images_apart() -> None:
    """U = 1.5 kT sin φ cos ψ: its marginals are even, so that torsions by themselves cannot see it."""
    rng = np.random.default_rng(0)
    phi, psi = rng.uniform(-np.pi, np.pi, (2, 200_000))
    kept = rng.random(200_000) < np.exp(-1.5 * (np.sin(phi) * np.cos(psi) + 1))
    x = chain(phi[kept], psi[kept])
    terms = fit_prior(x, np.arange(5), CHAIN, KT, ["torsions", "couplings"])
    assert terms.couplings is not None and len(terms.couplings.first) == 1
    grid = np.linspace(-3, 3, 7)
    phi, psi = (a.ravel() for a in np.meshgrid(grid, grid))
    energy, planted = prior_of(terms, chain(phi, psi))[0] / KT, 1.5 * np.sin(phi) * np.cos(psi)
    np.testing.assert_allclose(energy - energy.mean(), planted - planted.mean(), atol=0.2)
    mirrored = prior_of(terms, chain(phi, psi) * [1, 1, -1])[0] / KT
    np.testing.assert_allclose(mirrored - energy, -2 * planted, atol=0.3)


def test_a_torsion_over_a_straight_angle_is_left_out() -> None:
    rng = np.random.default_rng(0)
    x = np.cumsum(np.tile([1.5, 0, 0], (500, 4, 1)), 1) + 0.02 * rng.standard_normal((500, 4, 3))
    terms = fit_prior(x, np.arange(4), CHAIN[:3], KT, ["bonds", "angles", "torsions", "couplings"])
    assert terms.torsions is None and terms.couplings is None and terms.angles is not None
    assert np.isfinite(prior_of(terms, x)[1]).all()


def test_too_few_frames_for_a_histogram_make_no_torsion() -> None:
    phi = np.random.default_rng(0).uniform(-np.pi, np.pi, 50)
    assert fit_prior(chain(phi), np.arange(4), CHAIN[:3], KT, ["torsions"]).torsions is None


def test_repulsion_is_kT_at_the_shortest_distance_of_a_pair_of_types() -> None:
    """Beyond 1–3; both pairs 0–3 and 1–4 are of types (0, 1) and share the shorter distance."""
    phi, psi = np.random.default_rng(0).uniform(-np.pi, np.pi, (2, 400))
    x = chain(phi, psi)
    terms = fit_prior(x, np.array([0, 1, 0, 1, 0]), CHAIN, KT, ["repulsion"])
    assert terms.repulsion is not None
    assert terms.repulsion.atoms == [[0, 3], [0, 4], [1, 4]]
    r = [np.linalg.norm(x[:, i] - x[:, j], axis=-1).min() for i, j in terms.repulsion.atoms]
    np.testing.assert_allclose(terms.repulsion.sigma, [min(r[0], r[2]), r[1], min(r[0], r[2])])
    alone = PriorTerms(repulsion=terms.repulsion.model_copy(update={"atoms": [[0, 4]], "sigma": [r[1]]}))
    assert prior_of(alone, x)[0].max() == pytest.approx(KT)


def test_forces_and_their_slopes_are_derivatives_and_json_keeps_every_term() -> None:
    """Finite differences of first and second order, all five terms at once."""
    phi, psi = np.random.default_rng(0).vonmises(-1.2, 2.0, (2, 400))
    x = chain(phi, psi) + 0.05 * np.random.default_rng(1).standard_normal((400, 5, 3))
    every = ["bonds", "angles", "torsions", "couplings", "repulsion"]
    terms = fit_prior(x, np.arange(5), CHAIN, KT, every)
    assert all(getattr(terms, name) is not None for name in every)
    again = PriorTerms.model_validate_json(terms.model_dump_json())
    np.testing.assert_array_equal(prior_of(terms, x)[1], prior_of(again, x)[1])
    prior = Prior(terms).double()
    some = torch.from_numpy(x[:2]).requires_grad_()
    assert torch.autograd.gradcheck(prior, some) and torch.autograd.gradgradcheck(prior, some)
    assert not prior.state_dict()  # the card has them


def test_one_frame_is_refused() -> None:
    with pytest.raises(DataError, match="more than one frame"):
        fit_prior(np.zeros((1, 3, 3)), np.zeros(3), CHAIN[:2], KT, ["bonds"])
