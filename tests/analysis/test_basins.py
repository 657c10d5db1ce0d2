from __future__ import annotations

import numpy as np
import pytest

from zoo.analysis.basins import (
    joint_states,
    molecular_basins,
    pair_basins,
    ramachandran_basins,
    rotamers,
    trans,
)
from zoo.datasets.peptide.basins import BASINS, ROTAMERS, basin, rotamer

#: Middle of each region, degrees; those that the literature draws.
PLACES = {
    "αR": (-70, -30), "C7eq": (-80, 80), "C5/PII": (-150, 150), "αL": (55, 45), "C7ax": (65, -60),
}  # fmt: skip


@pytest.mark.parametrize("name", PLACES)
def test_known_structures_are_in_their_basins(name):
    found = ramachandran_basins(*np.radians(PLACES[name])[:, None])
    among = {key for key, member in found.items() if member[0]}
    assert among == ({name, "φ>0"} if PLACES[name][0] > 0 else {name})


def angles(n: int, torsions: int) -> np.ndarray:
    return np.random.default_rng(3).uniform(-np.pi, np.pi, (n, torsions))


def test_basins_cover_the_torus_once():
    x = angles(20_000, 2)
    found = ramachandran_basins(*x.T)
    parts = np.sum([found[name] for name in PLACES], axis=0)
    assert (parts == 1).all()
    assert (np.sum(list(rotamers(x[:, 0]).values()), axis=0) == 1).all()


def test_a_chain_has_the_states_that_replica_exchange_of_peptides_counts():
    names = ["ALA 1 φ", "ALA 1 ψ", "VAL 2 φ", "VAL 2 ψ", "ω 1", "ω 2", "ω 3", "VAL 2 χ1"]
    x = angles(5000, len(names))
    found = molecular_basins(names, x)
    for residue, i in (("ALA 1", 0), ("VAL 2", 2)):
        number = basin(x[:, i], x[:, i + 1])
        for k, name in enumerate(BASINS):
            assert np.array_equal(found[f"{residue} {name}"], number == k)
    for k, name in enumerate(ROTAMERS):
        assert np.array_equal(found[f"VAL 2 χ1 {name}"], rotamer(x[:, 7]) == k)
    assert np.array_equal(found["any φ>0"], (x[:, [0, 2]] >= 0).any(1))
    assert np.array_equal(found["all αR"], found["ALA 1 αR"] & found["VAL 2 αR"])
    assert found["cis 2"].mean() == pytest.approx(0.5, abs=0.03)
    assert trans(names, x).mean() == pytest.approx(1 / 8, abs=0.02)
    assert len(np.unique(joint_states(names, x))) == 4 * 4 * 3


def test_joint_states_tell_what_shares_of_residues_cannot():
    """Two samples with the same share of αL in each residue: together, or in turn."""
    names = ["ALA 1 φ", "ALA 1 ψ", "ALA 2 φ", "ALA 2 ψ"]
    left, beta = np.radians(PLACES["αL"]), np.radians(PLACES["C5/PII"])
    together = np.array([[*left, *left], [*beta, *beta]])
    in_turn = np.array([[*left, *beta], [*beta, *left]])
    states = joint_states(names, np.concatenate([together, in_turn]))
    assert len(set(states.tolist())) == 4


def test_pairs_of_a_square_and_of_a_line():
    """Side 3: four sides inside 4, two diagonals of 4.24 outside. A line of spacing 3.9: three inside."""
    square = np.array([[0, 0, 0], [3, 0, 0], [3, 3, 0], [0, 3, 0]], float)
    line = np.array([[3.9 * i, 0, 0] for i in range(4)])
    found = pair_basins(np.stack([square, line]))
    assert list(found) == [f"{k} inner" for k in range(7)]
    assert [name for name, member in found.items() if member[0]] == ["4 inner"]
    assert [name for name, member in found.items() if member[1]] == ["3 inner"]
