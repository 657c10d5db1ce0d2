"""`zoo analyze … layers` over every model of the registry, and what it promises of the real tasks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from synthetic import chain, glass
from torch import Tensor

from zoo import keys
from zoo.analysis.layers.maps import linear_maps, views
from zoo.analysis.layers.probe import SlopeLoss, rows
from zoo.analysis.layers.widening import widened
from zoo.config import validated
from zoo.data.catalog import open_dataset
from zoo.data.dataset import Dataset
from zoo.errors import ConfigError
from zoo.registry import REGISTRY
from zoo.tasks.base import Task
from zoo.testing.subject import perturb
from zoo.verbs.evaluate import make_task
from zoo.verbs.inside.layers import Options, look
from zoo.verbs.inside.layers_measure import exact_copy, measure_layers, sample
from zoo.verbs.inside.subject import Subject

#: Small sizes.
OPTIONS = {
    "schnet": {"hidden_channels": 6, "num_filters": 5, "num_gaussians": 10, "num_interactions": 2},
    "gat": {"hidden_channels": 8, "heads": 2, "num_layers": 2, "num_gaussians": 8},
    "megnet": {"channels": 6, "hidden_channels": 6, "num_gaussians": 8, "num_blocks": 1},
    "tensor-network": {"channels": 4, "num_gaussians": 8, "radial_channels": 8},
    "equivariant-flow": {"hidden_channels": 8, "num_gaussians": 4, "solver": "rk4", "steps": 4},
    "gat-autoencoder": {"hidden_channels": 8, "decoder_channels": 16},
    "cg-autoencoder": {"beads": 3},
    "cg-vae": {"beads": 3, "hidden_channels": 8},
    "bapst": {"hidden_channels": 6, "rounds": 2},
    "se3-glass": {"channels": 4, "l_max": 1, "num_layers": 2},
    "spline-flow": {"couplings": 2, "hidden": 16},
}
TRAINABLE = [
    (entry.name, task)
    for entry in REGISTRY.entries("models")
    if (entry.builtin or entry.name == "megnet") and not REGISTRY.get("models", entry.name).fitted
    for task in REGISTRY.get("models", entry.name).tasks
]
#: Those whose weights are no linear maps with modules of their own.
WITHOUT = {"cg-autoencoder": "no linear maps"}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Dataset]:
    folder = tmp_path_factory.mktemp("data")
    molecule = open_dataset(str(chain(folder / "chain")))
    return {
        "forces": molecule, "density": molecule, "reconstruction": molecule,
        "propensity": open_dataset(str(glass(folder / "glass"))),
    }  # fmt: skip


def built(name: str, task: str, dataset: Dataset, **settings: object) -> Task:
    """A task around a small model away from its initial state."""
    spec, task_spec = REGISTRY.get("models", name), REGISTRY.get("tasks", task)
    options = validated(REGISTRY.load_config(task_spec), settings, "task")
    frames = dataset.split("train")
    info = REGISTRY.load_target(task_spec).data_info(frames, options)
    torch.manual_seed(0)
    model = REGISTRY.load_target(spec)(
        validated(REGISTRY.load_config(spec), OPTIONS.get(name, {}), "model"), info
    )
    if task in ("density", "reconstruction"):
        x = torch.from_numpy(frames.array(keys.POSITIONS).astype("float64"))
        forces = torch.from_numpy(frames.array(keys.FORCES).astype("float64"))
        model.prepare(*((None, x) if task == "density" else (x, forces)))
    perturb(model)
    return make_task(model, {"name": task, **settings})


def gradients(task: Task, frames) -> dict[str, Tensor]:
    """−∂L/∂W of a frame by autograd of the task's own loss, through the double backward of forces."""
    model = task.model
    model.zero_grad()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        if isinstance(next(iter(task.sample_losses(frames))), SlopeLoss):
            task.train()
            model.eval()
            loss = task.loss(task.cast(next(iter(task.loader(frames, 1)))))[0]
            task.eval()
        else:
            loss = next(iter(task.sample_losses(frames))).value()
        loss.backward()
    out = {}
    for name, module in linear_maps(model).items():
        bias = getattr(module, "bias", None)
        for view in views(name, module):
            if module.weight.grad is not None:
                out[view.name] = -view.matrix(module.weight.grad, None if bias is None else bias.grad)
    return out


@pytest.mark.parametrize(("name", "task"), TRAINABLE)
def test_rows_give_the_gradient_of_every_map_of_every_model(
    name: str, task: str, data: dict[str, Dataset]
) -> None:
    """Σ V bᵀ is −∂L/∂W of the task's loss: nothing that a map does to the loss is missed."""
    own = exact_copy(built(name, task, data[task]))
    if not linear_maps(own.model):
        assert name in WITHOUT
        return
    frames = sample(data[task].split("train"), 1, 0)
    expected = gradients(own, frames)
    found = rows(own.model, next(iter(own.sample_losses(frames))))
    used = {key for key, value in expected.items() if float(value.norm()) > 1e-12}
    assert used and used <= set(found)
    for key in used:
        value, true = found[key].gradient(), expected[key]
        if key.split(".")[-1] and (mask := mask_of(own, key)) is not None:
            value = value * mask
        assert torch.allclose(value, true, rtol=1e-5, atol=1e-6 * float(true.abs().max())), key


def mask_of(task: Task, name: str) -> Tensor | None:
    """Which weights of a masked map there are, the bias included."""
    for key, module in linear_maps(task.model).items():
        for view in views(key, module):
            if view.name == name and view.mask is not None:
                return torch.nn.functional.pad(view.mask.double(), (0, int(view.bias)), value=1.0)
    return None


@pytest.mark.parametrize(("name", "task"), TRAINABLE)
def test_look_at_every_model(name: str, task: str, data: dict[str, Dataset], tmp_path: Path) -> None:
    subject = Subject(name, data[task], built(name, task, data[task]), None)
    if name in WITHOUT:
        with pytest.raises(ConfigError, match=WITHOUT[name]):
            look(subject, Options(), against=None, frames=4, seed=0)
        return
    found = look(subject, Options(neurons=2), against=None, frames=4, seed=0)
    names, places = found.facts["maps"], found.facts["places"]
    assert len(names) == len(set(names)) == len(found.arrays["share"])
    for array in ("share", "psi", "wanted", "rank", "effective_rank", "condition", "gradient"):
        assert np.isfinite(found.arrays[array]).all(), array
    assert (found.arrays["effective_rank"] <= found.arrays["rank"] + 1e-9).all()
    if places:
        assert np.isfinite(found.arrays["decrease"]).all()
    else:
        assert found.facts["not_growable"]
    found.save(tmp_path)
    assert type(found).load(tmp_path, "layers").facts == found.facts


@pytest.mark.parametrize(
    ("task", "settings"), [("propensity", {}), ("forces", {}), ("forces", {"energy_weight": 0})]
)
def test_promised_gain_is_the_first_order_decrease_of_schnet(
    task: str, settings: dict, data: dict[str, Dataset]
) -> None:
    """At every place −dL/dγ at γ = 0 is the gain, L being the task's loss of the graphs in one batch."""
    own = exact_copy(built("schnet", task, data[task], **settings))
    frames = sample(data[task].split("train"), 6, 0)
    layers = measure_layers(own, frames, 6, 0)
    batch = layers.task.cast(next(iter(layers.task.loader(layers.frames, 6))))
    layers.task.train()
    layers.task.model.eval()
    assert len(layers.places) == 5
    for name, place in layers.places.items():
        neurons = layers.neurons(name, 2)
        assert neurons.gain > 0
        slope = derivative(layers.task, batch, place, neurons)
        assert slope == pytest.approx(neurons.gain, rel=1e-6), name


def derivative(task: Task, batch, place, neurons) -> float:
    """−dL/dγ at γ = 0 of neurons √γ·incoming, √γ·outgoing, γ·correction, by autograd of the task's loss."""
    first, second = (task.model.get_submodule(name) for name in (place.first, place.second))
    step, found = 1e-7 / float(neurons.incoming.abs().max()), []
    for sign in (1, -1):
        with widened(first, second, sign * step * neurons.incoming, 0 * neurons.outgoing):
            by_w, by_b = torch.autograd.grad(task.loss(batch)[0], [second.weight, second.bias])
        found.append(float((by_w[:, -neurons.count :] * neurons.outgoing).sum()))
    own = torch.cat([by_w[:, : -neurons.count], by_b[:, None]], 1)
    return -((found[0] - found[1]) / (2 * step) + float((own * neurons.correction).sum()))


def test_collapsed_networks_are_flagged_in_words(data: dict[str, Dataset]) -> None:
    """A network whose units were killed, whose features were made alike, and whose gradients vanish."""
    task = built("gat", "propensity", data["propensity"])
    sound = look(
        Subject("gat", data["propensity"], task, None),
        Options(line_search=False),
        against=None,
        frames=3,
        seed=0,
    )
    assert not {f.kind for f in sound.flags} & {
        "dead units",
        "rank collapse",
        "over-smoothing",
        "vanishing gradients",
    }
    with torch.no_grad():
        task.model.layers[0].mlp[1].bias[:8] = -100.0  # half of its units
        task.model.layers[1].mlp[3].weight *= 1e-9  # what is before learns nothing
        task.model.norm.weight[1:] = 1e-4  # one direction is left before the head
        for layer in task.model.layers:  # the same for all nodes, and larger than what differs
            layer.out.bias.copy_(300 * torch.randn(8))
    found = look(
        Subject("gat", data["propensity"], task, None),
        Options(line_search=False),
        against=None,
        frames=3,
        seed=0,
    )
    words = [f"{flag.kind}: {flag.text}" for flag in found.flags]
    for expected in (
        "dead units: 8 of 16 units of layers.0.mlp.2 (SiLU)",
        "rank collapse: what reaches head.lin1 varies in 1 of 8 directions",
        "over-smoothing: features of neighbours differ by",
        "vanishing gradients: the gradient of layers.1.mlp.1",
    ):
        assert any(text.startswith(expected) for text in words), words


def test_wrong_subjects_are_refused_in_one_line(data: dict[str, Dataset]) -> None:
    with pytest.raises(ConfigError, match="is no run"):
        look(Subject("chain", data["forces"]), Options(), against=None, frames=None, seed=0)
    run = Subject("gat", data["forces"], built("gat", "forces", data["forces"]), None)
    with pytest.raises(ConfigError, match="zoo report RUN RUN"):
        look(run, Options(), against=run, frames=None, seed=0)
