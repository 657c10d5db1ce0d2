"""Clusters, places that are never visited, contact maps, secondary structure, runs that disagree."""

from __future__ import annotations

import numpy as np
import pytest

from zoo.analysis.block_shares import populations_of, shares, state_counts
from zoo.analysis.clusters import assigned, density_clusters, k_means, representatives
from zoo.analysis.contact_map import as_matrix, contacts_of, sites
from zoo.analysis.convergence import scale_reduction, seen_once
from zoo.analysis.secondary import KINDS, has_backbone, secondary_structure
from zoo.analysis.visited import visited
from zoo.data.catalog import open_dataset


def test_planted_clusters_are_found() -> None:
    rng = np.random.default_rng(0)
    centers = np.array([[0.0, 0.0], [8.0, 0.0], [0.0, 8.0]])
    sizes = (600, 300, 100)
    points = np.concatenate([c + rng.standard_normal((n, 2)) for c, n in zip(centers, sizes, strict=True)])
    truth = np.repeat([0, 1, 2], sizes)
    labels, found = k_means(points, 3)
    assert np.array_equal(labels, truth)  # the largest first
    assert found == pytest.approx(centers, abs=0.4)
    assert np.array_equal(assigned(points, found), truth)
    islands = density_clusters(points, 0.05)
    assert islands.max() == 2
    inside = islands >= 0
    assert inside.mean() > 0.7 and np.array_equal(islands[inside], truth[inside])
    for k, frame in enumerate(representatives(points, labels)):
        assert labels[frame] == k and np.linalg.norm(points[frame] - points[labels == k].mean(0)) < 0.3
    assert representatives(points, islands).shape == (3,)


def test_shares_have_errors_of_blocks_and_never_less_than_of_frames() -> None:
    rng = np.random.default_rng(1)
    together, alone = [], []
    for _ in range(300):
        chance = rng.beta(2, 6, 20)  # each block sees the state more or less often
        counts = rng.binomial(100, chance)
        together.append(shares(np.stack([counts, 100 - counts], 1)))
        few = rng.binomial(5, 0.3, 20)
        alone.append(shares(np.stack([few, 5 - few], 1)))
    for found in (together, alone):
        values, errors = (np.array([part[k][0] for part in found]) for k in (0, 1))
        # 300 draws know a spread to 4 %; a lower bound makes the second a little too large
        assert errors.mean() == pytest.approx(values.std(), rel=0.15)
    share, error = shares(np.array([[10.0, 0.0], [10.0, 0.0]]))
    assert share.tolist() == [1, 0] and error.tolist() == [0, 0]


def test_populations_count_blocks_not_frames() -> None:
    states = np.repeat(np.random.default_rng(2).integers(0, 2, 50), 100)  # 50 blocks of one state each
    counts = state_counts(states, np.repeat(np.arange(50), 100), 3, None)
    assert counts.shape == (50, 3) and counts.sum() == 5000
    found = populations_of(counts)
    # 300 resamplings know an error to 4 %, its square to 8 %
    assert found[0].effective == pytest.approx(50, rel=0.25)
    assert found[2].share == 0 and found[2].effective == pytest.approx(50, rel=0.25)
    weights = np.where(states == 0, 3.0, 1.0)
    weighed = populations_of(state_counts(states, np.repeat(np.arange(50), 100), 3, weights))
    p = found[0].share
    assert weighed[0].share == pytest.approx(3 * p / (3 * p + 1 - p))


def blocks(probabilities: np.ndarray, frames: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).multinomial(frames, probabilities, 20).astype(float)


def test_a_place_that_is_never_visited_is_told_and_few_frames_raise_no_alarm() -> None:
    p = np.array([0.4, 0.3, 0.2, 0.099, 0.001])
    q = np.array([0.5, 0.375, 0.0, 0.125, 0.0])
    found = visited(blocks(p, 200, 0), blocks(q, 200, 1))
    assert found.unvisited.tolist() == [False, False, True, False, False]
    assert found.share == pytest.approx(0.2, abs=0.02)
    assert found.blind[4]  # 4000 frames miss a share of one in a thousand by chance too often to be sure
    few = visited(blocks(p, 200, 0), blocks(q, 1, 1))
    assert not few.unvisited.any()
    # false alarms are one in a hundred by construction
    alarms = sum(visited(blocks(p, 50, 2 * s), blocks(p, 20, 2 * s + 1)).unvisited.any() for s in range(300))
    assert alarms <= 8


def test_places_of_the_subject_alone_are_outside() -> None:
    p, q = np.array([0.5, 0.5, 0.0]), np.array([0.4, 0.4, 0.2])
    found = visited(blocks(p, 100, 0), blocks(q, 100, 1))
    assert found.beyond.tolist() == [False, False, True]
    assert found.outside == pytest.approx(0.2, abs=4 * found.outside_error)
    assert found.outside_floor == 0
    lone = np.zeros((4, 8))
    lone[np.arange(4), np.arange(4)] = 1
    lone[:, 7] = 3
    assert visited(lone, lone).outside_floor == pytest.approx(0.25)  # each block has one bin to itself


def test_runs_that_disagree() -> None:
    rng = np.random.default_rng(3)
    run = np.repeat(np.arange(10), 100)
    same = rng.standard_normal(1000)
    assert scale_reduction(same, run) == pytest.approx(1, abs=0.02)
    short = [scale_reduction(rng.standard_normal(90), np.repeat(np.arange(30), 3)) for _ in range(50)]
    assert np.median(short) < 1.03  # three frames of a run make no alarm of noise
    shifted = same + np.where(run < 5, -1.0, 1.0)
    assert scale_reduction(shifted, run) == pytest.approx(np.sqrt(1 + 10 / 9), abs=0.05)
    states = np.zeros(1000, int)
    states[run == 3] = 1
    states[::50] = 2
    assert seen_once(states, run) == [(1, pytest.approx(0.098))]
    assert seen_once(np.where(run == 3, -1, 0), run) == []
    assert seen_once(np.array([0, 0, 1, 1, 2, 2]), np.array([0, 0, 1, 1, 2, 2])) == []


def test_contacts_of_insulin_and_its_helices() -> None:
    data = open_dataset("insulin")
    x = data.array("positions", np.arange(0, 160, 16)).astype(float)
    of = sites(data.system, x)
    assert of is not None and of.what == "Cα" and len(of.particles) == 51
    found = contacts_of(x, of)
    i, j = of.pairs[17]
    place = x[:, of.particles]
    assert np.array_equal(found[:, 17], np.linalg.norm(place[:, i] - place[:, j], axis=1) < 8.0)
    matrix = as_matrix(found.mean(0), of)
    assert np.isnan(matrix[3, 5]) and matrix[3, 6] == matrix[6, 3] == 1.0  # i, i + 3 in the first helix
    assert has_backbone(data.system)
    kinds = secondary_structure(x, data.system)
    assert kinds.shape == (10, 51)
    helix = (kinds == KINDS.index("H")).mean(0)
    # 4INS: helices A2–A8, A13–A19 and B9–B19; their cores stay at 300 K
    for first, last in ((3, 6), (14, 17), (31, 38)):
        assert (helix[first - 1 : last] > 0.8).all()
    assert (helix[44:] == 0).all()  # the end of chain B
    assert not has_backbone(open_dataset("ring-polymer").system)
    assert not has_backbone(open_dataset("protein").system)  # Cα alone
