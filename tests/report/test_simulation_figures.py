"""Pictures of simulated potentials, from simulations whose difference from the data is planted."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from synthetic import chain

import zoo
from zoo.data.catalog import open_dataset
from zoo.data.dataset import Dataset
from zoo.data.store import write_dataset
from zoo.files import write_json
from zoo.report import plot, write_report
from zoo.report.figures import free_energy_surface, simulated_features, simulated_space, timescales
from zoo.report.runs import Group, LeftOut, find_runs, group_runs
from zoo.report.simulation import Simulated, all_simulated
from zoo.verbs.mapping import map_dataset
from zoo.verbs.simulation_scores import Comparison, compared

DRAWN = (free_energy_surface.draw, simulated_features.draw, timescales.draw, simulated_space.draw)
EACH = 40  # frames of a planted replica: half of the data's frames, all of φ < 0


@pytest.fixture(scope="module")
def beads(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return open_dataset(map_dataset("alanine-dipeptide", "backbone", tmp_path_factory.mktemp("data") / "b"))


@pytest.fixture(scope="module")
def trained(beads: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "harmonic"
    return zoo.train("harmonic", str(beads.path), out=out, with_baselines=False).path


def simulation(data: Dataset, positions: np.ndarray, folder: Path) -> Comparison:
    """Keep frames `[frames, particles, 3]` in a run directory as `zoo sample` would, as replicas of 40."""
    arrays = {
        "positions": positions.astype(np.float32),
        "run": (np.arange(len(positions)) // EACH).astype(np.int32),
        "time": np.arange(len(positions), dtype=np.float64) % EACH,
    }
    manifest = data.manifest.model_copy(update={"splits": {}, "arrays": {}})
    units = {"positions": "Å", "run": "1", "time": "ps"}
    found = compared(data, Dataset(write_dataset(folder / "x", manifest, arrays, units, overwrite=True)), 1.0)
    np.savez(folder / "simulation.npz", **found.arrays)
    record = {"comparison": found.record, "metrics": found.metrics}
    write_json(folder / "frames.simulation.json", record)
    return found


def group_of(*runs: Path) -> Group:
    (group,) = group_runs(find_runs(runs))
    return group


def drawn(draw, group: Group) -> plot.Drawing:
    with plot.style():
        found = draw(group)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def planted(trained: Path, beads: Dataset, tmp_path_factory: pytest.TempPathFactory):
    """A run whose simulation has the data's frames without φ > 0, and what the comparison says of it."""
    run = Path(shutil.copytree(trained, tmp_path_factory.mktemp("planted") / "run"))
    phi = _phi(beads.array("positions"))
    kept = np.flatnonzero(phi < 0)
    return run, simulation(beads, beads.array("positions", kept[: len(kept) // EACH * EACH]), run)


def _phi(x: np.ndarray) -> np.ndarray:
    """Torsion of the first four beads, by hand."""
    a, b, c = (np.diff(x.astype(float), axis=1)[:, k] for k in range(3))
    n, m = np.cross(a, b), np.cross(b, c)
    sine = np.einsum("fi,fi->f", np.linalg.norm(b, axis=1)[:, None] * a, m)
    return np.arctan2(sine, np.einsum("fi,fi->f", n, m))


# --- free energies -----------------------------------------------------------------------------------


def test_numbers_below_the_surface_are_those_that_sample_tells(planted):
    run, found = planted
    caption = drawn(free_energy_surface.draw, group_of(run)).caption
    rmsd, floor = re.findall(r"harmonic ([\d.]+) ± \S+ kT \(floor ([\d.]+) kT\)", caption)[0]
    assert float(rmsd) == pytest.approx(found.metrics["fes_rmsd"]["value"], abs=0.006)
    assert float(floor) == pytest.approx(found.metrics["fes_rmsd_floor"]["value"], rel=0.06)
    assert "5,120 frames of alanine-dipeptide/backbone" in caption and ", 0 % of the simulation" in caption


def test_what_the_simulation_lacks_is_red_and_the_rest_is_even(planted):
    """Left out: φ > 0. There −ln p is larger by far; elsewhere both are the same but for a constant."""
    (simulated,) = all_simulated(group_of(planted[0]))
    assert [simulated.names[k] for k in simulated.main] == ["φ", "ψ"]
    import matplotlib.figure

    axes = matplotlib.figure.Figure().subplots(1, 3)
    _, shown = free_energy_surface._row(axes, simulated)
    gap = shown.get_array().reshape(24, 24)  # [ψ, φ]
    positive, negative = gap[:, 12:].compressed(), gap[:, :12].compressed()
    assert len(positive) > 3 and len(negative) > 50
    assert positive.min() > 2 and np.ptp(negative) < 0.3


def test_a_simulation_that_is_the_data_differs_by_nothing(trained, beads, tmp_path):
    run = Path(shutil.copytree(trained, tmp_path / "run"))
    simulation(beads, beads.array("positions"), run)
    group = group_of(run)
    assert "harmonic 0.00 ± " in drawn(free_energy_surface.draw, group).caption
    titles = re.findall(r"JS ([\d.e-]+)", drawn(simulated_features.draw, group).svg)
    assert len(titles) == 8 and set(titles) == {"0"}


def test_models_have_rows_of_their_own(planted, trained, beads, tmp_path):
    other = zoo.train(
        "harmonic", str(beads.path), settings={"model.angles": False}, out=tmp_path / "bonds",
        with_baselines=False,
    ).path  # fmt: skip
    simulation(beads, beads.array("positions")[:400], other)
    group = group_of(planted[0], other, trained)
    assert len(all_simulated(group)) == 2
    surface = drawn(free_energy_surface.draw, group)
    assert (
        surface.svg.count(">difference<") == 2 and len(re.findall(r"floor [\d.]+ kT", surface.caption)) == 2
    )
    first, second = (f"{s.frames:,}" for s in all_simulated(group))
    assert {first, second} == {"4,720", "400"} and f"{first} and {second} frames of" in surface.caption
    features = drawn(simulated_features.draw, group)
    assert len(re.findall(r"φ: JS [\d.]+, [\d.]+", features.svg)) == 1


# --- features ----------------------------------------------------------------------------------------


def test_divergences_of_features_are_those_that_sample_tells(planted):
    run, found = planted
    figure = drawn(simulated_features.draw, group_of(run))
    told = dict(re.findall(r"(φ|ψ|Rg|end-to-end): JS ([\d.]+)", figure.svg))
    for name, key in (("φ", "js_phi"), ("ψ", "js_psi"), ("Rg", "js_rg"), ("end-to-end", "js_end_to_end")):
        assert float(told[name]) == pytest.approx(found.metrics[key]["value"], rel=0.06, abs=1e-4)
    assert "8 of 10 features" in figure.caption
    assert {"TIC 1", "TIC 2"} <= set(re.findall(r"(TIC \d): JS", figure.svg))


def test_bands_are_standard_errors_over_blocks():
    """Blocks of equal size, a bin's share in each drawn from a normal one: σ/√blocks, 100 resamples."""
    rng = np.random.default_rng(0)
    share = np.clip(0.5 + 0.1 * rng.standard_normal(400), 0, 1)
    blocks = 1000 * np.stack([share, 1 - share], 1)
    error = simulated_features._error(blocks)
    assert error == pytest.approx([0.1 / 20] * 2, rel=0.25)  # of 100: 7 %, and of σ itself 4 %


def test_replicas_of_all_frames_from_those_of_some(beads):
    """Of 4,096 frames in 64 replicas 1,000 were kept with their replica: each is right but at a change."""
    replica = np.arange(4096) // 64
    kept = np.linspace(0, 4095, 1000).astype(int)
    arrays = {
        "simulated_0": np.zeros(4096), "reference_0": np.zeros(99), "reference_run": np.zeros(99),
        "replica": replica[kept],
    }  # fmt: skip
    found = Simulated("model", None, arrays, beads)._replicas()
    assert len(found) == 4096 and (found != replica).sum() <= 63 * 4


# --- clocks ------------------------------------------------------------------------------------------


def test_the_ratio_of_clocks_is_the_metric(planted):
    run, found = planted
    figure = drawn(timescales.draw, group_of(run))
    told = float(re.findall(r"known best: harmonic ([\d.]+)", figure.caption)[0])
    assert told == pytest.approx(found.metrics["speed_up"]["value"], rel=0.06)
    assert "lag (ps)" in figure.svg and "Å²" in figure.svg


def test_no_clocks_without_their_record(planted, tmp_path):
    copy = Path(shutil.copytree(planted[0], tmp_path / "run"))
    (copy / "frames.simulation.json").unlink()
    assert timescales.draw(group_of(copy)) is None
    drawn(free_energy_surface.draw, group_of(copy))


# --- in space ----------------------------------------------------------------------------------------


def test_the_nearest_frame_is_found_however_it_is_turned():
    rng = np.random.default_rng(0)
    data = rng.standard_normal((50, 6, 3))
    turn = np.linalg.qr(rng.standard_normal((3, 3)))[0]
    assert simulated_space._nearest(data[[7, 31]] @ turn + 3.0, data).tolist() == [7, 31]


def test_mirror_images_are_far_from_the_data(trained, beads, tmp_path):
    """Frames of the data themselves are 0 Å from it, their mirror images are not."""
    run = Path(shutil.copytree(trained, tmp_path / "run"))
    x = beads.array("positions", np.unique(np.linspace(0, len(beads) - 1, 2000).astype(int)))
    medians = []
    for positions in (x, x * [1, 1, -1]):
        simulation(beads, positions, run)
        caption = drawn(simulated_space.draw, group_of(run)).caption
        medians.append(float(re.findall(r"square, (\S+) Å in the median", caption)[0]))
    assert medians[0] < 1e-5 and medians[1] > 0.2


# --- what has none -----------------------------------------------------------------------------------


def test_runs_that_were_not_simulated_have_none(trained):
    assert [draw(group_of(trained)) for draw in DRAWN] == [None] * 4


def test_other_simulations_are_left_out_and_that_is_said(planted, trained, tmp_path):
    for name, source in (("damaged", b"PK\x03\x04 no archive"), ("foreign", None)):
        run = Path(shutil.copytree(trained, tmp_path / name))
        if source is not None:
            (run / "simulation.npz").write_bytes(source)
        else:
            with np.load(planted[0] / "simulation.npz") as file:
                arrays = {k: file[k][:77] if k == "reference_0" else file[k] for k in file.files}
            np.savez(run / "simulation.npz", **arrays)
        for draw in DRAWN:
            with pytest.raises(LeftOut, match="`zoo sample` makes it anew"):
                draw(group_of(run))


def test_sampled_run_in_a_page(tmp_path):
    """From `zoo sample` itself, of a chain without torsions: its first slow coordinates."""
    data = chain(tmp_path / "chain", frames=240)
    run = zoo.train("harmonic", str(data), settings={"model.angles": False}, out=tmp_path / "run")
    zoo.sample(run, 40, run.path / "x.npz", replicas=8, interval=0.05, equilibrate=0)
    text = write_report([run.path], tmp_path / "r.html").read_text(encoding="utf-8")
    titles = set(re.findall(r"<h3>([^<]*)</h3>", text))
    assert {"Free energy of the simulation", "Features of the simulation"} <= titles
    assert "Simulation of harmonic in space" in titles
    assert "Free energy of TIC 1 and TIC 2." in text
    assert "Time scales of the simulation" not in titles  # frames of the chain have no time
