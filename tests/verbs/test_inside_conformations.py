"""`zoo analyze … conformations`: what it finds in the zoo's own data, and in data with a planted fault."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from synthetic import chain, glass

import zoo
from zoo.analysis.peptides import named_torsions
from zoo.cli.app import main
from zoo.data.catalog import open_dataset
from zoo.data.dataset import Dataset, Frames
from zoo.data.export import export
from zoo.data.store import Manifest, write_dataset
from zoo.errors import ConfigError, DataError, RunError, RunFailed
from zoo.physics.torsions import torsions
from zoo.verbs.evaluate import fitted, make_task
from zoo.verbs.inside.analyze import analyze
from zoo.verbs.inside.conformations import Options, look
from zoo.verbs.inside.record import Inside
from zoo.verbs.inside.subject import Subject, open_subject
from zoo.weights import pretrained


@pytest.fixture(scope="module")
def alanine(tmp_path_factory: pytest.TempPathFactory) -> Inside:
    return analyze("alanine-dipeptide", "conformations", out=tmp_path_factory.mktemp("inside"))


def value(record: Inside, name: str) -> float:
    return float(record.numbers[name]["value"])


def kinds(record: Inside) -> list[str]:
    return [flag.kind for flag in record.flags]


def copied(name: str, frames: np.ndarray, out: Path, **changes: np.ndarray) -> Dataset:
    """Some frames of a packaged dataset as a dataset of their own."""
    data = open_dataset(name)
    arrays = {k: np.array(data.array(k, frames)) for k in ("positions", "run", "time")} | changes
    units = {"positions": "Å", "run": "1", "time": "ps", "weights": "1"}
    manifest = Manifest(
        name="part", version="1", units="ase", temperature=300.0, system=data.system.to_json(), splits={}
    )
    return Dataset(write_dataset(out, manifest, arrays, {k: units[k] for k in arrays}))


def phi(data: Dataset) -> np.ndarray:
    return torsions(data.array("positions").astype(float), [named_torsions(data.system)["φ"]])[:, 0]


def test_the_slow_coordinate_of_alanine_dipeptide_is_phi(alanine: Inside) -> None:
    for features in ("", "distance_"):  # torsions, and distances that know no torsion
        found, other = (alanine.numbers[f"{features}tic1_depends_on_{name}"] for name in ("phi", "psi"))
        assert found["value"] > 0.9
        assert found["value"] - other["value"] > 5 * np.hypot(found["error"], other["error"])
    names = alanine.facts["dependence"]["observables"]
    assert names[0] == "φ"
    null = alanine.arrays["dependence"][:, :, 2]
    assert (null < 0.05).all()  # what another run's torsion explains


def test_time_scales_of_alanine_dipeptide_hang_together(alanine: Inside) -> None:
    first = alanine.numbers["timescale_1"]
    k = int(np.argmin(np.abs(alanine.arrays["lags"] - 10)))
    slowest = alanine.arrays["tica_timescale"][k]
    assert abs(first["value"] - slowest) < 3 * np.hypot(
        first["error"], alanine.arrays["tica_timescale_error"][k]
    )
    assert first["value"] > value(alanine, "timescale_2") > value(alanine, "timescale_3")
    assert 1 < value(alanine, "vamp2") < alanine.facts["kinetics"]["vamp2_most"]
    assert alanine.facts["time"] == "frames 1 ps apart"
    assert value(alanine, "ck_error") < 4 * value(alanine, "ck_floor")
    # the manifest says it: populations are those of the starts, half of which are at φ > 0
    assert "not sampled" in kinds(alanine)


def test_the_record_holds_what_pictures_need(alanine: Inside) -> None:
    names = [row["name"] for row in alanine.facts["quantities"]]
    for name in ("φ", "ψ", "Rg", "asphericity", "RMSD", "contacts", "bonds", "TIC 1"):
        assert name in names
    k = names.index("φ")
    width = np.diff(alanine.arrays[f"edges_{k}"])
    assert np.sum(alanine.arrays[f"density_{k}"] * width) == pytest.approx(1)
    assert alanine.facts["planes"][0]["names"] == ["φ", "ψ"]
    free = alanine.arrays["plane_0_free"]
    assert np.nanmin(free) == 0 and np.isnan(free).any()
    shares = alanine.arrays["cluster_share"]
    assert shares.sum() == pytest.approx(1) and (np.diff(shares) <= 0).all()
    assert alanine.arrays["structures"].shape == (6, 22, 3)
    assert alanine.facts["reference"] is None and "js_phi" not in alanine.numbers


def test_a_basin_that_is_left_out_is_found_missing(tmp_path: Path) -> None:
    data = open_dataset("alanine-dipeptide")
    left = np.flatnonzero(phi(data) < 0)
    part = copied("alanine-dipeptide", left, tmp_path / "part")
    found = analyze(part.path, "conformations", against="alanine-dipeptide", out=tmp_path)
    assert "mode drop" in kinds(found)
    text = next(flag.text for flag in found.flags if flag.kind == "mode drop")
    assert "φ>0 is missing" in text and "αR" not in text
    plane = found.facts["planes"][0]
    codes, x = found.arrays["plane_0_visited"], found.arrays["plane_0_x"]
    middle = (x[1:] + x[:-1]) / 2
    assert (codes[:, middle < -0.2] != 2).all() and (codes[:, middle > 0] == 2).any()
    share = (phi(data) > 0).mean()
    # of the bins at φ > 0 those that are too rare to be told stay out
    assert 0.3 * share < plane["unvisited"] <= share + 1e-9
    assert found.numbers["js_phi"]["value"] > 3 * found.numbers["js_phi_floor"]["value"]


def test_few_frames_raise_no_alarm(tmp_path: Path) -> None:
    found = analyze(
        "hierarchical-flow-alanine-dipeptide", "conformations", frames=150, out=tmp_path,
        against="alanine-dipeptide/replica-exchange",
    )  # fmt: skip
    assert "mode drop" not in kinds(found) and "collapse" not in kinds(found)
    assert value(found, "unvisited") == 0
    assert found.facts["time"] == "draws have no time"
    assert "timescale_1" not in found.numbers and "vamp2" not in found.numbers
    for name in ("phi", "psi", "rg"):
        js, floor = found.numbers[f"js_{name}"], value(found, f"js_{name}_floor")
        assert js["value"] < floor + 4 * js["error"]


def test_draws_that_are_one_and_the_same_have_collapsed(tmp_path: Path) -> None:
    data = open_dataset("alanine-dipeptide")
    rng = np.random.default_rng(0)
    frames = np.arange(300)
    near = np.array(data.array("positions", [0] * 300)) + 0.01 * rng.standard_normal((300, 22, 3)).astype(
        "f4"
    )
    part = copied("alanine-dipeptide", frames, tmp_path / "part", positions=near)
    found = analyze(part.path, "conformations", against="alanine-dipeptide", out=tmp_path)
    assert {"collapse", "mode drop"} <= set(kinds(found))
    assert value(found, "spread") < 0.01


def test_weights_of_frames_are_honoured(tmp_path: Path) -> None:
    data = open_dataset("alanine-dipeptide")
    weights = np.where(phi(data) > 0, 0.05, 1.0)
    part = copied("alanine-dipeptide", np.arange(len(data)), tmp_path / "part", weights=weights)
    found = analyze(part.path, "conformations", out=tmp_path)
    k = [row["name"] for row in found.facts["quantities"]].index("φ")
    edges, density = found.arrays[f"edges_{k}"], found.arrays[f"density_{k}"]
    share = (density * np.diff(edges))[edges[:-1] >= 0].sum()
    p = (phi(data) > 0).mean()
    assert share == pytest.approx(0.05 * p / (0.05 * p + 1 - p), rel=1e-6)
    rings = analyze("ring-polymer/nose-hoover-eq", "conformations", frames=384, out=tmp_path)
    assert rings.facts["conformations"]["weights"] is True
    # every second frame, weighed, is the unweighed Langevin set's: Rg² = 19.71 in equilibrium
    langevin = analyze("ring-polymer/langevin-eq", "conformations", frames=384, out=tmp_path)
    one, other = rings.numbers["rg"], langevin.numbers["rg"]
    assert abs(one["value"] - other["value"]) < 4 * np.hypot(one["error"], other["error"])


def test_data_without_order_in_time_has_no_time_scales(tmp_path: Path) -> None:
    for name, why in (
        ("alanine-dipeptide/replica-exchange", "exchange"),
        ("ring-polymer/nose-hoover-neq", "out of equilibrium"),
        ("dw4", "no times"),
    ):
        found = analyze(name, "conformations", out=tmp_path, frames=300)
        assert why in found.facts["left_out"]["time scales"]
        assert "timescale_1" not in found.numbers
        assert found.facts["space"]["kind"] == "PCA"
    assert "RMSD" in found.facts["left_out"]  # particles of dw4 are alike


def test_a_trajectory_file_is_a_time_series(tmp_path: Path) -> None:
    data = open_dataset("alanine-dipeptide")
    export(Frames(data, np.arange(480), "some"), tmp_path / "some.xtc")  # and a pdb with the first frame
    found = analyze(
        tmp_path / "some.xtc", "conformations", read={"topology": str(tmp_path / "some.pdb"), "runs": "time"},
        out=tmp_path, settings={"states": 10},
    )  # fmt: skip
    export(Frames(data, np.arange(480), "some"), tmp_path / "some.pdb", overwrite=True)
    assert found.facts["time"] == "frames 1 ps apart" and found.facts["conformations"]["runs"] == 3
    assert found.label == "some.xtc" and "φ" in [row["name"] for row in found.facts["quantities"]]
    plain = analyze(tmp_path / "some.pdb", "conformations", out=tmp_path, frames=100)
    assert plain.facts["time"] == "the frames have no times"
    told = analyze(tmp_path / "some.pdb", "conformations", out=tmp_path, settings={"spacing": 1.0})
    assert told.facts["time"] == "frames 1 ps apart"


def test_files_are_compared_with_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Options of `--read` go to both files as far as their formats know them, and are asked for as such."""
    some = Frames(open_dataset("alanine-dipeptide"), np.arange(60), "some")
    export(some, tmp_path / "some.xtc")
    (tmp_path / "some.pdb").rename(tmp_path / "first.pdb")
    export(some, tmp_path / "some.pdb")
    words = ["analyze", str(tmp_path / "some.xtc"), "conformations", "--out", str(tmp_path)]
    assert main(words) == 2 and "--read topology=FILE" in capsys.readouterr().err
    read = {"topology": str(tmp_path / "first.pdb")}
    for other in ("some.xtc", "some.pdb"):
        found = analyze(
            tmp_path / "some.xtc", "conformations", against=tmp_path / other, read=read, out=tmp_path
        )
        assert value(found, "rg") == pytest.approx(value(found, "reference_rg"), abs=1e-4)


def test_frames_that_are_the_same_have_no_motion_and_one_has_no_error(tmp_path: Path) -> None:
    copied("alanine-dipeptide", np.zeros(50, int), tmp_path / "same", time=np.arange(50.0))
    found = analyze(tmp_path / "same", "conformations", out=tmp_path)
    assert not {"timescale_1", "vamp2", "clusters", "tic1_depends_on_phi"} & found.numbers.keys()
    assert found.numbers["rg"]["error"] < 1e-9
    copied("alanine-dipeptide", np.zeros(1, int), tmp_path / "one")
    assert "error" not in analyze(tmp_path / "one", "conformations", out=tmp_path).numbers["rg"]


def test_few_frames_tell_nothing_of_slow_coordinates(tmp_path: Path) -> None:
    """Of twenty frames any coordinate is a function of any other, and forgets nothing."""
    copied("alanine-dipeptide", np.arange(20), tmp_path / "few")
    found = analyze(tmp_path / "few", "conformations", out=tmp_path)
    assert not {"vamp2", "tic1_depends_on_phi"} & found.numbers.keys()


def test_autoencoders_give_decoded_frames_and_those_that_generate_draws(tmp_path: Path) -> None:
    data = open_dataset("alanine-dipeptide")
    settings = {"name": "reconstruction", "align": True}
    model = fitted("pca", {"latent": 4}, data.split("train"), settings)
    found = look(
        Subject("pca", data, make_task(model, settings)), Options(), against=None, frames=200, seed=0
    )
    assert found.facts["conformations"]["what"] == "decoded frames of the test split"
    assert found.facts["reference"]["split"] == "test" and "decoded" in found.facts["time"]
    run = zoo.train(
        "gat-autoencoder", "alanine-dipeptide", epochs=1, out=tmp_path / "run",
        settings={"train.frames": 64, "model.hidden_channels": 8, "model.heads": 2},
    )  # fmt: skip
    drawn = analyze(run, "conformations", frames=64)
    assert "prior" in drawn.facts["conformations"]["what"]
    assert (tmp_path / "run" / "inside" / "conformations.json").is_file()
    subject = open_subject(run)
    sound = subject.model.sample

    def spoilt(n: int, generator: torch.Generator) -> torch.Tensor:
        x = sound(n, generator)
        x[3, 0, 0] = torch.nan
        return x

    subject.model.sample = spoilt
    found = look(subject, Options(), against=None, frames=40, seed=0)
    assert kinds(found)[0] == "NaN" and "1 of 40" in found.flags[0].text
    assert found.facts["conformations"]["frames"] == 39
    subject = open_subject(run)
    with torch.no_grad():
        for parameter in subject.model.parameters():
            parameter.fill_(float("nan"))
    with pytest.raises(RunFailed, match="finite"):
        look(subject, Options(), against=None, frames=20, seed=0)


def test_a_potential_is_simulated_for_a_moment(tmp_path: Path) -> None:
    found = analyze("schnet-alanine-dipeptide", "conformations", frames=4, out=tmp_path)
    what = found.facts["conformations"]
    assert "short simulation" in what["what"] and what["replicas"] == 4 and what["frames"] == 4
    assert abs(value(found, "rg") - value(found, "reference_rg")) < 0.3


def test_the_simulation_that_was_kept_is_looked_at(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(pretrained()["schnet-alanine-dipeptide"], folder)
    data = open_dataset("alanine-dipeptide")
    index = np.arange(640)[::-1]  # in no order, as replicas come
    kept = {"positions": "positions", "replica": "run", "time": "time"}
    np.savez(folder / "simulation.npz", **{k: data.array(name, index) for k, name in kept.items()})
    found = analyze(folder, "conformations", settings={"states": 10})
    assert found.facts["conformations"]["frames"] == 640 and found.facts["time"] == "frames 1 ps apart"
    assert value(found, "rg") == pytest.approx(gyration(data, index), rel=1e-6)
    (folder / "simulation.npz").write_bytes(b"PK")
    with pytest.raises(RunError, match="zoo sample"):
        analyze(folder, "conformations")


def gyration(data: Dataset, index: np.ndarray) -> float:
    x = data.array("positions", index).astype(float)
    return float(np.sqrt(((x - x.mean(1, keepdims=True)) ** 2).sum(2).mean(1)).mean())


def test_what_has_no_conformations_says_so_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="liquid"):
        analyze(glass(tmp_path / "glass"), "conformations", out=tmp_path)
    run = zoo.train("type-mean", tmp_path / "glass", task="propensity", out=tmp_path / "run")
    with pytest.raises(ConfigError, match="latent"):
        analyze(run, "conformations")
    chain(tmp_path / "chain")
    with pytest.raises(DataError, match="not of the particles"):
        analyze(tmp_path / "chain", "conformations", against="alanine-dipeptide", out=tmp_path)
    with pytest.raises(DataError, match="longer than its runs"):
        analyze("alanine-dipeptide", "conformations", settings={"lag": 500}, out=tmp_path)
    with pytest.raises(ConfigError, match="reweight"):
        analyze("schnet-alanine-dipeptide", "conformations", settings={"reweight": True}, out=tmp_path)
    assert main(["analyze", str(tmp_path / "glass"), "conformations", "--out", str(tmp_path / "no")]) == 2
    assert not (tmp_path / "no").exists()


def test_broken_positions_are_named(tmp_path: Path) -> None:
    chain(tmp_path / "chain")
    data = Dataset(tmp_path / "chain")
    x = np.array(data.array("positions"))
    x[7, 2, 1] = np.nan
    data.arrays["positions"] = x
    with pytest.raises(DataError, match="the first is 7"):
        look(Subject("chain", data), Options(), against=None, frames=None, seed=0)


def test_reweighted_draws_come_nearer_to_equilibrium(tmp_path: Path) -> None:
    name = "hierarchical-flow-alanine-dipeptide"
    found = analyze(name, "conformations", frames=300, settings={"reweight": True}, out=tmp_path)
    assert "importance weights" in found.facts["conformations"]["what"]
    again = analyze(name, "conformations", frames=300, settings={"reweight": True}, out=tmp_path)
    assert found.numbers == again.numbers  # the seed decides
