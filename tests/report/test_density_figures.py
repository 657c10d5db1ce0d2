"""Pictures of density runs: from frames with a basin cut out, with and without energies."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

import zoo
from zoo.analysis.basins import molecular_basins
from zoo.analysis.peptides import named_torsions
from zoo.data.catalog import open_dataset
from zoo.physics.torsions import torsions
from zoo.report import html, write_report
from zoo.report.viewer import SCRIPT
from zoo.run import Run

DATASET = "alanine-dipeptide/replica-exchange"
ALWAYS = {
    "Ramachandran planes: reference, model, reweighted",
    "Populations of basins",
    "Torsions of laplace",
    "Shape of draws",
    "Draws of laplace in space",
}
WITH_ENERGIES = {"Potential energy of reference and draws", "Importance weights"}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("density") / "run"
    settings = {"task.samples": 120}
    return zoo.train(
        "laplace", DATASET, task="density", settings=settings, out=out, with_baselines=False
    ).path


@pytest.fixture(scope="module")
def cut(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose draws are frames of replica exchange without αR; each weighs the same but for noise."""
    copy = Path(shutil.copytree(trained, tmp_path_factory.mktemp("cut") / "run"))
    run, data = Run(copy), open_dataset(DATASET)
    arrays = run.predictions()
    quadruples = named_torsions(data.system)
    x = np.asarray(data.array("positions"), np.float64)
    angles = torsions(x, list(quadruples.values()))
    kept = ~molecular_basins(list(quadruples), angles)["αR"]
    energy = np.asarray(data.array("energies"))[kept]
    noise = 0.3 * np.random.default_rng(0).standard_normal(len(energy))
    draws = {
        "torsions": angles[kept].astype(np.float32),
        "energy": energy,
        "log_volume": np.zeros(len(energy)),
        "log_prob": -energy / arrays["kT"][0] - 5.0 + noise,
        "positions": x[kept][:200].astype(np.float32),
    }
    run.save_predictions(arrays | draws, run.predictions_path())
    rows = [
        {
            "epoch": i,
            "step": 10.0 * i,
            "temperature": 1200.0 / i,
            "val_ess": 0.2 * i,
            "energy_evaluations": 1e4 * i,
        }
        for i in range(1, 5)
    ]
    run.write_curve(rows)
    return copy


def titles(page: str) -> set[str]:
    return set(re.findall(r"<h3>([^<]*)</h3>", page))


@pytest.fixture(scope="module")
def page(cut: Path) -> str:
    return write_report([cut], cut.parent / "r.html").read_text(encoding="utf-8")


def test_all_pictures_of_a_density_are_there(page):
    assert titles(page) >= ALWAYS | WITH_ENERGIES | {"Temperature and effective sample size in training"}
    assert page.count("<figure ") == page.count("<figcaption>") == len(re.findall(r'<svg role="img"', page))


def test_the_basin_that_was_cut_out_is_named(page):
    (told,) = re.findall(r'img" aria-label="(Populations of basins[^"]*)"', page)
    assert "laplace: missing: αR" in told
    assert "C7eq" not in told and "C5/PII" not in told


def test_weights_of_frames_are_nearly_equal(page):
    """Normal noise of 0.3 in the logarithm: ESS = exp(−0.09) = 91.4 %."""
    (told,) = re.findall(r'img" aria-label="(Importance weights[^"]*)"', page)
    share = float(re.findall(r"laplace ([\d.]+) %", told)[0])
    assert share == pytest.approx(91.4, abs=1.5)


def test_the_only_scripts_are_those_that_the_policy_allows(page):
    own = (Path(html.__file__).parent / "page.js").read_text(encoding="utf-8")
    digests = [base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in (own, SCRIPT)]
    assert "script-src " + " ".join(f"'sha256-{digest}'" for digest in digests) + '"' in page
    assert re.findall(r"<script>(.*?)</script>", page, re.S) == [own, SCRIPT]
    assert page.count("<script") == 3  # and the data of one viewer
    assert not re.search(r"https?://", page.partition('id="provenance"')[0])


def test_a_run_without_energies_shows_what_it_can(cut, tmp_path):
    copy = Run(Path(shutil.copytree(cut, tmp_path / "run")))
    copy.save_predictions(copy.predictions() | {"kT": np.array([np.nan])}, copy.predictions_path())
    found = titles(write_report([copy.path], tmp_path / "r.html").read_text(encoding="utf-8"))
    assert found >= ALWAYS and not found & WITH_ENERGIES


def test_draws_that_are_gone_leave_pictures_out_and_say_so(cut, tmp_path):
    copy = Path(shutil.copytree(cut, tmp_path / "run"))
    (copy / "predictions.npz").unlink()
    text = write_report([copy], tmp_path / "r.html").read_text(encoding="utf-8")
    assert not titles(text) & (ALWAYS | WITH_ENERGIES)
    assert "<summary>Figures left out</summary>" in text and "holds no predictions" in text
    assert SCRIPT not in text


def test_toys_have_shapes_and_pairs(tmp_path):
    run = zoo.train(
        "laplace",
        "dw4",
        task="density",
        settings={"task.samples": 400},
        out=tmp_path / "run",
        with_baselines=False,
    )
    text = write_report([run.path], tmp_path / "r.html").read_text(encoding="utf-8")
    assert {"Shape of draws", "Draws of laplace in space", "Populations of basins"} <= titles(text)
    assert not {t for t in titles(text) if "Ramachandran" in t or "Torsions" in t}
    assert "0 inner" in text
