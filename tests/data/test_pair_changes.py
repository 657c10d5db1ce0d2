"""How pairs of neighbours part: readers against brute force over all images."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import torch

from zoo import keys
from zoo.data.formats.pair_changes import PAIR_RANGE, changes_of, near_pairs
from zoo.data.formats.snapshot import Snapshot
from zoo.tasks.propensity.pairs import edge_targets, pair_error

BOX = np.array([5.0, 6.0, 4.5])


def made_up(n: int = 40, clones: int = 3, dimensions: int = 3):
    rng = np.random.default_rng(0)
    box = BOX[:dimensions]
    return rng.uniform(0, 1, (n, dimensions)) * box, rng.normal(0, 0.7, (clones, n, dimensions)), box


def test_pairs_and_changes_against_brute_force():
    for dimensions in (2, 3):
        start, moves, box = made_up(dimensions=dimensions)
        pairs = near_pairs(start, box)
        expected = {}
        images = np.array(list(itertools.product((-1, 0, 1), repeat=dimensions))) * box
        for i, j in itertools.combinations(range(len(start)), 2):
            r = start[j] - start[i] + images
            r = r[np.linalg.norm(r, axis=1).argmin()]
            if np.linalg.norm(r) < PAIR_RANGE:
                later = [np.linalg.norm(r + m[j] - m[i]) for m in moves]
                expected[i, j] = np.mean(later) - np.linalg.norm(r)
        assert {tuple(p) for p in pairs.tolist()} == expected.keys() and len(pairs) == len(expected)
        found = changes_of(start, moves, box, pairs)
        wanted = [expected[tuple(p)] for p in pairs.tolist()]
        np.testing.assert_allclose(found, wanted, atol=1e-6)  # float32


def test_a_box_with_room_for_two_images_gives_no_pairs():
    start, _, _ = made_up()
    assert len(near_pairs(start % 3.9, np.full(3, 3.9))) == 0


def test_pairs_follow_particles_that_are_sorted_by_type():
    start, _, box = made_up()
    types = np.arange(40) % 2
    pairs = near_pairs(start, box)
    shot = Snapshot(Path("x"), types, box, start, pairs=pairs)
    order = np.argsort(types, kind="stable")
    before = {tuple(sorted(p)) for p in pairs.tolist()}
    assert {tuple(sorted(order[p].tolist())) for p in shot.pairs} == before
    assert (shot.pairs[:, 0] < shot.pairs[:, 1]).all()


def test_each_direction_of_an_edge_gets_its_pair():
    edges = torch.tensor([[0, 2, 1, 3, 2], [2, 0, 3, 1, 3]])
    pairs, changes = torch.tensor([[1, 3], [0, 2]]), torch.tensor([[0.5, 1.0], [-0.25, 2.0]])
    found = edge_targets(edges, pairs, changes, 4)
    assert torch.equal(found[:4], changes[[1, 1, 0, 0]]) and bool(found[4].isnan().all())
    assert bool(edge_targets(edges, pairs[:0], changes[:0], 4).isnan().all())


def test_unknown_pairs_have_no_part_in_the_error():
    batch = {keys.EDGE_TARGETS: torch.tensor([[1.0], [float("nan")], [3.0]])}
    guess = torch.tensor([[2.0], [7.0]], requires_grad=True)
    error, mae = pair_error(guess, torch.tensor([2, 1]), batch, torch.tensor([2.0]), torch.square)
    error.backward()
    assert error.item() == 0.25 and mae.item() == 1.0
    assert guess.grad.tolist() == [[-0.5], [0.0]]
