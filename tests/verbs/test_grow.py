"""`zoo train … --grow`: what is added, where, what it brings, and that nothing else changes."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import load_file
from synthetic import chain, glass
from torch import nn

import zoo
from zoo.analysis.layers.probe import ValueLoss
from zoo.cli.app import main
from zoo.config import RunConfig, validated
from zoo.errors import ConfigError, RunError
from zoo.models.growth import follow, neuron_cost, parameters_in_use
from zoo.run import run_flags
from zoo.tasks.callbacks import Curve, EpochSeed
from zoo.verbs.evaluate import evaluate
from zoo.verbs.growing import event
from zoo.verbs.growing.event import best_growths
from zoo.verbs.growing.search import line_search

SMALL = {
    "train.batch_size": 8, "train.accelerator": "cpu", "optim.lr": 5e-3, "model.num_interactions": 2,
    "model.hidden_channels": 5, "model.num_filters": 4, "model.num_gaussians": 8,
}  # fmt: skip
GROW = {"grow.every": 2, "grow.share": 0.2, "grow.frames": 8, "grow.until": 0.6}
EPOCHS = 10


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return chain(tmp_path_factory.mktemp("data") / "chain")


@pytest.fixture(scope="module")
def run(data, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "run"
    settings = SMALL | GROW | {"train.ema": 0.9}
    return zoo.train("schnet", data, epochs=EPOCHS, out=out, settings=settings, with_baselines=False)


def events(run):
    return json.loads((run.path / "growth.json").read_text())["events"]


# --- a case with a known answer -----------------------------------------------------------------------


class Student(nn.Module):
    """tanh between two maps: with small weights a linear map of the rank of its width."""

    def __init__(self, width):
        super().__init__()
        self.config = self.info = None
        self.growth = {}
        self.first, self.act, self.second = nn.Linear(6, width), nn.Tanh(), nn.Linear(width, 5)

    def forward(self, x):
        return self.second(self.act(self.first(x)))


class Lesson(nn.Module):
    """Learn a linear map, as a task that `best_growth` can measure."""

    def __init__(self, model, options):
        super().__init__()
        self.model, self.options = model, options

    def error(self, x, y):
        return (self.model(x) - y).square().sum(-1).mean()

    def sample_losses(self, frames, size=1):
        for x, y in zip(self.options.x.split(size), self.options.y.split(size), strict=True):
            yield ValueLoss(lambda x=x, y=y: self.error(x, y))


class Everything(list):
    """All inputs, as if they were frames of one particle."""

    dataset = SimpleNamespace(system=SimpleNamespace(num_particles=1))


@pytest.fixture
def lesson():
    """A teacher of rank 3 with singular values 3, 2, 1; white inputs, small enough for tanh."""
    draw = torch.Generator().manual_seed(0)
    x = 0.1 * torch.randn(200, 6, generator=draw, dtype=torch.float64)
    u = torch.linalg.qr(torch.randn(6, 6, generator=draw, dtype=torch.float64))[0][:, :3]
    v = torch.linalg.qr(torch.randn(5, 5, generator=draw, dtype=torch.float64))[0][:, :3]
    y = x @ (u * torch.tensor([3.0, 2.0, 1.0], dtype=torch.float64)) @ v.T
    torch.manual_seed(0)
    return Lesson(Student(1).double(), SimpleNamespace(x=x, y=y))


def learn(lesson, optimizer, steps=400):
    for _ in range(steps):
        optimizer.zero_grad()
        lesson.error(lesson.options.x, lesson.options.y).backward()
        optimizer.step()
    return lesson.error(lesson.options.x, lesson.options.y).item()


def test_a_student_too_narrow_reaches_its_teacher_by_growing(lesson):
    """Width 1 cannot give more than the largest singular value; each growth adds what is largest next."""
    x, y = lesson.options.x, lesson.options.y
    optimizer = torch.optim.Adam(lesson.parameters(), lr=2e-2)
    stuck = learn(lesson, optimizer, 1500)
    teacher = torch.linalg.lstsq(x, y).solution
    left = torch.linalg.svdvals(x @ teacher)[1:].square().sum() / len(x)  # Eckart and Young
    assert stuck == pytest.approx(float(left), rel=0.05)
    losses = [stuck]
    for width in (2, 3):
        (growth,) = best_growths(lesson, Everything(x), budget=13)  # 6 + 1 + 5 are one neuron
        assert growth.chosen.neurons.count == 1 and len(growth.places) == 1
        assert growth.before == pytest.approx(losses[-1], rel=1e-9)
        assert growth.measured == pytest.approx(growth.chosen.neurons.gain, rel=1e-5)
        # the neuron alone brings most of the next singular value: one of weight 0 brings nothing
        assert growth.after < 0.6 * growth.before
        follow(optimizer, growth.apply(lesson.model))
        assert lesson.model.first.out_features == width
        now = lesson.error(x, y).item()
        assert now == pytest.approx(growth.after, rel=1e-9)
        losses.append(learn(lesson, optimizer, 1500))
        assert losses[-1] < now
    assert losses[-1] < 0.01 * stuck


def test_the_place_is_that_of_the_largest_promise(run):
    for record in events(run):
        promises = {place["place"]: place["promised_unseen"] for place in record["places"]}
        assert record["place"] == max(promises, key=promises.get)
        assert promises[record["place"]] > 0
    assert len(events(run)[0]["places"]) == 5  # two filters, two updates, one head


def test_the_line_search_finds_the_minimum():
    """(γ − 3)² from far away; a loss that only rises; one that falls for good."""
    gamma, value = line_search(lambda g: (g - 3) ** 2, 9.0, gain=6.0)
    assert abs(gamma - 3) < 0.3 and value < 0.1
    assert line_search(lambda g: 1 + g, 1.0, gain=1.0) == (0.0, 1.0)
    assert line_search(lambda g: 1.0, 1.0, gain=0.0) == (0.0, 1.0)
    gamma, value = line_search(lambda g: (g - 3) ** 2 - 100, -91.0, gain=6.0)  # of densities, below 0
    assert abs(gamma - 3) < 0.3 and value < -99.9
    gamma, value = line_search(lambda g: 1 / (1 + g), 1.0, gain=1.0)
    assert gamma > 100
    assert line_search(lambda g: 1 / (1 + g), 1.0, gain=1.0, largest=7.0) == (7.0, 0.125)
    assert line_search(lambda g: 1 - g, 1.0, gain=1.0, largest=1e-4) == (1e-4, 1 - 1e-4)


# --- a run that grows ---------------------------------------------------------------------------------


def test_each_event_says_what_it_did(run):
    assert {record["epoch"] for record in events(run)} == {2, 4, 6}  # none behind 60 % of the epochs
    size = json.loads((run.path / "growth.json").read_text())["parameters"]
    before = size
    for record in events(run):
        assert record["measured"] == pytest.approx(record["promised"], rel=1e-4)
        assert record["loss"]["after"] < record["loss"]["before"]
        assert record["parameters"]["before"] == before
        before = record["parameters"]["after"]
        assert before - record["parameters"]["before"] == record["cost"]
        assert before <= size + round(record["epoch"] / 2 * 0.2 * size)
    assert before > 1.4 * size  # of 1.6: what is left of the last budget, four places at most being widened
    assert record["parameters"]["after"] == parameters_in_use(zoo.load(run.path))


def test_a_grown_run_is_loaded_and_scored_again(run):
    growth = run.card["growth"]
    total = {}
    for record in events(run):
        for place, count in record["added"].items():
            total[place] = total.get(place, 0) + count
    assert zoo.load(run.path).growth == growth == total
    mae = run.results["metrics"]["force_mae"]["value"]
    assert evaluate(run)["force_mae"]["value"] == pytest.approx(mae, rel=1e-6)
    assert run.results["parameters"] == sum(p.numel() for p in zoo.load(run.path).parameters())


@pytest.mark.parametrize("hook", ["before the epoch", "between growth and checkpoint"])
def test_a_killed_run_goes_on_as_if_it_had_not_been(run, data, tmp_path, monkeypatch, hook):
    """Epoch 4 ends with a growth. Killed in epoch 5, or behind that growth, of which no checkpoint knows."""

    class Killed(Exception):
        pass

    kind, method, when = (
        (EpochSeed, "on_train_epoch_start", 5)
        if hook == "before the epoch"
        else (Curve, "on_train_epoch_end", 3)
    )
    original = getattr(kind, method)

    def kill(self, trainer, module):
        if trainer.current_epoch == when:
            raise Killed
        original(self, trainer, module)

    settings = SMALL | GROW | {"train.ema": 0.9}
    how = {"epochs": EPOCHS, "out": tmp_path / "run", "settings": settings, "with_baselines": False}
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(kind, method, kill)
        zoo.train("schnet", data, **how)
    known = json.loads((tmp_path / "run" / "growth.json").read_text())["events"]
    assert {record["epoch"] for record in known} == {2, 4}
    resumed = zoo.train("schnet", data, **how, resume=True)
    assert events(resumed) == events(run)
    a, b = (load_file(r.path / "weights.safetensors") for r in (run, resumed))
    assert a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)
    columns = ("epoch", "step", "train_loss", "val_loss")
    curves = [[[row[c] for c in columns] for row in r.curve()] for r in (run, resumed)]
    assert curves[0] == curves[1]


def test_random_neurons_everywhere_spend_the_same_budget(run, data, tmp_path):
    settings = SMALL | GROW | {"grow.where": "everywhere"}
    other = zoo.train(
        "schnet", data, epochs=EPOCHS, out=tmp_path / "run", settings=settings, with_baselines=False
    )
    counts = list(other.card["growth"].values())
    assert len(counts) == 5 and max(counts) - min(counts) <= 1
    start = json.loads((run.path / "growth.json").read_text())["parameters"]
    size = parameters_in_use(zoo.load(other.path))
    assert 0 <= round(1.6 * start) - size <= 14  # the most that a neuron costs here


def test_random_neurons_change_nothing_at_first(data):
    model = zoo.create_model("schnet", dataset=zoo.load_dataset(data), hidden_channels=5).double()
    frames = zoo.load_dataset(data).split("train")
    graph = frames.graph(0, model.cutoff)
    graph.pos = graph.pos.double()
    before = model(graph)
    places = [event.Place("head.lin1", "head.act", "head.lin2")]
    event.widen_everywhere(model, places, budget=3 * neuron_cost(model, places[0].name), seed=0)
    assert model.growth == {places[0].name: 3}
    assert torch.allclose(model(graph), before, rtol=1e-12, atol=0)
    new = model.head.lin1.weight[-3:]
    assert 0.2 < float(new.std() / model.head.lin1.weight[:-3].std()) < 5


def test_a_promise_that_is_not_kept_is_told(data, tmp_path, monkeypatch):
    monkeypatch.setattr(event.Trial, "measured_gain", lambda trial: 0.5 * trial.neurons.gain)
    settings = SMALL | GROW | {"grow.until": 0.3}
    run = zoo.train("schnet", data, epochs=7, out=tmp_path / "run", settings=settings, with_baselines=False)
    flags = [flag for flag in run_flags(run) if flag.kind == "growth"]
    assert "50 % of the gain" in flags[0].text and events(run)[0]["place"] in flags[0].text


@pytest.mark.parametrize(
    ("model", "make", "task", "settings"),
    [
        ("gat", chain, "forces", {"model.hidden_channels": 4, "model.num_layers": 1}),
        ("gat", glass, "propensity", {"model.hidden_channels": 4, "model.num_layers": 1}),
        ("descriptor-gnn", glass, "propensity", {}),
        ("gat-autoencoder", chain, "reconstruction", {
            "model.hidden_channels": 4, "model.decoder_channels": 8, "model.latent": 2, "grow.share": 0.01,
        }),
        ("spline-flow", chain, "density", {
            "task.objective": "data", "model.hidden": 8, "model.couplings": 2,
        }),
    ],
)  # fmt: skip
def test_other_models_and_tasks_grow(model, make, task, settings, tmp_path):
    settings = {"train.accelerator": "cpu", "grow.every": 1, "grow.until": 0.5, "grow.frames": 4} | settings
    run = zoo.train(
        model, make(tmp_path / "data"), task=task, epochs=2, out=tmp_path / "run", settings=settings,
        with_baselines=False,
    )  # fmt: skip
    added = {}
    for record in events(run):
        assert record["measured"] == pytest.approx(record["promised"], rel=1e-3)
        assert record["loss"]["after"] < record["loss"]["before"]
        added[record["place"]] = added.get(record["place"], 0) + record["neurons"]
    assert np.isfinite(run.curve()[-1]["val_loss"])
    assert added and zoo.load(run.path).growth == added


# --- settings -----------------------------------------------------------------------------------------

PLAIN = {"model": {"name": "x"}, "dataset": {}, "task": {}}


def test_runs_that_do_not_grow_keep_their_digest(data, tmp_path):
    """The digest that this configuration had before there was growing."""
    assert validated(RunConfig, PLAIN).digest() == "c82975d6eeef"
    assert validated(RunConfig, PLAIN | {"grow": None}).digest() == "c82975d6eeef"
    assert validated(RunConfig, PLAIN | {"grow": {}}).digest() != "c82975d6eeef"
    run = zoo.train("mean-force", data, out=tmp_path / "run", with_baselines=False)
    assert "grow" not in yaml.safe_load((run.path / "config.yaml").read_text())


def test_growing_is_asked_for_in_three_ways(data, capsys):
    words = ["train", "schnet", str(data), "--dry-run"]
    shown = []
    for more in (["--grow"], ["--set", "grow.every=5"], ["--grow", "--set", "grow.every=5"], []):
        assert main([*words, *more]) == 0
        shown.append(yaml.safe_load(capsys.readouterr().out).get("grow"))
    assert shown[0] == shown[1] == shown[2] and shown[0]["every"] == 5 and shown[3] is None


@pytest.mark.parametrize(
    ("model", "task", "settings", "complaint"),
    [
        ("mean-force", "forces", {}, "closed form"),
        ("cg-autoencoder", "reconstruction", {"model.beads": 2}, "no place to grow"),
        ("spline-flow", "density", {"task.objective": "energy"}, "task.objective=data"),
        ("schnet", "forces", {"grow.every": 40}, "nothing would be added"),
        ("schnet", "forces", {"train.devices": 2}, "on one device"),
        ("schnet", "forces", {"grow.evry": 2}, "Did you mean 'every'"),
        ("schnet", "forces", {"grow.share": 0}, "greater than 0"),
    ],
)
def test_what_cannot_grow_is_refused_before_anything_is_written(
    data, tmp_path, model, task, settings, complaint, capsys
):
    words = ["train", model, str(data), "--task", task, "--grow", "--out", str(tmp_path / "run")]
    for key, value in settings.items():
        words += ["--set", f"{key}={value}"]
    assert main([*words, "--accelerator", "cpu"]) == 2
    error = capsys.readouterr().err
    assert complaint in error and "Traceback" not in error
    assert not (tmp_path / "run").exists()


def test_members_of_an_ensemble_do_not_grow(tmp_path):
    with pytest.raises(ConfigError, match="grow apart"):
        zoo.train("schnet", glass(tmp_path / "glass"), settings={"task.members": 2}, grow=True)


def test_resume_without_grow_is_refused(run, data):
    with pytest.raises(RunError, match="other settings"):
        zoo.train("schnet", data, epochs=EPOCHS, out=run.path, resume=True, settings=SMALL)
