"""Maps onto beads: forces belong to them, schemes are what they say, beads know their map."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import zoo
from zoo import keys
from zoo.coarse.beads import bead_system, map_of
from zoo.coarse.maps import CoarseMap, agreement, centers, on_particles, pieces, projection
from zoo.coarse.schemes import SCHEMES, scheme, segments
from zoo.data.catalog import open_dataset
from zoo.data.dataset import Dataset
from zoo.data.system import System
from zoo.errors import ConfigError, DataError, UnknownName
from zoo.verbs.mapping import map_dataset


@pytest.fixture(scope="module")
def alanine() -> Dataset:
    return zoo.load_dataset("alanine-dipeptide")


def ring(n: int) -> System:
    return System(np.zeros(n), np.ones(n), {0: "A"}, bonds=np.array([[i, (i + 1) % n] for i in range(n)]))


def test_sum_of_forces_is_the_projection_of_plain_centres() -> None:
    """For equal weights in a bead (C Cᵀ)⁻¹ C is the sum over its particles (Wang & Gómez-Bombarelli)."""
    group = np.array([0, 1, 0, 2, 2, 2, 1])
    coarse = centers(group)
    np.testing.assert_allclose(projection(coarse.positions), coarse.forces, atol=1e-12)


def test_projected_force_is_the_slope_of_the_mean_force_potential() -> None:
    """Harmonic system: W(z) = ½ zᵀ (C K⁻¹ Cᵀ)⁻¹ z exactly; ⟨B f | z⟩ must be −∂W/∂z for any valid B."""
    rng = np.random.default_rng(0)
    root = rng.normal(size=(7, 7))
    stiffness = root @ root.T + 7 * np.eye(7)
    for coarse in (
        centers(np.array([0, 0, 1, 1, 1, 2, 2]), rng.uniform(1, 16, 7)),
        on_particles(np.array([1, 4, 5]), np.array([0, 0, 1, 1, 1, 2, 2])),
    ):
        c = coarse.positions
        covariance = np.linalg.inv(stiffness)
        given = covariance @ c.T @ np.linalg.inv(c @ covariance @ c.T)  # ⟨x | z⟩ = given z
        mean_force = -coarse.forces @ stiffness @ given
        np.testing.assert_allclose(mean_force, -np.linalg.inv(c @ covariance @ c.T), atol=1e-10)


def test_forces_add_up(alanine: Dataset) -> None:
    """Sums over a partition keep the net force, and a frame of one bead gets it all."""
    coarse = scheme("backbone", alanine.system)
    forces = alanine.array(keys.FORCES, slice(0, 4)).astype(float)
    np.testing.assert_allclose(coarse.project(forces).sum(1), forces.sum(1), atol=1e-9)


@pytest.mark.parametrize(
    ("group", "weights", "words"),
    [([0, 2, 2], None, "bead 1"), ([0, 1], [1.0, 0.0], "positive"), ([-1, -1], None, "no particle")],
)
def test_bad_groups(group: list[int], weights: list[float] | None, words: str) -> None:
    with pytest.raises(DataError, match=words):
        centers(np.array(group), None if weights is None else np.array(weights))


def test_inconsistent_map() -> None:
    c = np.array([[0.5, 0.5, 0], [0, 0, 1.0]])
    with pytest.raises(DataError, match="unit matrix"):
        CoarseMap(c, c, np.array([0, 0, 1]))
    with pytest.raises(DataError, match="add up to one"):
        CoarseMap(2 * c, c, np.array([0, 0, 1]))


def test_segments_of_a_ring_are_equal_and_contiguous() -> None:
    for beads in (6, 18, 24):
        group = segments(ring(70), beads)
        counts = np.bincount(group)
        assert counts.max() - counts.min() <= 1
        assert pieces(group, ring(70).bonds) == beads


def test_pieces_counts_what_bonds_inside_hold_together() -> None:
    assert pieces(np.array([0, 0, 1, 1, 0, 0]), ring(6).bonds) == 2  # the ring closes 4, 5, 0, 1
    assert pieces(np.array([0, 1, 0, 1, 0, 1]), ring(6).bonds) == 6


def test_schemes_of_alanine_dipeptide(alanine: Dataset) -> None:
    """Five backbone beads carry φ and ψ; hydrogens go with their heavy atoms."""
    system = alanine.system
    five = scheme("backbone", system)
    assert [system.atom_names[int(np.argmax(row))] for row in five.positions] == ["C", "N", "CA", "C", "N"]
    assert scheme("heavy", system).num_beads == 10
    assert scheme("residue", system).num_beads == 3
    heavy = scheme("heavy", system)
    for i, j in system.bonds.tolist():
        if 1 in system.types[[i, j]]:
            assert heavy.group[i] == heavy.group[j]


def test_wrong_schemes(alanine: Dataset) -> None:
    with pytest.raises(UnknownName, match="backbone"):
        scheme("backbon", alanine.system)
    with pytest.raises(ConfigError, match="needs a number"):
        scheme("segments", alanine.system)
    with pytest.raises(ConfigError, match="takes no number"):
        scheme("heavy", alanine.system, 3)
    with pytest.raises(DataError, match="names"):
        scheme("calpha", ring(5))
    with pytest.raises(ConfigError, match="71 beads"):
        scheme("random", ring(70), 71)


def test_like_beads_share_a_type() -> None:
    """Rings of equal particles: one type for each size of bead, so that a graph network can learn it."""
    beads = bead_system(ring(70), centers(segments(ring(70), 18)))
    assert sorted(set(beads.type_names.values())) == ["A3", "A4"]
    assert len(beads.bonds) == 18


@pytest.mark.parametrize("name", [n for n in SCHEMES if n not in ("segments", "random")])
def test_map_dataset(alanine: Dataset, tmp_path: Path, name: str) -> None:
    """Beads on disk: positions C x, forces B f, the same splits, and the map in the manifest."""
    out = map_dataset("alanine-dipeptide", name, tmp_path / "beads")
    beads = open_dataset(out)
    coarse = scheme(name, alanine.system)
    kept = map_of(beads.system)
    assert kept is not None
    np.testing.assert_allclose(kept.positions, coarse.positions, atol=1e-12)
    for key, apply in ((keys.POSITIONS, coarse.to_beads), (keys.FORCES, coarse.project)):
        wanted = apply(alanine.array(key, slice(7, 9)).astype(float))
        np.testing.assert_allclose(beads.array(key, slice(7, 9)), wanted, rtol=1e-5, atol=1e-5)
    assert beads.manifest.splits == alanine.manifest.splits
    np.testing.assert_allclose(beads.system.masses.sum(), alanine.system.masses.sum())
    assert keys.ENERGIES not in beads.arrays and "energies_all_atoms" in beads.arrays


def test_map_of_ring_by_name_of_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no map"):
        map_dataset("ring-polymer", "segmnts", tmp_path / "x")
    assert not (tmp_path / "x").exists()
    out = map_dataset("ring-polymer", "segments", tmp_path / "x", beads=12)
    assert open_dataset(out).system.num_particles == 12
    with pytest.raises(DataError, match="exists already"):
        map_dataset("ring-polymer", "segments", tmp_path / "x", beads=12)


def test_centres_of_a_periodic_system_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="periodic"):
        map_dataset("kob-andersen", "random", tmp_path / "x", beads=5)
    assert not (tmp_path / "x").exists()


def test_agreement_of_maps() -> None:
    """One for the same beads whatever their numbers, near zero for maps at random."""
    group = segments(ring(70), 10)
    assert agreement([group, 9 - group]) == pytest.approx(1)
    rng = np.random.default_rng(0)
    assert abs(agreement([rng.permutation(group) for _ in range(6)])) < 0.05  # 15 pairs of 70 particles
    with pytest.raises(DataError, match="several"):
        agreement([group])
