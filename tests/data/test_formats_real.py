"""Readers and the noise ceiling on files that others published."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from zoo import keys
from zoo.data import formats
from zoo.data.ceiling import noise_ceiling
from zoo.data.entry import RawData


@pytest.fixture(scope="module")
def botan(shared_data: Path) -> RawData:
    return formats.read([shared_data / "glass" / "botan"])


def test_botan(botan: RawData) -> None:
    assert botan.arrays[keys.POSITIONS].shape == (8, 4096, 3)
    assert botan.arrays[keys.CLONES].shape == (8, 1, 32, 4096)
    assert np.bincount(botan.system.types).tolist() == [3277, 819]
    # The box of the data set's description.
    assert botan.arrays[keys.CELLS][0, 0, 0] == pytest.approx(15.05658, abs=1e-5)


def test_ceiling_of_botan(botan: RawData) -> None:
    mean, pooled = noise_ceiling(botan.arrays[keys.CLONES], botan.system.types)[0]
    # Measured apart from this code on these eight files: .911 and .933. Random halvings of eight
    # configurations leave about .002.
    assert mean[0] == pytest.approx(0.911, abs=0.003)
    assert pooled[0] == pytest.approx(0.933, abs=0.003)


def test_glassbench_2d_two_times(shared_data: Path) -> None:
    folder = shared_data / "glass" / "glassbench-ka2d"
    raw = formats.read(sorted(folder.glob("*T0.23*.npz")))
    assert raw.target_names == ["propensity tc05", "propensity tc20"] and raw.target_times == []
    assert raw.arrays[keys.CLONES].shape == (1, 2, 20, 1290)
    assert raw.system.pbc == (True, True, False)
    assert np.bincount(raw.system.types).tolist() == [600, 330, 360]
    assert (raw.arrays[keys.POSITIONS][..., 2] == 0).all()
    assert keys.INHERENT in raw.arrays
    early, late = raw.arrays[keys.TARGETS].mean((0, 1))
    assert early < late


def test_glassbench_2d_wrapped_and_without_inherent(shared_data: Path) -> None:
    (path,) = (shared_data / "glass" / "glassbench-ka2d").glob("*T0.30*.npz")
    raw = formats.read([path])
    assert keys.INHERENT not in raw.arrays
    # Half a box is 16 σ; at the first time nothing moves as far as one particle.
    assert raw.arrays[keys.CLONES].max() < 1.0


def test_deepmind(shared_data: Path) -> None:
    raw = formats.read([shared_data / "glass" / "deepmind" / "test_small.pickle"])
    assert raw.temperature == 0.44 and len(raw.target_times) == 10
    assert raw.target_times == sorted(raw.target_times)
    assert raw.arrays[keys.CLONES].shape == (1, 10, 30, 20)
    assert raw.provenance["format"] == "deepmind"


def test_ceiling_of_pure_noise_and_of_none() -> None:
    rng = np.random.default_rng(0)
    types = np.zeros(400, int)
    signal = rng.normal(size=(3, 1, 1, 400))
    exact = np.repeat(signal, 8, axis=2)
    assert noise_ceiling(exact, types)[0][0] == pytest.approx([1.0])
    # Signal and noise of equal variance over 8 clones: reliability 8 / 9 of the mean. Errors of
    # three correlations over 400 particles: about 0.01.
    noisy = exact + rng.normal(size=exact.shape)
    for ceiling in noise_ceiling(noisy, types)[0]:
        assert ceiling == pytest.approx([np.sqrt(8 / 9)], abs=0.02)
    assert noise_ceiling(exact[:, :, :1], types) == {}
