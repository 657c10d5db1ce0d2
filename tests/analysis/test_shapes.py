"""Shapes of two samples: exact chains, and distances that are known."""

from __future__ import annotations

import numpy as np
import pytest

from zoo.analysis.polymers import ideal_linear_gyration
from zoo.analysis.shapes import bond_lengths, compare_shapes, contact_counts

BONDS = np.stack([np.arange(9), np.arange(1, 10)], 1)


def chains(frames: int, seed: int, scale: float = 1.0) -> np.ndarray:
    """Phantom chains of ten beads."""
    steps = scale * np.random.default_rng(seed).normal(size=(frames, 9, 3))
    return np.concatenate([np.zeros((frames, 1, 3)), steps.cumsum(1)], 1)


def test_one_distribution_is_at_its_floor_and_a_wider_one_is_not() -> None:
    reference = chains(3000, 0)
    same = compare_shapes(chains(3000, 1), reference, BONDS, 1.0)
    wide = compare_shapes(chains(3000, 1, 1.2), reference, BONDS, 1.0)
    for name, found in same.items():
        assert found.distance < 3 * found.floor + 0.01 * found.reference_spread
        assert wide[name].distance > 5 * found.distance
    # stretched by a fifth, every bond moves by a fifth of itself
    assert wide["bond_length"].distance == pytest.approx(0.2 * same["bond_length"].reference, rel=0.03)
    gyration = same["radius_of_gyration"]
    squared = gyration.model**2 + gyration.model_spread**2
    assert squared == pytest.approx(ideal_linear_gyration(10, 3.0), rel=0.03)


def test_weights_turn_one_sample_into_another() -> None:
    """Half of the reference is stretched; without weight it counts for nothing."""
    mixed = np.concatenate([chains(1000, 0), chains(1000, 2, 2.0)])
    weights = np.repeat([1.0, 0.0], 1000)
    weights[1000:] = 1e-12
    found = compare_shapes(chains(2000, 1), mixed, BONDS, 1.0, weights)["bond_length"]
    assert found.reference == pytest.approx(found.model, rel=0.02)
    assert found.distance < 0.05


def test_contacts_and_bonds_of_a_straight_chain() -> None:
    line = np.zeros((1, 6, 3))
    line[0, :, 0] = np.arange(6)
    assert contact_counts(line, 3.5).tolist() == [3.0]
    assert contact_counts(line, 4.5).tolist() == [5.0]
    assert bond_lengths(line, np.array([[0, 1], [0, 3]])).tolist() == [[1.0, 3.0]]
    assert "bond_length" not in compare_shapes(line.repeat(4, 0), line.repeat(4, 0), np.empty((0, 2)), 2.0)
