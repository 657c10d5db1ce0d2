"""Denoising: the force of a blurred ensemble, known for Gaussians, from positions alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import zoo
from zoo.data.splits import split_runs
from zoo.data.store import Manifest, write_dataset
from zoo.data.system import System
from zoo.errors import DataError
from zoo.tasks.forces.denoising import noised
from zoo.units import SYSTEMS

SPREAD, NOISE, LENGTH = 0.10, 0.06, 20.0  # Å
KT = SYSTEMS["ase"].boltzmann * 300
DENOISING = {"task.objective": "denoising", "task.noise": NOISE}


@pytest.fixture(scope="module")
def rods(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pairs whose distance is normal with a standard deviation of `SPREAD`; no forces are stored.

    So long that the noise across the bond, which turns it, changes the distance by NOISE²/LENGTH at most.
    """
    rng = np.random.default_rng(0)
    frames = 8000
    x = np.zeros((frames, 2, 3))
    x[:, 1, 0] = LENGTH + SPREAD * rng.standard_normal(frames)
    run = np.arange(frames) * 8 // frames
    arrays = {"positions": x.astype(np.float32), "run": run.astype(np.int32)}
    system = System(np.array([6, 8]), np.array([12.0, 16]), {6: "C", 8: "O"}, bonds=np.array([[0, 1]]))
    manifest = Manifest(
        name="rods", version="1", units="ase", temperature=300.0, system=system.to_json(),
        splits=split_runs(run), provenance={},
    )  # fmt: skip
    return write_dataset(
        tmp_path_factory.mktemp("rods") / "rods", manifest, arrays, {"positions": "Å", "run": ""}
    )


def test_a_gaussian_ensemble_gives_its_blurred_force_constant(rods: Path, tmp_path: Path) -> None:
    """k = kT/(s² + 2 σ²) for a distance, to which two particles bring noise; √(2/N) is 2 %, tolerance 8 %."""
    run = zoo.train("harmonic", rods, task="forces", settings=DENOISING, out=tmp_path / "run")
    model = zoo.load(run.path)
    found = 2 * float(model.coefficients[0])
    assert found == pytest.approx(KT / (SPREAD**2 + 2 * NOISE**2), rel=0.08)
    metrics = run.results["metrics"]
    assert metrics["denoising_mse"]["value"] < metrics["denoising_mean_square"]["value"]
    assert "force_mae" not in metrics


def test_the_least_loss_is_the_exact_one(rods: Path, tmp_path: Path) -> None:
    """In (kT/σ)², of six coordinates: the centre's three are left alone, and of the others two are pure noise
    and one has the share s²/(s² + 2σ²) of noise that could be the ensemble's."""
    metrics = zoo.train("harmonic", rods, task="forces", settings=DENOISING, out=tmp_path / "run").results[
        "metrics"
    ]
    share, unit = SPREAD**2 / (SPREAD**2 + 2 * NOISE**2), (KT / NOISE) ** 2
    assert metrics["denoising_mean_square"]["value"] == pytest.approx(unit * 3 / 6, rel=0.06)
    assert metrics["denoising_mse"]["value"] == pytest.approx(unit * (2 + share) / 6, rel=0.06)


def test_a_network_trains_by_steps_on_positions_alone(rods: Path, tmp_path: Path) -> None:
    settings = {
        "model": {"hidden_channels": 8, "num_filters": 8, "num_interactions": 1, "cutoff": 25.0},
        "task": {"objective": "denoising", "noise": NOISE, "prior": ["bonds"]},
        "train": {"frames": 512, "batch_size": 64},
    }
    run = zoo.train("schnet", rods, task="forces", epochs=1, config=settings, out=tmp_path / "run")
    metrics = run.results["metrics"]
    assert metrics["denoising_mse"]["value"] < 1.1 * metrics["denoising_mean_square"]["value"]


def test_forces_that_are_not_there_are_still_asked_for_by_force_matching(rods: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no forces"):
        zoo.train("harmonic", rods, task="forces", out=tmp_path / "run")


def test_noise_leaves_the_centre_and_undoes_itself() -> None:
    x = torch.zeros(2000, 3, 3, dtype=torch.float64)
    blurred, forces = noised(x, KT, NOISE, torch.Generator().manual_seed(0))
    torch.testing.assert_close(blurred.mean(1), torch.zeros(2000, 3, dtype=torch.float64), atol=1e-12, rtol=0)
    torch.testing.assert_close(blurred + forces * NOISE**2 / KT, x, atol=1e-12, rtol=0)
    assert float(blurred.std()) == pytest.approx(NOISE * np.sqrt(2 / 3), rel=0.03)
    again, _ = noised(x, KT, NOISE, torch.Generator().manual_seed(0))
    torch.testing.assert_close(again, blurred)
