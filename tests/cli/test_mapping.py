"""`zoo data map` and `zoo data decode` as a user types them: output, exit status, wrong requests."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from synthetic import chain

from zoo.cli.app import main
from zoo.data.catalog import open_dataset

TRAIN = (
    "train cg-autoencoder aniline --task reconstruction --epochs 1 --set model.beads=4 "
    "--set task.epoch_steps=5 --set model.restarts=1 --out auto"
)


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def right(capsys: pytest.CaptureFixture[str], words: str) -> str:
    """Run a request: status 0; what it printed."""
    assert main(words.split()) == 0
    return capsys.readouterr().out


def wrong(capsys: pytest.CaptureFixture[str], words: str) -> str:
    """Run a wrong request: status 2, one or two lines on standard error, nothing else, nothing made."""
    before = sorted(Path().rglob("*"))
    assert main(words.split()) == 2
    captured = capsys.readouterr()
    # a bar of progress ends in a line of its own
    said = [line for line in captured.err.strip().splitlines() if "\r" not in line]
    assert captured.out == "" and "Traceback" not in captured.err
    assert 1 <= len(said) <= 2
    assert sorted(Path().rglob("*")) == before
    return captured.err


def test_map_writes_beads_and_tells_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    shown = right(capsys, "data map alanine-dipeptide --to backbone")
    folder = Path("data") / "alanine-dipeptide-backbone"
    assert str(folder) in shown and re.search(r"5,?120", shown)
    beads, atoms = open_dataset(folder), open_dataset("alanine-dipeptide")
    names = beads.system.atom_names
    assert names == ("C", "N", "CA", "C", "N") and beads.system.bonds.tolist() == [
        [i, i + 1] for i in range(4)
    ]
    x = atoms.array("positions", slice(0, 50))[:, [4, 6, 8, 14, 16]]
    np.testing.assert_allclose(beads.array("positions", slice(0, 50)), x, atol=1e-5)
    assert {name: beads.split(name).index.tolist() for name in beads.manifest.splits} == {
        name: atoms.split(name).index.tolist() for name in atoms.manifest.splits
    }


def test_the_way_there_and_back(capsys: pytest.CaptureFixture[str]) -> None:
    """The loop in five lines: learn a map, map, fit a potential, simulate, decode."""
    right(capsys, TRAIN)
    right(capsys, "data map aniline --to auto --out beads")
    right(capsys, "train harmonic beads --out potential")
    right(
        capsys,
        "sample potential -n 8 --out x.npz --replicas 4 --timestep 0.002 --interval 0.01 --equilibrate 0",
    )
    shown = right(capsys, "data decode potential --by auto --out atoms")
    assert "atoms" in shown
    atoms = open_dataset("atoms")
    assert len(atoms) == 8 and atoms.system.atom_names == open_dataset("aniline").system.atom_names
    assert "data/beads-decoded" in right(capsys, "data decode beads --by auto")
    assert len(open_dataset("data/beads-decoded")) == len(open_dataset("aniline"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("aniline --to backbones", "'backbones' is no map (heavy, "),
        ("aniline --to nowhere/run", "no map"),
        ("anilin --to heavy", "Did you mean 'aniline'"),
        ("aniline --to heavy --forces best", "no force map named 'best'"),
        ("aniline --to segments", "'segments' needs a number of beads"),
        ("aniline --to segments --beads 0", "beads"),
        ("aniline --to segments --beads 15", "14 particles"),
        ("aniline --to heavy --beads 3", "'heavy' takes no number of beads"),
        ("aniline --to calpha", "'calpha': no atom is named CA"),
    ],
)
def test_wrong_maps(capsys: pytest.CaptureFixture[str], words: str, message: str) -> None:
    assert message in wrong(capsys, f"data map {words}")


def test_a_dataset_that_is_there_is_not_written_over(capsys: pytest.CaptureFixture[str]) -> None:
    right(capsys, "data map aniline --to heavy --out beads")
    assert "exists" in wrong(capsys, "data map aniline --to segments --beads 3 --out beads")
    assert open_dataset("beads").system.num_particles == 7


def test_wrong_decodings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chain(tmp_path / "chain")
    right(capsys, "train mean-force chain --out force")
    right(capsys, TRAIN)
    right(capsys, "data map aniline --to segments --beads 3 --out three")
    right(capsys, "data map aniline --to auto --out beads")
    right(capsys, "train mean-force beads --out potential")
    for words, message in (
        ("three --by auto", "not those that the model decodes"),
        ("aniline --by auto", "does not say what map"),
        ("beads --by force", "take a run of cg-vae or cg-autoencoder"),
        ("beads --by nowhere", "no run at nowhere"),
        ("potential --by auto", "was not simulated: `zoo sample potential"),
        ("nowhere --by auto", "nowhere"),
        ("beads --by auto --draws -1", "draws"),
    ):
        assert message in wrong(capsys, f"data decode {words}")
