"""Each packaged sample of glasses, rings and toys has an energy function, and it is the one of its frames."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from synthetic import glass

from zoo import keys
from zoo.data.catalog import open_dataset
from zoo.data.dataset import Dataset
from zoo.data.potential import has_potential, potential_of
from zoo.data.store import Manifest, write_dataset
from zoo.errors import DataError


@pytest.mark.parametrize(
    "name, error",
    [
        ("kob-andersen", 1e-7),  # as float64 sums of 1000 particles go
        ("kob-andersen/wca", 1e-7),
        ("kob-andersen/2d-ternary", 1e-7),
        ("ring-polymer/langevin-eq", 1e-8),
        ("ring-polymer/nose-hoover-eq", 1e-8),
        ("ring-polymer/nose-hoover-neq", 1e-8),
        ("alanine-dipeptide", 1e-8),
        ("dw4", 1e-8),
        ("lj13", 1e-8),
    ],
)
def test_stored_energies_are_found_again(name, error):
    data = open_dataset(name)
    rows = slice(0, None, max(1, len(data) // 4))
    energy = potential_of(data)(torch.tensor(data.array(keys.POSITIONS, rows), dtype=torch.float64))
    expected = np.asarray(data.array(keys.ENERGIES, rows), np.float64)
    assert len(np.unique(expected)) == len(expected)
    np.testing.assert_allclose(energy.numpy(), expected, rtol=0, atol=error)


def test_cells_that_change_come_with_the_positions(tmp_path):
    """Two frames, the second one stretched together with its cell."""
    data = open_dataset("kob-andersen/wca")
    first = slice(0, 1)
    x, cell = (np.asarray(data.array(name, first)[0], np.float64) for name in (keys.POSITIONS, keys.CELLS))
    manifest = Manifest(
        name="stretched", version="1", units="lj", temperature=None, system=data.system.to_json(),
        splits={"train": [(0, 2)], "val": [], "test": []}, provenance={},
    )  # fmt: skip
    arrays = {keys.POSITIONS: np.stack([x, 1.1 * x]), keys.CELLS: np.stack([cell, 1.1 * cell])}
    found = potential_of(Dataset(write_dataset(tmp_path / "d", manifest, arrays, {k: "σ" for k in arrays})))
    positions, cells = (torch.from_numpy(a) for a in arrays.values())
    with pytest.raises(DataError, match="needs a cell"):
        found(positions)
    energy = found(positions, cells)
    assert abs(energy[0] - data.array(keys.ENERGIES)[0]) < 1e-7
    assert energy[1] < 0.1 * energy[0]  # repulsive spheres at three quarters of the density


def test_a_dataset_without_parameters_is_refused(tmp_path):
    data = Dataset(glass(tmp_path / "glass"))
    assert not has_potential(data)
    with pytest.raises(DataError, match=r"objective=data"):
        potential_of(data)
