"""Pictures of reconstructions: assignments, error against beads, decoded planes, decoded structures."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from synthetic import chain

import zoo
from zoo import keys
from zoo.analysis.histograms import plane
from zoo.coarse.maps import pieces
from zoo.data.catalog import open_dataset
from zoo.report import plot
from zoo.report.figures import assignment, bead_count, decoded_ramachandran, decoded_space
from zoo.report.reconstruction import all_decoded, short
from zoo.report.runs import Group, LeftOut, find_runs, group_runs
from zoo.run import Run

FIGURES = (assignment, bead_count, decoded_ramachandran, decoded_space)
QUICK = {"train.epochs": 1, "task.epoch_steps": 5, "model.restarts": 1}
#: Atoms of φ and ψ: C of ACE, N, CA and C of ALA, N of NME.
BACKBONE = (4, 6, 8, 14, 16)


def train(folder: Path, data: str, beads: int, bounds: bool = False) -> Path:
    return zoo.train(
        "cg-autoencoder", data, task="reconstruction", settings={**QUICK, "model.beads": beads},
        out=folder / f"cg-autoencoder-{data}-{beads}-beads", with_baselines=bounds,
    ).path  # fmt: skip


@pytest.fixture(scope="module")
def aniline(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("aniline")
    return [train(folder, "aniline", beads, bounds=True) for beads in (3, 5)]


@pytest.fixture(scope="module")
def alanine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(tmp_path_factory.mktemp("alanine"), "alanine-dipeptide", 5)


def group_of(*runs: Path) -> Group:
    (group,) = group_runs(find_runs(runs))
    return group


def drawn(figure, *runs: Path) -> plot.Drawing:
    with plot.style():
        found = figure.draw(group_of(*runs))
    assert found is not None
    return found


def changed(run: Path, to: Path, **arrays: np.ndarray) -> Path:
    """A copy of a run with other predictions."""
    copy = Run(Path(shutil.copytree(run, to / "copy")))
    copy.save_predictions(copy.predictions() | arrays, copy.predictions_path())
    return copy.path


# --- assignment --------------------------------------------------------------------------------------


def test_assignment_tells_beads_and_contiguity(aniline):
    svg = drawn(assignment, *aniline).svg
    for run, beads in zip(aniline, (3, 5), strict=True):
        group = Run(run).predictions()["map_group"]
        used = len(np.unique(group))
        contiguity = used / pieces(group, open_dataset("aniline").system.bonds)
        wanted = f"cg-autoencoder, {beads} beads: {used} of {beads} beads used, contiguity {contiguity:.2f}"
        assert wanted in svg


def test_assignment_shows_unused_beads_and_particles_in_each(aniline, tmp_path):
    """All in two beads of three, of 10 and 4 particles."""
    group = np.array([1] * 10 + [0] * 4)
    svg = drawn(assignment, changed(aniline[0], tmp_path, map_group=group)).svg
    assert "2 of 3 beads used" in svg
    sizes = re.findall(r">\s*(\d+)\s*</text>", svg)
    assert sizes[-2:] == ["10", "4"]


def test_a_square_for_each_particle_in_its_bead(aniline, tmp_path):
    """The image itself: rows in the order of their first particle."""
    import matplotlib.figure

    group = np.array([2, 2, 0, 0, 0, 1, 1, 1, 2, 2, 1, 1, 0, 0])
    run = changed(aniline[0], tmp_path, map_group=group)
    (decoded,) = all_decoded(group_of(run))
    axis = matplotlib.figure.Figure().subplots()
    assignment._matrix(axis, decoded, "")
    image = np.asarray(axis.images[0].get_array())
    assert np.array_equal(image > 0, np.stack([group == 2, group == 0, group == 1]))


def test_seeds_that_number_beads_otherwise_agree(aniline, tmp_path):
    """The same map in another order agrees wholly; one that knows nothing of it about as chance has it."""
    other = zoo.train(
        "cg-autoencoder", "aniline", task="reconstruction", settings={**QUICK, "model.beads": 3}, seed=1,
        out=tmp_path / "other", with_baselines=False,
    ).path  # fmt: skip
    group = Run(aniline[0]).predictions()["map_group"]
    for own, agreement in (((group + 1) % 3, "1.00"), (np.zeros_like(group), "0.00")):
        run = changed(other, tmp_path / agreement, map_group=own)
        assert f"2 seeds agree {agreement}" in drawn(assignment, aniline[0], run).svg


# --- error against beads -----------------------------------------------------------------------------


def test_error_against_beads_is_that_of_the_runs(aniline):
    figure = drawn(bead_count, *aniline)
    results = Run(aniline[1]).results
    told = dict(re.findall(r"([\w-]+) ([\d.e-]+) at 5 beads", figure.svg))
    assert set(told) == {"cg-autoencoder", "pca", "segment-map", "random-map"}
    sides = {"cg-autoencoder": results["metrics"], **results["baselines"]}
    for name, value in told.items():
        assert float(value) == pytest.approx(sides[name]["mse"]["value"], rel=0.005)
    assert "square error per coordinate, Å²" in figure.svg
    assert "mean square force on a bead, (eV/Å)²" in figure.svg


def test_one_number_of_beads_is_no_curve(aniline):
    assert bead_count.draw(group_of(aniline[0])) is None


# --- decoded structures -----------------------------------------------------------------------------


def test_distance_of_decoded_planes_is_that_of_the_histograms(alanine):
    """φ and ψ by hand from five atoms, and their total variation distance."""
    data = open_dataset("alanine-dipeptide")
    assert [data.system.atom_names[i] for i in BACKBONE] == ["C", "N", "CA", "C", "N"]
    arrays = Run(alanine).predictions()
    x = data.array(keys.POSITIONS, arrays["frame"])
    shares = [
        plane(np.stack([dihedral(y[:, BACKBONE[k : k + 4]]) for k in (0, 1)], 1), 48)
        for y in (x, arrays["reconstruction"])
    ]
    distance = 50 * np.abs(shares[0] - shares[1]).sum()
    figure = drawn(decoded_ramachandran, alanine)
    assert f"originals: cg-autoencoder {distance:.0f} %." in figure.caption
    assert f"{len(x):,} test frames" in figure.caption


def dihedral(x: np.ndarray) -> np.ndarray:
    """Angle of four atoms `[frames, 4, 3]`, IUPAC's sign."""
    a, b, c = np.diff(x.astype(np.float64), axis=1).transpose(1, 0, 2)
    n, m = np.cross(a, b), np.cross(b, c)
    length = np.linalg.norm(b, axis=1, keepdims=True)
    return np.arctan2((length * a * m).sum(1), (n * m).sum(1))


def test_perfect_decoder_is_no_distance_away(alanine, tmp_path):
    arrays = Run(alanine).predictions()
    x = open_dataset("alanine-dipeptide").array(keys.POSITIONS, arrays["frame"])
    run = changed(alanine, tmp_path, reconstruction=x)
    assert "cg-autoencoder 0 %." in drawn(decoded_ramachandran, run).caption
    assert "frame 1 of 20: 0 Å apart" in drawn(decoded_space, run).svg


def test_distance_in_space_is_that_of_the_frames(aniline):
    arrays = Run(aniline[1]).predictions()
    x = open_dataset("aniline").array(keys.POSITIONS, arrays["frame"]).astype(np.float64)
    off = np.sqrt(np.square(arrays["reconstruction"] - x).sum(2).mean(1))
    figure = drawn(decoded_space, aniline[1])
    told = [float(v) for v in re.findall(r"frame \d+ of 20: (\S+) Å apart", figure.svg)]
    picked = np.linspace(0, len(x) - 1, 20).round().astype(int)
    assert told == pytest.approx(off[picked].tolist(), rel=0.005)
    assert "14 particles each" in figure.svg and figure.script


def test_no_planes_without_a_backbone(aniline):
    assert decoded_ramachandran.draw(group_of(*aniline)) is None


# --- what has none -----------------------------------------------------------------------------------


def test_other_tasks_have_none(tmp_path):
    data = chain(tmp_path / "chain")
    run = zoo.train("harmonic", str(data), out=tmp_path / "run", with_baselines=False).path
    assert [figure.draw(group_of(run)) for figure in FIGURES] == [None] * 4


def test_predictions_that_are_gone_are_left_out_and_that_is_said(aniline, tmp_path):
    copy = Path(shutil.copytree(aniline[0], tmp_path / "run"))
    (copy / "predictions.npz").unlink()
    for figure in (assignment, decoded_ramachandran, decoded_space):
        with pytest.raises(LeftOut, match="no predictions"):
            figure.draw(group_of(copy))


def test_short_labels():
    assert short("cg-autoencoder (cg-autoencoder-otp-3-beads)") == "cg-autoencoder, 3 beads"
    assert short("cg-vae") == "cg-vae"
    assert short("cg-vae (cg-vae-insulin-calpha)") == "cg-vae (cg-vae-insulin-calpha)"
