"""`zoo.embed`: one interface to latents and layers of all models."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from planted import ATOMS, zigzags
from synthetic import glass

import zoo
from zoo.data.catalog import open_dataset
from zoo.data.dataset import Dataset, Frames
from zoo.errors import ConfigError, DataError, RunError, UnknownName, ZooError
from zoo.models.latents import latent_of
from zoo.testing.subject import perturb
from zoo.verbs.embed import embed_layers
from zoo.verbs.evaluate import fitted

SMALL = {
    "schnet": {"hidden_channels": 8, "num_filters": 8, "num_interactions": 2},
    "gat": {"hidden_channels": 8, "heads": 2, "num_layers": 2},
    "gat-autoencoder": {"hidden_channels": 8, "decoder_channels": 16, "heads": 2},
    "cg-vae": {"hidden_channels": 8, "map": "segments", "beads": 4},
    "equivariant-flow": {"hidden_channels": 8, "num_gaussians": 4, "solver": "rk4", "steps": 12},
}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return Dataset(zigzags(tmp_path_factory.mktemp("embed") / "zigzag", frames=240))


def model_of(name: str, data: Dataset) -> zoo.models.base.ZooModel:  # type: ignore[name-defined]
    torch.manual_seed(0)
    made = zoo.create_model(name, dataset=data, task=TASKS[name], **SMALL.get(name, {}))
    x = torch.from_numpy(data.split("train").array("positions")).double()
    if TASKS[name] in ("reconstruction", "density"):
        made.prepare(*((x, None) if TASKS[name] == "reconstruction" else (None, x)))
    perturb(made)
    return made


TASKS = {
    "gat-autoencoder": "reconstruction", "cg-vae": "reconstruction",
    "spline-flow": "density", "hierarchical-flow": "density", "realnvp": "density",
    "equivariant-flow": "density",
}  # fmt: skip


@pytest.mark.parametrize("name", TASKS)
def test_a_latent_does_not_turn_with_the_frame(name: str, data: Dataset) -> None:
    made, frames = model_of(name, data), Frames(data, np.arange(12), "some")
    found = zoo.embed(made, frames)
    assert found.shape == (12, len(latent_of(made).names)) and np.isfinite(found).all()
    assert found.std(0).max() > 1e-3
    turn = np.linalg.qr(np.random.default_rng(0).standard_normal((3, 3)))[0]
    x = frames.array("positions") @ (turn * np.linalg.det(turn)) + 3.0
    # single precision, through splines or an integration
    assert np.allclose(zoo.embed(made, frames.at(x)), found, rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize("name", TASKS)
def test_points_are_decoded_and_found_again(name: str, data: Dataset) -> None:
    """What is decoded from a point is a structure, and of a flow the one that the point was of."""
    made = model_of(name, data).double()
    space = latent_of(made)
    x = space.cast(data.split("test").array("positions")[:5].astype(np.float64))
    with torch.no_grad():
        point = space.point(x)
        back = space.structure(point)
    assert back.shape == x.shape and point.shape == (5, len(space.periods))
    if TASKS[name] == "density":
        apart = torch.cdist(x, x) - torch.cdist(back, back)
        # twelve steps of fourth order; round-off of the rest
        assert apart.abs().max() < (1e-3 if name == "equivariant-flow" else 1e-6)


def test_a_flow_leads_its_draws_back_to_the_base(data: Dataset) -> None:
    made = model_of("spline-flow", data)
    x, _ = made.sample(400, torch.Generator().manual_seed(0))
    u = latent_of(made).describe(x).detach().numpy()
    assert np.abs(u[:, made.coordinates.circular :].std(0) - 1).max() < 0.15
    assert np.abs(u[:, : made.coordinates.circular]).max() <= np.pi + 1e-4


def test_layers_of_a_network_are_means_over_nodes(data: Dataset) -> None:
    frames = Frames(data, np.arange(6), "some")
    torch.manual_seed(0)
    forces = zoo.create_model("schnet", dataset=_with_forces(data), task="forces", **SMALL["schnet"])
    every = embed_layers(forces, frames)
    assert list(every) == ["layer 0", "layer 1", "layer 2"]
    for layer, name in ((None, "layer 2"), ("layer 1", "layer 1")):
        found = zoo.embed(forces, frames, layer)
        assert np.allclose(found, every[name], rtol=1e-5, atol=1e-6)  # single precision
    nodes = zoo.embed(forces, frames, "layer 1", nodes=True)
    assert nodes.shape == (6, ATOMS, 8) and np.allclose(nodes.mean(1), every["layer 1"], rtol=1e-5, atol=1e-6)
    with pytest.raises(UnknownName, match="layer 3"):
        zoo.embed(forces, frames, "layer 3")


def _with_forces(data: Dataset) -> Dataset:
    """The same frames, with forces as task `forces` needs them: springs to the centre."""
    import copy

    other = copy.copy(data)
    x = np.asarray(data.array("positions"), np.float64)
    other.arrays = {**data.arrays, "forces": (x.mean(1, keepdims=True) - x).astype(np.float32)}
    return other


def test_descriptors_of_closed_forms(tmp_path: Path) -> None:
    data = Dataset(glass(tmp_path / "glass"))
    train = data.split("train")
    ridge = fitted("ridge", {}, train, {"name": "propensity"})
    found = zoo.embed(ridge, Frames(data, np.arange(2), "some"), nodes=True)
    assert found.shape == (2, 60, ridge.num_descriptors)
    means = fitted("type-mean", {}, train, {"name": "propensity"})
    with pytest.raises(ConfigError, match="formula"):
        zoo.embed(means, data)


def test_particles_of_a_glass(tmp_path: Path) -> None:
    data = Dataset(glass(tmp_path / "glass"))
    made = zoo.create_model("gat", dataset=data, **SMALL["gat"])
    found = zoo.embed(made, data, nodes=True)
    assert found.shape == (8, 60, 8) and found.std() > 0


def test_the_packaged_models_are_called_by_name() -> None:
    data = open_dataset("alanine-dipeptide")
    frames = Frames(data, np.arange(0, 5120, 640), "some")
    assert zoo.embed("schnet-alanine-dipeptide", frames).shape == (8, 64)
    assert zoo.embed("hierarchical-flow-alanine-dipeptide", frames).shape == (8, 60)


def test_what_cannot_be_embedded_says_why(data: Dataset, tmp_path: Path) -> None:
    made = model_of("gat-autoencoder", data)
    x = np.array(data.array("positions"))
    x[7, 2] = np.nan
    with pytest.raises(DataError, match="first in frame 7"):
        zoo.embed(made, data.split("all").at(x))
    with pytest.raises(ConfigError, match="layers alone"):
        zoo.embed(made, data, nodes=True)
    assert zoo.embed(made, Frames(data, np.arange(3), "some"), "layer 1").shape == (3, 8)
    with pytest.raises(ConfigError, match="neither a run nor"):
        zoo.embed(tmp_path, data)
    with pytest.raises(ZooError):
        zoo.embed("schnet-alanine-dipeptide", Dataset(glass(tmp_path / "glass")))
    (tmp_path / "card.json").write_text("{}")
    with pytest.raises((RunError, DataError)):
        zoo.embed(tmp_path, data)
