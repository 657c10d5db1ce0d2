"""`decode_dataset`: the structures that the model itself gives, in order, and requests that do not fit."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from synthetic import chain

import zoo
from zoo import keys
from zoo.data.catalog import open_dataset
from zoo.data.dataset import Dataset
from zoo.data.store import write_dataset
from zoo.errors import DataError, RunError
from zoo.models.autoencoder import AutoencoderModel
from zoo.verbs import decoding
from zoo.verbs.decoding import decode_dataset
from zoo.verbs.mapping import map_dataset

#: Å: positions are stored in single precision, of beads and of atoms.
ROUNDING = 1e-4


@pytest.fixture(scope="module")
def linear(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of `cg-autoencoder` on aniline, 4 beads."""
    settings = {"model.beads": 4, "train.epochs": 1, "task.epoch_steps": 5, "model.restarts": 1}
    out = tmp_path_factory.mktemp("runs") / "linear"
    return zoo.train(
        "cg-autoencoder", "aniline", task="reconstruction", settings=settings, out=out, with_baselines=False
    ).path


@pytest.fixture(scope="module")
def variational(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of `cg-vae` on aniline, 4 segments."""
    settings = {
        "model.map": "segments", "model.beads": 4, "model.hidden_channels": 8, "train.epochs": 1,
        "train.frames": 64,
    }  # fmt: skip
    out = tmp_path_factory.mktemp("runs") / "variational"
    return zoo.train(
        "cg-vae", "aniline", task="reconstruction", settings=settings, out=out, with_baselines=False
    ).path


@pytest.fixture(scope="module")
def beads(linear: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return map_dataset("aniline", str(linear), tmp_path_factory.mktemp("data") / "beads")


@pytest.fixture(scope="module")
def segments(variational: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Few frames, so that they are decoded in a moment."""
    whole = open_dataset(
        map_dataset("aniline", str(variational), tmp_path_factory.mktemp("data") / "segments")
    )
    return part(whole, tmp_path_factory.mktemp("data") / "part", 12)


def part(data: Dataset, out: Path, frames: int) -> Path:
    """The first frames of a dataset of beads."""
    manifest = data.manifest.model_copy(update={"splits": {}, "arrays": {}})
    units = {name: record.unit for name, record in data.manifest.arrays.items()}
    arrays = {name: np.asarray(data.array(name, slice(0, frames))) for name in units}
    return write_dataset(out, manifest, arrays, units)


def model_of(run: Path) -> AutoencoderModel:
    model = zoo.load(run)
    assert isinstance(model, AutoencoderModel)
    return model


# --- what is written -----------------------------------------------------------------------------------


def test_structures_are_those_of_the_model(linear: Path, beads: Path, tmp_path: Path) -> None:
    """decode(z) of every frame, with the atoms' system, the frames' runs and times."""
    out = decode_dataset(beads, linear, tmp_path / "atoms")
    data, source, atoms = open_dataset(out), open_dataset(beads), open_dataset("aniline")
    z = torch.from_numpy(source.array(keys.POSITIONS).astype(np.float32))
    wanted = model_of(linear).float().decode(z).detach().numpy()
    np.testing.assert_allclose(data.array(keys.POSITIONS), wanted, atol=1e-6)
    assert data.system.types.tolist() == atoms.system.types.tolist()
    assert data.system.bonds.tolist() == atoms.system.bonds.tolist()
    assert data.system.atom_names == atoms.system.atom_names
    assert data.runs().tolist() == atoms.runs().tolist()
    assert data.array(keys.TIME).tolist() == atoms.array(keys.TIME).tolist()
    assert data.temperature == atoms.temperature
    assert data.manifest.provenance["by"] == str(linear)


def test_way_there_and_back_is_the_reconstruction(linear: Path, beads: Path, tmp_path: Path) -> None:
    """decode(C x) of `zoo data map` and `decode` is what the task calls the reconstruction."""
    data = open_dataset(decode_dataset(beads, linear, tmp_path / "atoms"))
    predictions = zoo.Run(linear).predictions()
    found = data.array(keys.POSITIONS, predictions["frame"])
    np.testing.assert_allclose(found, predictions["reconstruction"], atol=ROUNDING)


def test_chunks_change_nothing(
    linear: Path, beads: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = open_dataset(decode_dataset(beads, linear, tmp_path / "whole"))
    monkeypatch.setattr(decoding, "CHUNK", 3 * 14 * 100)
    pieces = open_dataset(decode_dataset(beads, linear, tmp_path / "pieces"))
    for name in (keys.POSITIONS, keys.RUN, keys.TIME):
        np.testing.assert_allclose(pieces.array(name), whole.array(name), atol=1e-6)


def test_most_likely_structure_of_a_variational_model(
    variational: Path, segments: Path, tmp_path: Path
) -> None:
    data = open_dataset(decode_dataset(segments, variational, tmp_path / "atoms"))
    z = torch.from_numpy(open_dataset(segments).array(keys.POSITIONS).astype(np.float32))
    with torch.no_grad():
        wanted = model_of(variational).float().decode(z).numpy()
    np.testing.assert_allclose(data.array(keys.POSITIONS), wanted, atol=ROUNDING)


def test_draws_stand_together_differ_and_follow_their_seed(
    variational: Path, segments: Path, tmp_path: Path
) -> None:
    made = {
        name: open_dataset(decode_dataset(segments, variational, tmp_path / name, draws=3, seed=seed))
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    }
    x, again, other = (made[name].array(keys.POSITIONS) for name in "abc")
    source = open_dataset(segments)
    assert len(x) == 3 * len(source)
    assert np.array_equal(x, again) and not np.array_equal(x, other)
    each = x.reshape(len(source), 3, *x.shape[1:])
    assert (np.abs(each[:, 0] - each[:, 1]).max((1, 2)) > 1e-4).all()
    # three structures on the same beads: mapped back they are those beads
    back = np.einsum("bp,fpd->fbd", model_of(variational).coarse_map().positions, x)
    np.testing.assert_allclose(back, source.array(keys.POSITIONS).repeat(3, 0), atol=1e-3)
    assert made["a"].runs().tolist() == source.runs().repeat(3).tolist()


def test_frames_of_a_simulation(linear: Path, beads: Path, tmp_path: Path) -> None:
    """Map, fit a potential, simulate, decode: frames in the order of replicas and times."""
    run = zoo.train("harmonic", str(beads), out=tmp_path / "run", with_baselines=False)
    zoo.sample(run, 12, tmp_path / "x.npz", replicas=4, timestep=0.002, interval=0.01, equilibrate=0)
    data = open_dataset(decode_dataset(run.path, linear, tmp_path / "atoms"))
    with np.load(run.path / "simulation.npz") as file:
        z, replica, time = (file[name] for name in ("positions", "replica", "time"))
    wanted = model_of(linear).float().decode(torch.from_numpy(z)).detach().numpy()
    np.testing.assert_allclose(data.array(keys.POSITIONS), wanted, atol=1e-6)
    assert data.runs().tolist() == replica.tolist() == [k // 3 for k in range(12)]
    assert data.array(keys.TIME) == pytest.approx(time)


# --- requests that do not fit --------------------------------------------------------------------------


def refused(error: type[Exception], words: str, folder: Path, *arguments: Path | str) -> None:
    """One line, and nothing left behind."""
    before = sorted(folder.rglob("*"))
    with pytest.raises(error, match=words) as caught:
        decode_dataset(*arguments, folder / "out")
    assert "\n" not in str(caught.value)
    assert sorted(folder.rglob("*")) == before


def test_beads_of_another_map(linear: Path, variational: Path, segments: Path, tmp_path: Path) -> None:
    refused(DataError, "not those that the model decodes", tmp_path, segments, linear)
    other = map_dataset("aniline", "segments", tmp_path / "three", beads=3)
    refused(DataError, r"3 of 14 particles, the model has 4 of 14", tmp_path, other, linear)
    elsewhere = map_dataset("otp", "segments", tmp_path / "otp", beads=4)
    refused(DataError, r"4 of 32 particles, the model has 4 of 14", tmp_path, elsewhere, variational)


def test_beads_without_a_map(linear: Path, tmp_path: Path) -> None:
    refused(DataError, "does not say what map.*`zoo data map` writes it", tmp_path, "aniline", linear)


def test_no_autoencoder(beads: Path, tmp_path: Path) -> None:
    run = zoo.train("harmonic", str(chain(tmp_path / "chain")), out=tmp_path / "run", with_baselines=False)
    refused(RunError, "decodes no beads: take a run of cg-vae or cg-autoencoder", tmp_path, beads, run.path)
    refused(RunError, "no run at", tmp_path, beads, tmp_path / "nowhere")


def test_run_that_was_not_simulated(linear: Path, beads: Path, tmp_path: Path) -> None:
    run = zoo.train("harmonic", str(beads), out=tmp_path / "run", with_baselines=False)
    refused(RunError, "was not simulated: `zoo sample .* does it", tmp_path, run.path, linear)


def test_simulation_that_is_damaged(linear: Path, beads: Path, tmp_path: Path) -> None:
    run = zoo.train("harmonic", str(beads), out=tmp_path / "run", with_baselines=False)
    (run.path / "simulation.npz").write_bytes(b"PK\x03\x04 cut off")
    refused(RunError, "simulation.npz cannot be read", tmp_path, run.path, linear)


def test_what_is_there_stays(linear: Path, beads: Path, tmp_path: Path) -> None:
    out = tmp_path / "atoms"
    shutil.copytree(beads, out)
    with pytest.raises(DataError, match="exists"):
        decode_dataset(beads, linear, out)
    assert open_dataset(out).system.num_particles == 4
