"""Predictions tile by tile: those of one graph of the whole, for every model that takes the task."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from zoo import keys
from zoo.config import validated
from zoo.data.catalog import open_dataset
from zoo.data.dataset import Frames
from zoo.data.info import data_info
from zoo.errors import ConfigError, DataError
from zoo.graphs import neighbor_list
from zoo.graphs.tiles import tiles
from zoo.models.base import FittedModel, ZooModel
from zoo.models.ensemble import Ensemble
from zoo.registry import REGISTRY
from zoo.tasks.propensity import task as module
from zoo.tasks.propensity.config import PropensityConfig
from zoo.tasks.propensity.task import PropensityTask

#: Fewer channels and layers, so that twelve models take seconds.
SMALL = {
    "gat": {"hidden_channels": 8, "heads": 2, "num_layers": 1, "cutoff": 1.5},
    "schnet": {"hidden_channels": 8, "num_filters": 8, "num_interactions": 2, "cutoff": 1.5},
    "tensor-network": {"channels": 4, "num_layers": 2, "cutoff": 1.5},
    "bapst": {"hidden_channels": 8, "rounds": 2, "cutoff": 1.5},
    "botan": {"hidden_channels": 8, "rounds": 2, "cutoff": 1.5},
    "se3-glass": {"channels": 4, "num_layers": 2, "cutoff": 1.5},
    "descriptor-gnn": {"cutoff": 1.5},
}
#: Families that reach far: two averages, diffusion, scales.
WIDE = {
    "stop": 2.0,
    "step": 0.3,
    "orders": 3,
    "diffused": [1, 3, 6],
    "scales": [1.0],
    "scale_range": 2.0,
    "averages": 2,
    "diffusion_range": 2.0,
}
MODELS = sorted(
    name
    for name in REGISTRY.names("models")
    if "propensity" in REGISTRY.get("models", name).tasks
    and REGISTRY.owner(REGISTRY.get("models", name)).distribution == "molzoo"
)


def made(name: str, frames: Frames) -> ZooModel:
    spec = REGISTRY.get("models", name)
    config = REGISTRY.load_config(spec)
    options = dict(SMALL.get(name, {}))
    if config is not None and "descriptors" in config.model_fields:
        options["descriptors"] = WIDE
    torch.manual_seed(0)
    model = REGISTRY.load_target(spec)(validated(config, options, "model"), data_info(frames, "node"))
    task = PropensityTask(model, PropensityConfig())
    if isinstance(model, FittedModel):
        task.fit_closed_form(frames)
    else:
        model.train()  # running statistics of the inputs
        with torch.no_grad():
            model(next(iter(task.loader(frames, 1))))
    return model.eval()


def of(name: str, variant: str = "") -> tuple[ZooModel, Frames]:
    data = open_dataset("/".join(filter(None, ["kob-andersen", variant])))
    frames = Frames(data, np.array([1]), "all")
    return made(name, frames), frames


def both(model: ZooModel, frames: Frames, edges: int, monkeypatch: pytest.MonkeyPatch) -> tuple[dict, dict]:
    task = PropensityTask(model, PropensityConfig()).eval()
    whole = task.predictions(frames)
    monkeypatch.setattr(module, "LARGE", 100)
    real = module.predict_whole
    monkeypatch.setattr(module, "predict_whole", lambda *a, **k: real(*a, **k, edges=edges))
    return whole, task.predictions(frames)


@pytest.mark.parametrize("name", MODELS)
def test_tiles_give_what_the_whole_gives(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # cores of some 4 σ in a box of 9.4 σ: halos go round the box, copies meet their originals
    model, frames = of(name)
    whole, tiled = both(model, frames, 60_000, monkeypatch)
    assert whole.keys() == tiled.keys()
    assert tiled[keys.TARGETS].shape == whole[keys.TARGETS].shape
    assert np.ptp(whole[keys.TARGETS]) > 1e-4
    scale = np.abs(whole[keys.TARGETS]).max()
    np.testing.assert_allclose(tiled[keys.TARGETS], whole[keys.TARGETS], rtol=0, atol=1e-5 * scale)


def test_tiles_of_members_and_their_spread(monkeypatch: pytest.MonkeyPatch) -> None:
    frames = of("schnet")[1]
    members = [made("schnet", frames) for _ in range(2)]
    with torch.no_grad():
        for weight in members[1].parameters():
            weight *= 1.1
    whole, tiled = both(Ensemble(members).eval(), frames, 60_000, monkeypatch)
    assert set(whole) == {"frame", keys.TARGETS, "targets_spread"} == set(tiled)
    for name in whole:
        np.testing.assert_allclose(tiled[name], whole[name], rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", ["ridge", "gat"])
def test_tiles_of_the_plane(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model, frames = of(name, "2d-ternary")
    whole, tiled = both(model, frames, 3_000, monkeypatch)
    assert np.ptp(whole[keys.TARGETS]) > 1e-4
    np.testing.assert_allclose(tiled[keys.TARGETS], whole[keys.TARGETS], rtol=0, atol=1e-5)


def test_a_model_that_does_not_tell_its_reach_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    model, frames = of("schnet")
    monkeypatch.setattr(type(model), "message_layers", None)
    monkeypatch.setattr(module, "LARGE", 100)
    with pytest.raises(ConfigError, match="message_layers"):
        PropensityTask(model, PropensityConfig()).predictions(frames)


SKEWED = torch.tensor([[9.0, 0.0, 0.0], [3.0, 8.0, 0.0], [-2.0, 1.0, 7.0]], dtype=torch.float64)


@pytest.mark.parametrize("pbc", [(True,) * 3, (True, True, False), (False, True, False), (False,) * 3])
@pytest.mark.parametrize("halo", [1.3, 6.0])
def test_cores_are_each_once_and_neighbours_are_those_of_the_whole(pbc, halo: float) -> None:
    generator = torch.Generator().manual_seed(3)
    frac = torch.rand(300, 3, generator=generator, dtype=torch.float64)
    x = (frac + torch.randint(-2, 3, (300, 3), generator=generator) * torch.tensor(pbc)) @ SKEWED
    whole = neighbor_list(x, 1.3, SKEWED, pbc)
    expected = torch.bincount(whole.edge_index[1], minlength=300)
    seen = torch.zeros(300, dtype=torch.long)
    found = torch.zeros(300, dtype=torch.long)
    number = 0
    for tile in tiles(x, halo, 3.0, SKEWED, pbc):
        number += 1
        seen[tile.core] += 1
        receive = neighbor_list(tile.positions, 1.3).edge_index[1]
        found[tile.core] = torch.bincount(receive, minlength=len(tile.source))[: len(tile.core)]
    assert number > 8
    assert (seen == 1).all()
    assert torch.equal(found, expected)


def test_tiles_refuse_what_makes_no_sense() -> None:
    x = torch.rand(10, 3, dtype=torch.float64)
    for halo, edge in ((-1.0, 1.0), (1.0, 0.0), (1.0, float("nan"))):
        with pytest.raises(DataError, match="tiles take"):
            next(tiles(x, halo, edge))
    assert list(tiles(x[:0], 1.0, 1.0)) == []
