"""Turns about bonds against quadrature over the torsions, and what they must leave alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from zoo.physics.samplers import Pivots, State, turning_side
from zoo.physics.samplers.state import energy_and_forces
from zoo.physics.torsions import torsions

CHAIN = np.array([[0, 1], [1, 2], [2, 3], [3, 4]])
QUADS = [(0, 1, 2, 3), (1, 2, 3, 4)]


def energy_of(a, b, cos=torch.cos):
    """Two coupled torsions, the second with two wells that differ by 0.6."""
    return cos(a) + 0.5 * cos(2 * a - 0.3) + 1.5 * cos(2 * b) + 0.3 * cos(b) + 0.4 * cos(a - b)


def energy(x):
    return energy_of(*torsions(x, QUADS).unbind(-1))


def pivots(half=(False, True), kT=0.7):
    axes = [(1, 2), (2, 3)]
    sides = np.array([turning_side(CHAIN, 5, *axis) for axis in axes])
    return Pivots(energy, kT, torch.tensor(axes), torch.tensor(sides), torch.tensor(half))


def start(batch):
    x = torch.tensor([[0, 1, 0], [0, 0, 0], [1.2, 0, 0], [1.5, 1, 0.2], [2.5, 1.2, 0.7]], dtype=torch.float64)
    x = x.repeat(batch, 1, 1)
    return State(x, torch.ones_like(x), *reversed(energy_and_forces(energy, x)))


def lengths_and_angles(x):
    d = torch.linalg.norm(x[:, 1:] - x[:, :-1], dim=-1)
    e = torch.linalg.norm(x[:, 2:] - x[:, :-2], dim=-1)
    return torch.cat([d, e], 1)


@pytest.fixture(scope="module")
def moved():
    state, generator, accepted = start(4000), torch.Generator().manual_seed(2), []
    sampler = pivots()
    for _ in range(80):
        state, accept = sampler.move(state, generator)
        accepted.append(accept)
    return state, torch.stack(accepted).double()


def test_torsions_are_those_of_quadrature(moved):
    a, b = torsions(moved[0].positions, QUADS).numpy().T

    grid = (np.arange(400) + 0.5) * (2 * np.pi / 400) - np.pi  # exact for what is smooth and periodic
    x, y = np.meshgrid(grid, grid, indexing="ij")
    weight = np.exp(-energy_of(x, y, np.cos) / 0.7)
    for name, member in {
        "b within 90° of 0": lambda a, b: np.abs(b) < np.pi / 2,
        "a > 0": lambda a, b: a > 0,
        "both in one quarter": lambda a, b: (a > np.pi / 2) & (b < 0) & (b > -np.pi / 2),
    }.items():
        exact = weight[member(x, y)].sum() / weight.sum()
        # 4000 independent chains; 80 moves of which a third are accepted, so that the start is forgotten
        error = np.sqrt(exact * (1 - exact) / len(a))
        assert abs(member(a, b).mean() - exact) < 4 * error, (name, exact)
    assert 0.1 < moved[1].mean() < 0.9


def test_only_torsions_change(moved):
    state, before = moved[0], start(1)
    drift = lengths_and_angles(state.positions) - lengths_and_angles(before.positions)
    assert drift.abs().max() < 1e-12
    # what is on the other side of both bonds stays where it is, and so do velocities
    assert (state.positions[:, :3] == before.positions[:, :3]).all()
    assert (state.velocities == 1).all()


def test_energies_and_forces_belong_to_the_positions(moved):
    energies, forces = energy_and_forces(energy, moved[0].positions)
    torch.testing.assert_close(moved[0].energies, energies)
    torch.testing.assert_close(moved[0].forces, forces)


def test_a_half_turn_is_nothing_else():
    before = start(500)
    after, accepted = pivots(half=(True, True), kT=1e6).move(before, torch.Generator().manual_seed(0))
    assert accepted.all()
    turn = torsions(after.positions, QUADS) - torsions(before.positions, QUADS)
    turn = torch.remainder(turn, 2 * torch.pi)
    moved = (turn > 1e-9) & (turn < 2 * torch.pi - 1e-9)
    assert (moved.sum(1) == 1).all() and moved.any(0).all()  # one bond of each replica, each bond of some
    assert (turn[moved] - torch.pi).abs().max() < 0.5


def test_what_runs_into_an_overlap_is_rejected():
    def wall(x):
        return torch.where(torsions(x, QUADS)[:, 1] > 0, torch.nan, 0.0) + 0 * x.sum((1, 2))

    before = start(200)
    safe = Pivots(wall, 0.7, *[getattr(pivots((False, False)), n) for n in ("axes", "turning", "half_turns")])
    after, accepted = safe.move(before, torch.Generator().manual_seed(1))
    angle = torsions(after.positions, QUADS)[:, 1]
    started = torsions(before.positions, QUADS)[:, 1]
    assert ((angle <= 0) | (angle == started)).all() and not accepted.all()


def test_sides_of_bonds():
    assert turning_side(CHAIN, 5, 1, 2).tolist() == [False, False, False, True, True]
    assert turning_side(CHAIN, 5, 2, 1).tolist() == [True, False, False, False, False]
    ring = np.array([[0, 1], [1, 2], [2, 3], [3, 1], [3, 4]])
    assert turning_side(ring, 5, 1, 2) is None
    assert turning_side(ring, 5, 3, 4).tolist() == [False] * 5
    assert turning_side(ring, 5, 4, 3).tolist() == [True, True, True, False, False]
