"""`zoo.sample`: what is in the files, beside exact averages of DW4 and the geometry of alanine dipeptide."""

from __future__ import annotations

import numpy as np
import pytest
from density_runs import laplace_run
from synthetic import chain

import zoo
from zoo.data.catalog import open_dataset
from zoo.datasets.dw4.exact import exact
from zoo.errors import ConfigError, DataError, RunError, RunFailed, UnknownName
from zoo.physics.torsions import torsions
from zoo.verbs import drawing

MOLECULE = "alanine-dipeptide/replica-exchange"


@pytest.fixture(scope="module")
def molecule(tmp_path_factory):
    return laplace_run(MOLECULE, tmp_path_factory.mktemp("runs") / "molecule")


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    return laplace_run("dw4", tmp_path_factory.mktemp("runs") / "toy")


def table(path) -> dict[str, np.ndarray]:
    with path.open() as file:
        names = file.readline().strip().split(",")
    return dict(zip(names, np.loadtxt(path, delimiter=",", skiprows=1, ndmin=2).T, strict=True))


def bond_lengths(positions: np.ndarray) -> np.ndarray:
    i, j = open_dataset(MOLECULE).system.bonds.T
    return np.linalg.norm(positions[:, i] - positions[:, j], axis=-1)


def sane(lengths: np.ndarray) -> bool:
    """Within 0.15 Å of the mean over the dataset's frames, five widths of the softest bonds at 300 K."""
    reference = bond_lengths(open_dataset(MOLECULE).split("test").array("positions")).mean(0)
    return bool((np.abs(lengths - reference) < 0.15).all() and lengths.std(0).min() > 0.01)


# --- files ------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["pdb", "xtc", "dcd"])
def test_mdtraj_reads_it_back(molecule, tmp_path, ending):
    import mdtraj

    made = zoo.sample(molecule, 40, tmp_path / f"x.{ending}")
    found = mdtraj.load_pdb(tmp_path / "x.pdb", standard_names=False)
    if ending != "pdb":
        assert found.n_frames == 1
        found = mdtraj.load(tmp_path / f"x.{ending}", top=found.topology)
    system = open_dataset(MOLECULE).system
    assert made.files[0] == tmp_path / f"x.{ending}" and all(p.is_file() for p in made.files)
    assert found.n_frames == 40
    assert [a.name for a in found.top.atoms] == list(system.atom_names)
    assert {(a.index, b.index) for a, b in found.top.bonds} == {(i, j) for i, j in system.bonds.tolist()}
    assert sane(bond_lengths(10 * found.xyz))


def test_ase_reads_it_back_with_energies(molecule, tmp_path):
    from ase.io import read

    zoo.sample(molecule, 20, tmp_path / "x.xyz")
    frames = read(tmp_path / "x.xyz", ":", format="extxyz")
    assert sane(bond_lengths(np.array([a.positions for a in frames])))
    energies = [a.get_potential_energy() for a in frames]
    assert energies == pytest.approx(table(tmp_path / "x.weights.csv")["energy (eV)"], rel=1e-6)


def test_npz_holds_the_same_numbers_as_the_table(molecule, tmp_path):
    zoo.sample(molecule, 30, tmp_path / "x.npz")
    columns = table(tmp_path / "x.weights.csv")
    with np.load(tmp_path / "x.npz", allow_pickle=False) as file:
        arrays = dict(file)
    names = {"weights": "weight", "log_weight": "log_weight", "log_prob": "log_prob"}
    for name, column in {**names, "energies": "energy (eV)"}.items():
        assert arrays[name] == pytest.approx(columns[column], rel=1e-8, abs=1e-300)
    assert arrays["weights"].mean() == pytest.approx(1)
    assert arrays["temperature"] == 300


def test_the_same_seed_gives_the_same_file(toy, tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        zoo.sample(toy, 50, tmp_path / f"{name}.xtc", seed=seed, resample=True, refine=2)
    for ending in ("xtc", "weights.csv"):
        a, b, c = ((tmp_path / f"{name}.{ending}").read_bytes() for name in "abc")
        assert a == b and a != c


def test_what_fails_leaves_nothing(toy, tmp_path, monkeypatch):
    def broken(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("zoo.verbs.sample.write_table", broken)
    with pytest.raises(KeyboardInterrupt):
        zoo.sample(toy, 50, tmp_path / "x.xtc")
    assert list(tmp_path.iterdir()) == []


def test_chunks_are_small_where_molecules_are_large():
    for particles in (1, 22, 300):
        parts = list(drawing.chunks(5000, particles))
        assert [i for part in parts for i in part] == list(range(5000))
        assert max(len(p) for p in parts) * particles * (particles - 1) / 2 <= drawing.PAIRS
    assert len(list(drawing.chunks(10, 10**6))) == 10


# --- weights ----------------------------------------------------------------------------------


def test_weights_give_the_averages_of_quadrature(toy, tmp_path):
    n = 150_000
    made = zoo.sample(toy, n, tmp_path / "x.npz", seed=3)
    columns, known = table(tmp_path / "x.weights.csv"), exact(1.0)
    w, energy = columns["weight"], columns["energy (ε)"]
    mean = (w * energy).mean()
    error = np.sqrt((w**2 * (energy - mean) ** 2).sum()) / n
    assert mean == pytest.approx(known.mean_energy, abs=4 * error) and error < 0.2
    log_z = made.metrics["log_z"]
    assert log_z["value"] == pytest.approx(known.log_z, abs=4 * log_z["error"]) and log_z["error"] < 0.2
    assert made.metrics["ess"]["value"] == pytest.approx(1 / (w**2).mean(), rel=1e-6)
    assert made.metrics["energy_evaluations"]["value"] == n

    zoo.sample(toy, n, tmp_path / "y.npz", seed=3, resample=True)
    taken = table(tmp_path / "y.weights.csv")
    assert (taken["weight"] == 1).all()
    assert taken["log_weight"] == pytest.approx(log_z["value"])
    assert taken["energy (ε)"].mean() == pytest.approx(mean, abs=0.1 * error)  # systematic: nearly exact
    index = taken["draw"].astype(int)
    with np.load(tmp_path / "x.npz") as raw, np.load(tmp_path / "y.npz") as equal:
        assert (equal["positions"] == raw["positions"][index]).all()


def test_resampling_takes_each_as_often_as_its_weight_says():
    import torch

    w = np.random.default_rng(0).exponential(size=1000) ** 2
    w[[0, -1]] = 0
    index = drawing.resampled(w, torch.Generator().manual_seed(0))
    count = np.bincount(index, minlength=1000)
    expected = w / w.mean()
    assert (np.abs(count - expected) < 1).all() and count[0] == count[-1] == 0 and len(index) == 1000
    assert (np.diff(index) >= 0).all()


def test_share_of_left_handed_frames_is_that_of_the_weights(molecule, tmp_path):
    """Here weights for the hottest target that the control overlaps with: at 300 K one draw has it all."""
    n, hot = 4000, 3000.0
    quadruple = np.array([[4, 6, 8, 14]])
    shares = {}
    for name, resample in (("raw", False), ("taken", True)):
        path = tmp_path / f"{name}.npz"
        made = zoo.sample(molecule, n, path, temperature=hot, resample=resample)
        assert f"3000/300, torsions as trained: ESS {made.metrics['ess']['value']:.3g} of" in made.notes[0]
        with np.load(path) as file:
            left = torsions(file["positions"].astype(float), quadruple)[:, 0] > 0
            shares[name] = (file["weights"] * left).mean()
            weights = file["weights"]
            if name == "raw":
                error = np.sqrt((weights**2 * (left - shares["raw"]) ** 2).sum()) / n
    assert 0 < shares["raw"] < 1 and error < 0.2
    assert shares["taken"] == pytest.approx(shares["raw"], abs=0.2 * error)


def test_another_temperature_is_exact_too(toy, tmp_path):
    """⟨U⟩ of DW4 at twice the temperature, from draws whose variance was doubled."""
    n, warm = 100_000, 2.0
    made = zoo.sample(toy, n, tmp_path / "x.npz", temperature=warm)
    columns = table(tmp_path / "x.weights.csv")
    w, energy = columns["weight"], columns["energy (ε)"]
    mean = (w * energy).mean()
    error = np.sqrt((w**2 * (energy - mean) ** 2).sum()) / n
    assert mean == pytest.approx(exact(warm).mean_energy, abs=4 * error) and error < 0.3
    assert abs(exact(warm).mean_energy - exact(1.0).mean_energy) > 5 * error
    assert "mode_drop" not in made.metrics  # no reference at that temperature
    with np.load(tmp_path / "x.npz") as file:
        assert file["temperature"] == warm


def test_the_verdict_is_there_and_names_what_is_missing(toy, tmp_path):
    assert "inner" in zoo.sample(toy, 3000, tmp_path / "x.npz").metrics["mode_drop"]["value"]


def test_few_draws(toy, tmp_path):
    made = zoo.sample(toy, 1, tmp_path / "x.npz")
    assert made.metrics["ess"]["value"] == 1 and "error" not in made.metrics["ess"]


# --- requests that are refused ------------------------------------------------------------------


def test_without_an_energy_function(tmp_path):
    run = laplace_run(chain(tmp_path / "chain"), tmp_path / "run", objective="data")
    made = zoo.sample(run, 25, tmp_path / "x.npz")
    assert list(table(tmp_path / "x.weights.csv")) == ["frame", "log_prob"] and made.metrics == {}
    for more in ({"resample": True}, {"refine": 3}, {"temperature": 350.0}):
        with pytest.raises(DataError, match=rf"--{next(iter(more))} needs energies, and chain holds no"):
            zoo.sample(run, 25, tmp_path / "y.npz", **more)
    assert not (tmp_path / "y.npz").exists()


def test_wrong_requests(toy, tmp_path):
    out = tmp_path / "x.npz"
    for more, words in (
        ({"n": 0}, "positive number of frames"),
        ({"temperature": -3.0}, "--temperature takes a positive"),
        ({"temperature": float("nan")}, "--temperature takes a positive"),
        ({"refine": -1}, "--refine takes"),
    ):
        with pytest.raises(ConfigError, match=words):
            zoo.sample(toy, **({"n": 10, "out": out} | more))
    with pytest.raises(UnknownName, match="gro"):
        zoo.sample(toy, 10, tmp_path / "x.gro")
    with pytest.raises(RunError, match="packaged"):
        zoo.sample(tmp_path / "nothing", 10, out)
    with pytest.raises(ConfigError, match="--replicas and --timestep: for runs of task forces"):
        zoo.sample(toy, 10, out, replicas=3, timestep=0.1)
    assert list(tmp_path.iterdir()) == []


def test_neither_a_density_nor_a_potential(tmp_path):
    zoo.train("type-mean", "kob-andersen", task="propensity", out=tmp_path / "run")
    with pytest.raises(RunError, match="predicts propensity; zoo sample is for runs of task density"):
        zoo.sample(tmp_path / "run", 10, tmp_path / "x.npz")


def test_files_are_not_replaced_unasked(toy, tmp_path):
    first = zoo.sample(toy, 10, tmp_path / "x.xtc").files
    before = first[-1].read_bytes()
    for path in first:
        others = [p for p in first if p != path]
        kept = {p: p.read_bytes() for p in others}
        for p in others:
            p.unlink()
        with pytest.raises(DataError, match=f"{path.name} exists already"):
            zoo.sample(toy, 10, tmp_path / "x.xtc", seed=1)
        for p, content in kept.items():
            p.write_bytes(content)
    zoo.sample(toy, 10, tmp_path / "x.xtc", seed=1, overwrite=True)
    assert first[-1].read_bytes() != before


def test_another_dataset_is_not_taken_for_the_runs_own(toy, tmp_path):
    with pytest.raises(DataError, match="lj13 has other particles|never saw"):
        zoo.sample(toy, 10, tmp_path / "x.npz", dataset="lj13")


def test_a_model_that_draws_nothing_of_weight(toy, tmp_path, monkeypatch):
    def infinite(*_):
        return lambda x: x.new_full((len(x),), float("inf"))

    monkeypatch.setattr("zoo.verbs.sample.potential_of", infinite)
    with pytest.raises(RunFailed, match="no draw has a finite energy"):
        zoo.sample(toy, 20, tmp_path / "x.npz", resample=True)
