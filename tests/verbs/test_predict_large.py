"""`zoo.predict`: a configuration given as arrays, beside the run's own predictions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import zoo
from zoo import keys
from zoo.data.catalog import open_dataset
from zoo.errors import ConfigError, DataError


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "ridge"
    settings = {
        "model.descriptors.orders": 2, "model.descriptors.diffused": [2], "model.descriptors.averages": 1,
        "task.positions": "inherent",
    }  # fmt: skip
    zoo.train("ridge", "kob-andersen", settings=settings, out=out, with_baselines=False)
    return out


def test_arrays_give_what_the_run_predicts(run: Path) -> None:
    data = open_dataset("kob-andersen")
    zoo.evaluate(run, split="test")
    stored = zoo.Run(run).predictions("test")
    frame = int(stored["frame"][0])
    x, cell = data.array(keys.INHERENT)[frame], data.array(keys.CELLS)[frame]
    thermal = data.array(keys.POSITIONS)[frame]
    found = zoo.predict(run, {"thermal": thermal, "inherent": x}, data.system.types, cell)
    np.testing.assert_allclose(found, stored[keys.TARGETS][0], rtol=0, atol=1e-5)
    order = np.random.default_rng(0).permutation(len(x))
    mixed = zoo.predict(
        run, {"thermal": thermal[order], "inherent": x[order] + cell[0]}, data.system.types[order], cell
    )
    np.testing.assert_allclose(mixed, found[order], rtol=0, atol=1e-5)


def test_what_does_not_fit_is_told(run: Path) -> None:
    x, types = np.random.default_rng(0).uniform(0, 9, (20, 3)), np.zeros(20, int)
    with pytest.raises(ConfigError, match="inherent positions"):
        zoo.predict(run, {"thermal": x}, types, 9 * np.eye(3))
    with pytest.raises(ConfigError, match="'thermal': …, 'inherent'"):
        zoo.predict(run, x, types, 9 * np.eye(3))
    with pytest.raises(DataError, match="types"):
        zoo.predict(run, {"thermal": x, "inherent": x}, types + 7, 9 * np.eye(3))
    with pytest.raises(DataError, match=r"\[N, 3\]"):
        zoo.predict(run, x[:, :2], types, 9 * np.eye(3))
    with pytest.raises(DataError, match="NaN"):
        zoo.predict(run, x * np.nan, types, 9 * np.eye(3))
    with pytest.raises(DataError, match="cell"):
        zoo.predict(run, x, types, pbc=True)
