"""Readers on files made here: what they keep, what they refuse, and what they say then."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from zoo import keys
from zoo.data import formats
from zoo.errors import ConfigError, DataError, UnknownName, ZooError

N, CLONES = 125, 4
BOX = (N / 1.2) ** (1 / 3)


def particles(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.uniform(0, BOX, (N, 3)), np.repeat([0, 1], [100, 25])


def botan(folder: Path, number: int = 1, code: str = "tc07", **changes) -> Path:
    rng = np.random.default_rng(number)
    start, types = particles(number)
    ends = start + rng.normal(scale=0.3, size=(CLONES, N, 3))
    arrays = {"types": types.astype(np.int8), "initial_positions": start, "positions": ends}
    arrays = {k: v for k, v in (arrays | changes).items() if v is not None}
    path = folder / f"isoconfig_N{N}T0.44_{number}_{code}.npz"
    np.savez(path, **arrays)
    return path


def deepmind(folder: Path, **changes) -> Path:
    rng = np.random.default_rng(0)
    start, types = particles()
    record = {
        "positions": start,
        "types": types.astype(np.int32),
        "box": np.full(3, BOX),
        "time": [0.0, 1.0, 5.0, 9.0],
        "time_indices": [1, 3, 2],  # not ascending, as in the public files
        "metadata": {"temperature": 0.44, "fluid": "Kob Andersen"},
        "trajectory_target_positions": [
            [start + s * rng.normal(size=(N, 3)) for _ in range(CLONES)] for s in (0.1, 0.9, 0.5)
        ],
    }
    record = {k: v for k, v in (record | changes).items() if v is not None}
    path = folder / "one.pickle"
    path.write_bytes(as_old_numpy(record))
    return path


def as_old_numpy(record: object) -> bytes:
    """Pickle with protocol 3 under the module names that numpy 1 wrote, as the public files have."""
    return pickle.dumps(record, protocol=3).replace(b"numpy._core.", b"numpy.core.")


def test_botan_becomes_frames(tmp_path: Path) -> None:
    files = [botan(tmp_path, k) for k in (1, 2, 10)]
    raw = formats.read([tmp_path])
    assert raw.units == "lj" and raw.temperature == 0.44
    assert raw.target_names == ["propensity t=4120"] and raw.target_times == [4120.0]
    assert raw.arrays[keys.POSITIONS].shape == (3, N, 3)
    assert raw.arrays[keys.CLONES].shape == (3, 1, CLONES, N)
    assert [f["file"] for f in raw.provenance["files"]] == [f.name for f in files]  # 2 before 10
    np.testing.assert_allclose(raw.arrays[keys.CELLS][0], BOX * np.eye(3))
    with np.load(files[2]) as found:
        moves = np.linalg.norm(found["positions"] - found["initial_positions"], axis=-1)
    # float32 of a float64 mean
    np.testing.assert_allclose(raw.arrays[keys.TARGETS][2, :, 0], moves.mean(0), rtol=1e-6)


def test_several_times_of_one_configuration_are_several_targets(tmp_path: Path) -> None:
    botan(tmp_path, 1, "tc07"), botan(tmp_path, 1, "tc02"), botan(tmp_path, 1, "tc10")
    raw = formats.read([tmp_path])
    assert raw.arrays[keys.TARGETS].shape == (1, N, 3)
    assert raw.target_times == [1.3, 4120.0, 130000.0]


def test_deepmind_times_ascend(tmp_path: Path) -> None:
    raw = formats.read([deepmind(tmp_path)])
    assert raw.target_times == [1.0, 5.0, 9.0]
    assert (np.diff(raw.arrays[keys.TARGETS].mean((0, 1))) > 0).all()
    assert raw.arrays[keys.CLONES].shape == (1, 3, CLONES, N)


def test_deepmind_targets_without_trajectories(tmp_path: Path) -> None:
    targets = [np.full(N, value) for value in (1.0, 3.0, 2.0)]
    path = deepmind(tmp_path, trajectory_target_positions=None, targets=targets)
    raw = formats.read([path])
    assert keys.CLONES not in raw.arrays
    np.testing.assert_array_equal(raw.arrays[keys.TARGETS][0, 0], [1.0, 2.0, 3.0])


def test_glassbench_3d(tmp_path: Path) -> None:
    start, types = particles()
    wishes = np.arange(10)[:, None] + np.random.default_rng(1).uniform(size=(10, N))
    path = tmp_path / f"N{N}T0.64_7.npz"
    np.savez(
        path,
        types=types + 1,
        initial_positions=start - BOX / 2,
        initial_positions_inherent=start - BOX / 2 + 0.01,
        initial_positions_cage=np.zeros(0),
        md_prop=wishes,
        bb_prop=wishes / 10,
    )
    raw = formats.read([path])
    assert raw.provenance["format"] == "glassbench" and raw.temperature == 0.64
    assert raw.target_times[6] == 16.5 and len(raw.target_times) == 10
    np.testing.assert_allclose(raw.arrays[keys.TARGETS][0], wishes.T, rtol=1e-6)
    assert raw.arrays["bond_breaking"].shape == (1, N, 10)
    assert "positions_cage" not in raw.arrays
    inside = raw.arrays[keys.POSITIONS]
    assert inside.min() >= 0 and inside.max() < BOX
    assert set(raw.system.types) == {0, 1}


def test_particles_are_sorted_by_type(tmp_path: Path) -> None:
    start, types = particles(3)
    shuffle = np.random.default_rng(5).permutation(N)
    ends = start[None] + np.arange(N)[None, :, None] / N  # particle i moves by i √3 / N
    path = botan(tmp_path, 3, types=types[shuffle], initial_positions=start[shuffle],
                 positions=ends[:, shuffle])  # fmt: skip
    raw = formats.read([path])
    assert (np.diff(raw.system.types) >= 0).all()
    assert "particles sorted by type (stable)" in raw.provenance["notes"]
    order = np.argsort(types[shuffle], kind="stable")
    expected = np.sqrt(3) * shuffle[order] / N
    # float32 of sums of numbers near 5
    np.testing.assert_allclose(raw.arrays[keys.TARGETS][0, :, 0], expected, atol=1e-6)


def test_wrapped_ends_take_the_nearest_image(tmp_path: Path) -> None:
    start, _ = particles(1)
    moves = np.random.default_rng(2).normal(scale=0.3, size=(CLONES, N, 3))
    wrapped = np.mod(start + moves, BOX)
    raw = formats.read([botan(tmp_path, 1, positions=wrapped)])
    expected = np.linalg.norm(moves, axis=-1).mean(0)
    np.testing.assert_allclose(raw.arrays[keys.TARGETS][0, :, 0], expected, atol=1e-6)
    assert "end positions are wrapped: nearest images taken" in raw.provenance["notes"]


def plain(folder: Path, name: str = "x.npz", **changes) -> Path:
    start, types = particles()
    arrays = {"positions": np.stack([start, start]), "types": types, "box": BOX,
              "energies": np.array([1.0, 2.0]), "forces": np.zeros((2, N, 3))}  # fmt: skip
    arrays = {k: v for k, v in (arrays | changes).items() if v is not None}
    np.savez(folder / name, **arrays)
    return folder / name


def test_plain_npz(tmp_path: Path) -> None:
    paths = [plain(tmp_path, "a.npz"), plain(tmp_path, "b.npz")]
    raw = formats.read(paths, units="lj")
    assert raw.arrays[keys.POSITIONS].shape == (4, N, 3)
    assert raw.array_units == {
        "positions": "σ", "forces": "ε/σ", "energies": "ε", "cell": "σ",
    }  # fmt: skip
    assert raw.system.periodic


def test_plain_npz_with_runs_by_time(tmp_path: Path) -> None:
    one = plain(tmp_path, "a.npz", time=[1.0, 2.0])
    two = plain(tmp_path, "b.npz", time=[3.0, 0.5])
    raw = formats.read([one, two], units="lj", runs="time")
    assert raw.arrays[keys.RUN].tolist() == [0, 0, 0, 1]
    with pytest.raises(ConfigError, match="holds no `time`"):
        formats.read([plain(tmp_path, "c.npz")], units="lj", runs="time")


def test_plain_npz_of_a_molecule(tmp_path: Path) -> None:
    path = tmp_path / "m.npz"
    np.savez(path, z=[8, 1, 1], positions=np.eye(3))
    raw = formats.read([path], units="ase")
    assert raw.system.type_names == {1: "H", 8: "O"} and not raw.system.periodic
    assert raw.arrays[keys.POSITIONS].shape == (1, 3, 3)


def nan_somewhere(shape: tuple[int, ...]) -> np.ndarray:
    array = np.random.default_rng(0).uniform(0, BOX, shape)
    array[-1, -1] = np.nan
    return array


def truncated(path: Path, keep: float) -> Path:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep)])
    return path


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


BAD = {
    "nothing": (lambda d: [], "name at least one file"),
    "no such file": (lambda d: [d / "gone.npz"], "there is no such file"),
    "empty folder": (lambda d: [d], "holds no data files"),
    "empty file": (lambda d: [write(d / "a.npz", b"")], "is empty"),
    "text": (lambda d: [write(d / "a.txt", b"hello")], "none of the known formats"),
    "twice": (lambda d: [botan(d), d], "named twice"),
    "truncated npz": (lambda d: [truncated(botan(d), 0.6)], "truncated|damaged"),
    "truncated pickle": (lambda d: [truncated(deepmind(d), 0.6)], "truncated or damaged"),
    "NaN in npz": (lambda d: [botan(d, positions=nan_somewhere((CLONES, N, 3)))], "NaN"),
    "NaN in pickle": (lambda d: [deepmind(d, positions=nan_somewhere((N, 3)))], "NaN"),
    "missing key": (lambda d: [deepmind(d, types=None)], "lacks types"),
    "missing box in pickle": (lambda d: [deepmind(d, box=None)], "lacks box"),
    "clones of another size": (
        lambda d: [botan(d, positions=np.zeros((CLONES, N - 1, 3)))],
        "numbers of particles differ",
    ),
    "types of another size": (lambda d: [botan(d, types=np.zeros(N - 1, int))], "types for 125"),
    "too large for the density": (
        lambda d: [botan(d, initial_positions=2 * particles()[0])],
        "no box",
    ),
    "text for numbers": (lambda d: [botan(d, types=np.array(["A"] * N))], "no numbers"),
    "time not in the name": (
        lambda d: [botan(d).rename(d / "some.npz")],
        "time is told by the file's name",
    ),
    "the same twice": (
        lambda d: [botan(d), write(d / f"copy_N{N}T0.44_1_tc07.npz", botan(d).read_bytes())],
        "same configuration at the same time",
    ),
    "times that differ": (lambda d: [botan(d, 1), botan(d, 2, "tc05")], "all have the same times"),
    "bad indices": (lambda d: [deepmind(d, time_indices=[1, 9, 2])], "time_indices"),
    "ragged": (
        lambda d: [deepmind(d, trajectory_target_positions=[[np.zeros((3, 3)), np.zeros((2, 3))]] * 3)],
        "differ in their number of particles",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_files_are_one_clear_error(case: str, tmp_path: Path) -> None:
    make, message = BAD[case]
    paths = make(tmp_path)
    with pytest.raises(DataError, match=message) as caught:
        formats.read(paths)
    assert len(str(caught.value).splitlines()) <= 2


def test_number_of_particles_from_file_to_file(tmp_path: Path) -> None:
    first = botan(tmp_path, 1)
    small = 64
    edge = (small / 1.2) ** (1 / 3)
    start = np.random.default_rng(1).uniform(0, edge, (small, 3))
    path = tmp_path / "isoconfig_N64T0.44_2_tc07.npz"
    np.savez(path, types=np.zeros(small, int), initial_positions=start, positions=start[None])
    with pytest.raises(DataError, match=r"64 particles.*125"):
        formats.read([first, path])


def test_temperatures_are_imported_apart(tmp_path: Path) -> None:
    first, second = botan(tmp_path, 1), botan(tmp_path, 2)
    second = second.rename(tmp_path / second.name.replace("T0.44", "T0.50"))
    with pytest.raises(DataError, match="each temperature apart"):
        formats.read([first, second])


NPZ = {
    "no units": ({}, None, "do not tell their units"),
    "unknown units": ({}, "furlong", "'units': input should be 'ase'"),
    "no box": ({"box": None}, "lj", "no box"),
    "NaN": ({"forces": np.full((2, N, 3), np.nan)}, "lj", "forces holds NaN"),
    "forces of fewer": ({"forces": np.zeros((2, N - 1, 3))}, "lj", "forces of shape"),
    "types of fewer": ({"types": np.zeros(3, int)}, "lj", "do not fit together"),
    "fractional types": ({"types": np.full(N, 0.5)}, "lj", "no.* whole numbers|not whole"),
    "no atomic numbers": ({}, "ase", "no atomic numbers"),
    "flat box": ({"box": np.array([1.0, 1.0, 0.0])}, "lj", "no volume"),
}


@pytest.mark.parametrize("case", NPZ)
def test_bad_plain_npz(case: str, tmp_path: Path) -> None:
    changes, units, message = NPZ[case]
    path = plain(tmp_path, **changes)
    with pytest.raises(ZooError, match=message):
        formats.read([path], units=units)


def test_unknown_format_suggests(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="Did you mean 'botan'"):
        formats.read([botan(tmp_path)], "botam")
    with pytest.raises(UnknownName, match="deepmind"):
        formats.read([botan(tmp_path)], "extended")


def test_wrong_format_named(tmp_path: Path) -> None:
    with pytest.raises(ZooError, match="no npz"):
        formats.read([deepmind(tmp_path)], "botan")
    with pytest.raises(ZooError, match="pickle"):
        formats.read([botan(tmp_path)], "deepmind")
    with pytest.raises(ZooError, match="should be 'lj', got 'ase'"):
        formats.read([botan(tmp_path)], units="ase")
