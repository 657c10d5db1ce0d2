"""A prior beneath any potential: added once, left out of what is fitted, kept in the card."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from synthetic import chain

import zoo
from zoo import keys
from zoo.data.dataset import Dataset
from zoo.data.loader import make_loader
from zoo.errors import ConfigError
from zoo.models.prior import Prior, prior_of
from zoo.physics.forces import energy_and_forces
from zoo.run import Run
from zoo.tasks.forces.config import ForcesConfig
from zoo.tasks.forces.task import ForcesTask
from zoo.verbs.evaluate import evaluate, fitted
from zoo.verbs.mapping import map_dataset

FEW = {"train.frames": 64, "train.batch_size": 32, "model.hidden_channels": 8, "model.num_filters": 8,
       "model.num_interactions": 1, "model.cutoff": 10.0}  # fmt: skip


@pytest.fixture(scope="module")
def beads(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    out = tmp_path_factory.mktemp("beads") / "backbone"
    return Dataset(map_dataset("alanine-dipeptide", "backbone", out))


@pytest.fixture(scope="module")
def run(beads: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return zoo.train("schnet", beads.path, out=tmp_path_factory.mktemp("run") / "run", epochs=1, settings=FEW)


def test_a_model_s_energies_and_forces_have_the_prior_added_once(beads: Dataset) -> None:
    model = zoo.create_model(
        "schnet", dataset=beads, **{k[6:]: v for k, v in FEW.items() if k.startswith("model.")}
    )
    assert isinstance(model.prior_energy, Prior)
    batch = next(iter(make_loader(beads.split("test"), model.cutoff, 4)))
    energy, forces = energy_and_forces(model, batch)
    bare, bare_forces = energy_and_forces(model.forward, batch)
    known, known_forces = prior_of(model.info.prior, batch[keys.POS].view(4, 5, 3).numpy())
    np.testing.assert_allclose((energy - bare).numpy(), known, atol=1e-4, rtol=1e-3)
    np.testing.assert_allclose((forces - bare_forces).view(4, 5, 3).numpy(), known_forces, atol=1e-3)


def test_scale_is_that_of_what_the_prior_leaves(beads: Dataset) -> None:
    frames = beads.split("train")
    info = ForcesTask.data_info(frames, ForcesConfig())
    assert info.prior is not None
    left = frames.array(keys.FORCES) - prior_of(info.prior, frames.array(keys.POSITIONS))[1]
    assert info.force_rms == pytest.approx(np.sqrt((left**2).mean()), rel=1e-5)
    plain = ForcesTask.data_info(frames, ForcesConfig(prior=[]))
    assert plain.prior is None and plain.force_rms > 2 * info.force_rms


def test_a_run_keeps_its_prior_and_shows_the_floor_beside_the_loss(run: Run, beads: Dataset) -> None:
    results = run.results
    assert set(results["baselines"]) == {"mean-force", "prior-only", "harmonic"}
    metrics = results["metrics"]
    total = metrics["noise_floor"]["value"] + metrics["excess"]["value"]
    assert total == pytest.approx(metrics["force_mse"]["value"]) and metrics["excess"]["unit"] == "(eV/Å)²"
    assert metrics["force_mse"]["value"] < 0.4 * (beads.split("test").array(keys.FORCES) ** 2).mean()
    model = zoo.load(run.path)
    batch = next(iter(make_loader(beads.split("test"), model.cutoff, 256)))
    again = energy_and_forces(model, batch)[1].view(-1, 5, 3).numpy()
    np.testing.assert_allclose(again, np.load(run.path / "predictions.npz")["forces"][:256], atol=1e-5)
    assert not any("prior" in name for name in model.state_dict())
    assert evaluate(run)["noise_floor"] == pytest.approx(metrics["noise_floor"])


def test_fitted_models_fit_what_the_prior_leaves(tmp_path: Path) -> None:
    """Bonds exactly harmonic: with a prior of bonds and angles that are wrong, `harmonic` is still exact."""
    data = Dataset(chain(tmp_path / "chain", frames=120))
    settings = {"name": "forces", "prior": ["bonds", "angles", "repulsion"]}
    model = fitted("harmonic", {}, data.split("train"), settings)
    assert model.info.prior is not None
    batch = next(iter(make_loader(data.split("test"), 0.0, 100)))
    energy, forces = energy_and_forces(model, batch)
    bare = fitted("prior-only", {}, data.split("train"), settings)
    off = (energy_and_forces(bare, batch)[1] - batch[keys.FORCES]).abs().mean()
    # repulsion is no sum of bonds and angles: what is left of it is a hundredth
    assert (forces - batch[keys.FORCES]).abs().mean() < 0.02 * off
    exact = fitted("harmonic", {}, data.split("train"), settings | {"prior": ["bonds"]})
    energy, forces = energy_and_forces(exact, batch)
    torch.testing.assert_close(forces, batch[keys.FORCES], atol=2e-4, rtol=1e-3)
    torch.testing.assert_close(energy, batch[keys.ENERGY], atol=2e-4, rtol=1e-3)


def test_the_bare_prior_has_the_mean_energy_of_the_data(tmp_path: Path) -> None:
    data = Dataset(chain(tmp_path / "chain", frames=120))
    train = data.split("train")
    model = fitted("prior-only", {}, train, {"name": "forces", "prior": ["bonds"]})
    batch = next(iter(make_loader(train, 0.0, 1000)))
    assert float(model(batch).mean()) == pytest.approx(float(batch[keys.ENERGY].mean()), rel=1e-4)


def test_atoms_get_a_prior_on_request_alone(tmp_path: Path) -> None:
    folder = chain(tmp_path / "chain")
    frames = Dataset(folder).split("train")
    assert ForcesTask.data_info(frames, ForcesConfig()).prior is None
    terms = ForcesTask.data_info(frames, ForcesConfig(prior=["bonds"])).prior
    assert terms is not None and terms.bonds is not None and terms.angles is None
    results = zoo.train("harmonic", folder, out=tmp_path / "run").results
    assert "prior-only" not in results["baselines"] and "noise_floor" not in results["metrics"]
    with pytest.raises(ConfigError, match="prior-only needs a prior"):
        zoo.create_model("prior-only", dataset=Dataset(folder))


def test_priors_where_they_have_no_meaning_are_refused(tmp_path: Path) -> None:
    cold = Dataset(chain(tmp_path / "cold", temperature=None)).split("train")
    with pytest.raises(ConfigError, match="needs a temperature"):
        ForcesTask.data_info(cold, ForcesConfig(prior=["bonds"]))
    kob = zoo.load_dataset("kob-andersen")
    if keys.FORCES in kob.arrays:
        with pytest.raises(ConfigError, match="periodic"):
            ForcesTask.data_info(kob.split("train"), ForcesConfig(prior=["repulsion"]))
    with pytest.raises(ConfigError, match="prior"):
        zoo.train("harmonic", tmp_path / "cold", settings={"task.prior": ["bond"]}, out=tmp_path / "run")
