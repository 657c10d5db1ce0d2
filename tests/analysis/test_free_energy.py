"""Free energies beside each other: planted differences come out, equal samples differ by the floor."""

from __future__ import annotations

import numpy as np
import pytest

from zoo.analysis.features import chain_order, diameter, features, slow_coordinates
from zoo.analysis.free_energy import (
    block_counts,
    blocks_of,
    compare,
    compared_bins,
    free_energy,
    grid,
    surface_rmsd,
)
from zoo.analysis.peptides import named_torsions
from zoo.data.catalog import open_dataset
from zoo.data.system import System
from zoo.physics.torsions import torsions


def system(bonds, n, names=()):
    return System(
        types=np.zeros(n, int), masses=np.ones(n), type_names={0: "B"}, bonds=bonds, atom_names=names
    )


# --- free energies ----------------------------------------------------------------------------


def test_a_planted_difference_comes_out():
    """Counts that are exactly exp(−F): ΔF = 0.7 cos x has rms 0.7/√2 about its mean over a circle."""
    x = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    reference = np.full(200, 1e6)
    model = 1e7 * np.exp(-0.7 * np.cos(x))
    assert surface_rmsd(reference, model, compared_bins(reference)) == pytest.approx(
        0.7 / np.sqrt(2), rel=1e-4
    )
    # a constant is no difference: another number of frames
    assert surface_rmsd(reference, 3 * reference, compared_bins(reference)) == pytest.approx(0, abs=1e-6)


def test_only_bins_with_weight_are_compared():
    reference = np.array([1e6, 1e5, 1e6 * np.exp(-3.9), 1e6 * np.exp(-4.1), 0])
    assert compared_bins(reference).tolist() == [True, True, True, False, False]
    assert compared_bins(reference / 1e5).tolist() == [True, False, False, False, False]  # below ten frames
    assert free_energy(reference)[:3] == pytest.approx([0, np.log(10), 3.9], abs=1e-4)
    # a basin that the model never visits costs, but not infinitely
    lost = surface_rmsd(np.array([500.0, 500.0]), np.array([1000.0, 0.0]), np.array([True, True]))
    assert 3 < lost < 8


def test_two_samples_of_one_density_differ_by_the_floor():
    rng = np.random.default_rng(0)
    draws = [rng.normal(size=(40, 250)) for _ in range(2)]
    on = grid(draws[0].reshape(-1, 1), [None])
    counts = [block_counts(d.reshape(-1, 1), np.repeat(np.arange(40), 250), on) for d in draws]
    same = compare(*counts)
    assert same.js < 2 * same.js_floor and same.rmsd < 2 * same.rmsd_floor
    other = rng.normal(0.3, 1, size=(40, 250))
    moved = compare(counts[0], block_counts(other.reshape(-1, 1), np.repeat(np.arange(40), 250), on))
    # JS of two Gaussians 0.3 σ apart is 0.3²/8 = 0.01125 nats to first order; F differs by 0.3 x
    assert moved.js == pytest.approx(0.01125 + same.js_floor, rel=0.3)
    assert moved.js > 3 * moved.js_floor and moved.js_error < moved.js / 3


def test_the_floor_knows_how_few_frames_the_model_has():
    """Perfect models with a tenth of the frames: as far as the floor says, in the mean over eight of them.

    One RMSD scatters by 35 % (rare bins have a frame or two), the mean of eight by 12 %.
    """
    rng = np.random.default_rng(4)
    blocks = np.repeat(np.arange(40), 500)
    few, many = [], []
    for _ in range(8):
        reference, full = (rng.normal(size=(20_000, 1)) for _ in range(2))
        on = grid(reference, [None])
        counts = block_counts(reference, blocks, on)
        few.append(compare(counts, block_counts(full[::10], blocks[::10], on)))
        many.append(compare(counts, block_counts(full, blocks, on)))
    for found in (few, many):
        for what in ("rmsd", "js"):
            floor = np.mean([getattr(f, what + "_floor") for f in found])
            assert np.mean([getattr(f, what) for f in found]) == pytest.approx(floor, rel=0.35)
    assert few[0].rmsd_floor > 2 * many[0].rmsd_floor and few[0].js_floor > 4 * many[0].js_floor


def test_correlated_frames_have_wider_errors():
    """Each block a copy of one value: 40 independent ones and not 4000; the floor knows."""
    rng = np.random.default_rng(1)
    single = rng.normal(size=(4000, 1))
    copies = np.repeat(rng.normal(size=(40, 1)), 100, axis=0)
    blocks = np.repeat(np.arange(40), 100)
    on = grid(single, [None], 20)
    independent, correlated = (compare(*[block_counts(v, blocks, on)] * 2) for v in (single, copies))
    assert correlated.js_floor > 20 * independent.js_floor
    assert independent.js == correlated.js == 0


def test_angles_go_round_and_numbers_beyond_the_ends_are_kept():
    circle = grid(np.zeros((1, 1)), [2 * np.pi], 4)
    assert circle.index(np.array([[-np.pi], [-0.1], [0.1], [np.pi], [3 * np.pi + 0.1]])).tolist() == [
        0,
        1,
        2,
        0,
        0,
    ]
    line = grid(np.array([[0.0], [1.0]]), [None], 12)  # from −0.1 to 1.1
    assert line.index(np.array([[-5.0], [-0.05], [1.05], [9.0]])).tolist() == [0, 0, 11, 11]
    plane = grid(np.zeros((1, 2)), [2 * np.pi] * 2, 3)
    values = np.array([[-2.0, 2.0], [2.0, -2.0]])
    assert block_counts(values, np.array([7, 9]), plane).tolist() == [
        [0, 0, 1, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 1, 0, 0],
    ]
    weighed = block_counts(values, np.array([7, 7]), plane, np.array([3.0, 1.0]))
    assert weighed[0, 2] == 1.5 and weighed[0, 6] == 0.5


def test_blocks_are_runs_or_parts_of_them():
    assert len(np.unique(blocks_of(np.repeat(np.arange(10), 5)))) == 10
    few = blocks_of(np.repeat([0, 1], 40))
    assert len(np.unique(few)) == 8 and (np.diff(few) >= 0).all() and few[39] != few[40]


# --- features ---------------------------------------------------------------------------------


def test_backbone_beads_have_the_torsions_of_their_atoms(tmp_path):
    from zoo.verbs.mapping import map_dataset

    atoms = open_dataset("alanine-dipeptide")
    for scheme in ("backbone", "backbone-beta", "heavy"):
        beads = open_dataset(map_dataset("alanine-dipeptide", scheme, tmp_path / scheme))
        for name in ("φ", "ψ"):
            expected, found = (
                torsions(
                    d.array("positions")[::500].astype(float), np.array([named_torsions(d.system)[name]])
                )
                for d in (atoms, beads)
            )
            assert found == pytest.approx(expected, abs=1e-4)
        assert {"Rg"} < {f.name for f in features(beads.system)}


def test_features_of_chains_and_rings():
    line = system([[2, 0], [0, 3], [3, 1]], 4)
    assert chain_order(line) == ([1, 3, 0, 2], False)
    x = np.zeros((1, 4, 3))
    x[0, [2, 0, 3, 1], 0] = [0, 1, 2.5, 4.5]
    found = {f.name: float(f.values(x)[0]) for f in features(line)}
    assert found == pytest.approx(
        {"Rg": np.std([0, 1, 2.5, 4.5]), "end-to-end": 4.5, "B3–B1": 1.0, "B1–B4": 1.5, "B4–B2": 2.0}
    )
    ring = system([[0, 1], [1, 2], [2, 3], [3, 0]], 4)
    assert chain_order(ring) == ([0, 1, 2, 3], True)
    assert "diameter" in {f.name for f in features(ring)} and diameter(x)[0] == 4.5
    assert chain_order(system([[0, 1], [0, 2], [0, 3]], 4)) == ([], False)
    assert chain_order(system([[0, 1], [2, 3]], 4)) == ([], False)
    assert chain_order(system([[0, 1], [1, 2], [2, 0], [3, 4], [4, 5], [5, 3]], 6)) == ([], False)
    assert slow_coordinates(ring)(x).shape == (1, 6)
    large = system([], 400)
    assert slow_coordinates(large)(np.zeros((2, 400, 3))).shape[1] <= 500


def test_lengths_of_many_bonds_are_one_feature():
    data = open_dataset("aniline")
    bonds = next(f for f in features(data.system) if f.name == "bonds")
    assert bonds.values(data.array("positions")[:3]).shape == (3, len(data.system.bonds))
