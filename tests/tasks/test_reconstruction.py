"""The `reconstruction` task from the command's functions: training, metrics, resume, refusals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import zoo
from zoo import keys
from zoo.errors import ConfigError, DataError
from zoo.run import Run
from zoo.tasks.reconstruction.scores import scores
from zoo.verbs.mapping import map_dataset

QUICK = {"model.beads": 4, "train.epochs": 2, "task.epoch_steps": 20, "model.restarts": 2}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    out = tmp_path_factory.mktemp("runs") / "aniline"
    return zoo.train("cg-autoencoder", "aniline", task="reconstruction", settings=QUICK, out=out)


def test_metrics_stand_beside_bounds(run: Run) -> None:
    """PCA is below every map of as many beads, each of which is below a random one."""
    metrics, bounds = run.results["metrics"], run.results["baselines"]
    assert metrics["beads_used"]["value"] == metrics["beads"]["value"] == 4
    mse = {name: found["mse"]["value"] for name, found in bounds.items()}
    assert mse["pca"] < metrics["mse"]["value"] < mse["random-map"]
    assert metrics["mse"]["unit"] == "Å²"
    assert metrics["mean_force"]["unit"] == "(eV/Å)²"


def test_metrics_are_of_predictions(run: Run) -> None:
    """Recomputed by hand: mean square error, projected forces."""
    data = zoo.load_dataset("aniline")
    arrays = run.predictions()
    x = data.array(keys.POSITIONS, arrays["frame"]).astype(float)
    found = scores(arrays, data.split("test"))
    assert found["mse"]["value"] == pytest.approx(np.square(arrays["reconstruction"] - x).mean(), rel=1e-6)
    group = arrays["map_group"]
    forces = data.array(keys.FORCES, arrays["frame"]).astype(float)
    sums = np.stack([forces[:, group == b].sum(1) for b in range(4)], 1)
    assert found["mean_force"]["value"] == pytest.approx(np.square(sums).sum(2).mean(), rel=1e-5)
    assert arrays["latent"].shape == (len(x), 4, 3)


def test_unused_beads_are_seen(tmp_path: Path) -> None:
    """The published recipe, stopped early with as many beads as atoms: given are more than are used."""
    bare = {"model.rescue": False, "model.refine": False, "model.restarts": 1, "model.beads": 14}
    run = zoo.train(
        "cg-autoencoder", "aniline", task="reconstruction", settings={**QUICK, **bare}, out=tmp_path / "bare",
        with_baselines=False,
    )  # fmt: skip
    metrics = run.results["metrics"]
    assert metrics["beads"]["value"] == 14
    assert metrics["beads_used"]["value"] == len(np.unique(run.predictions()["map_group"])) < 14


def test_evaluate_gives_the_same(run: Run) -> None:
    again = zoo.evaluate(run.path)
    assert again["mse"]["value"] == pytest.approx(run.results["metrics"]["mse"]["value"], rel=1e-5)


def test_resumed_run_ends_the_same(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed after its first epoch: moments are no part of the checkpoint and are found again."""
    from zoo.tasks.reconstruction.task import ReconstructionTask

    step = ReconstructionTask.training_step

    def killed(self: ReconstructionTask, batch: object, index: int) -> torch.Tensor:
        if self.current_epoch == 1 and index == 3:
            raise KeyboardInterrupt
        return step(self, batch, index)

    monkeypatch.setattr(ReconstructionTask, "training_step", killed)
    out = tmp_path / "killed"
    with pytest.raises(KeyboardInterrupt):
        zoo.train("cg-autoencoder", "aniline", task="reconstruction", settings=QUICK, out=out)
    monkeypatch.undo()
    resumed = zoo.train(
        "cg-autoencoder", "aniline", task="reconstruction", settings=QUICK, out=out, resume=True
    )
    ours, theirs = (r.predictions()["reconstruction"] for r in (resumed, run))
    np.testing.assert_array_equal(ours, theirs)


def test_aligning_changes_nothing_for_a_linear_decoder(run: Run, tmp_path: Path) -> None:
    """It does the same in all three directions, so that a turn of a frame comes out as a turn."""
    found = [
        zoo.train(
            "segment-map", "aniline", task="reconstruction", out=tmp_path / f"align-{align}",
            settings={"model.beads": 4, "task.align": align}, with_baselines=False,
        ).results["metrics"]["mse"]["value"]
        for align in (True, False)
    ]  # fmt: skip
    assert found[0] == pytest.approx(found[1], rel=1e-5)
    # with an offset it does: aniline hardly moves about its mean structure
    offset = zoo.train(
        "cg-autoencoder", "aniline", task="reconstruction",
        settings={**QUICK, "task.align": True, "model.offset": True}, out=tmp_path / "offset",
        with_baselines=False,
    )  # fmt: skip
    assert offset.results["metrics"]["mse"]["value"] < run.results["metrics"]["mse"]["value"]


def test_learned_map_makes_a_dataset_of_beads(run: Run, tmp_path: Path) -> None:
    """The loop's first step: `zoo data map aniline --to RUN`."""
    out = map_dataset("aniline", str(run.path), tmp_path / "beads")
    beads = zoo.load_dataset(out)
    assert beads.system.num_particles == 4
    model = zoo.load(run.path)
    x = torch.from_numpy(zoo.load_dataset("aniline").array(keys.POSITIONS, slice(0, 3))).double()
    order = torch.unique(model.group, return_inverse=True)[0]
    wanted = model.encode(x)[:, order].numpy()
    np.testing.assert_allclose(beads.array(keys.POSITIONS, slice(0, 3)), wanted, atol=1e-5)
    with pytest.raises(DataError, match="14 particles"):
        map_dataset("otp", str(run.path), tmp_path / "other")
    with pytest.raises(ConfigError, match="leave --beads out"):
        map_dataset("aniline", str(run.path), tmp_path / "other", beads=3)


def test_refusals(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="periodic"):
        zoo.train("cg-autoencoder", "kob-andersen", task="reconstruction", out=tmp_path / "x")
    with pytest.raises(ConfigError, match="15 beads of 14"):
        zoo.train(
            "cg-autoencoder",
            "aniline",
            task="reconstruction",
            settings={"model.beads": 15},
            out=tmp_path / "y",
        )
    with pytest.raises(ConfigError, match="does not serve"):
        zoo.train("cg-autoencoder", "aniline", task="forces", out=tmp_path / "z")
