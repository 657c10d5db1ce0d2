"""The benchmark of growing: rows of equal size, tables and the figure of what the runs say."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from synthetic import chain

import zoo
from zoo.bench.growth import tables as module
from zoo.bench.growth.suite import STUDIES, Study, suite
from zoo.bench.growth.tables import best_loss, tables, verdict
from zoo.bench.suite import Options
from zoo.models.growth import parameters_in_use
from zoo.report.figures.growth import draw
from zoo.report.plot import style
from zoo.report.runs import group_runs
from zoo.verbs.compare import run_record
from zoo.verbs.growing.record import growth_record, size_in_use
from zoo.verbs.plan import Plan, build, resolve

ROWS = suite(Options(Path("out"))).rows


def plans_of(study: Study) -> dict[str, Plan]:
    return {
        row.label: resolve(row.model, row.dataset, task=row.task, settings=row.settings)
        for row in ROWS
        if row.model == study.model
    }


@pytest.mark.parametrize("study", STUDIES, ids=lambda study: study.model)
def test_rows_differ_in_width_and_growth_alone(study: Study) -> None:
    plans = plans_of(study)
    records = [plan.config.model_dump(mode="json") for plan in plans.values()]
    for record in records:
        record.pop("grow", None)
        for width in study.widths:
            del record["model"][width.partition(".")[2]]
    assert len(records) == 6 and all(record == records[0] for record in records)
    grown = {label for label, plan in plans.items() if plan.config.grow}
    assert grown == {"grown", "grown-everywhere", "grown-at-once"}


@pytest.mark.parametrize("study", STUDIES, ids=lambda study: study.model)
@pytest.mark.parametrize("quick", [False, True])
def test_the_network_of_equal_size_has_the_size_that_growing_ends_at(study: Study, quick: bool) -> None:
    plans = plans_of(study)
    sizes = {}
    for width in (study.narrow, study.equal):
        plan = plans[f"fixed-{width}"]
        sizes[width] = parameters_in_use(build(plan, plan.dataset.split("train")))
    grow, epochs = (study.quickly, study.epochs[1]) if quick else (study.grow, study.epochs[0])
    additions = int(grow["grow.until"] * epochs) // grow["grow.every"]
    end = sizes[study.narrow] * (1 + additions * grow["grow.share"])
    assert sizes[study.equal] == pytest.approx(end, rel=0.07)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A grown run, one grown everywhere, and one that is not, as the suite names them."""
    folder = tmp_path_factory.mktemp("growth")
    data = chain(folder / "chain")
    small = {
        "train.batch_size": 8, "train.accelerator": "cpu", "train.epochs": 5, "optim.lr": 5e-3,
        "model.num_interactions": 1, "model.hidden_channels": 4, "model.num_filters": 4,
        "model.num_gaussians": 6,
    }  # fmt: skip
    grow = {"grow.every": 1, "grow.share": 0.3, "grow.frames": 6, "grow.until": 0.6}
    out = {}
    for label, more in (
        ("fixed-4", {}), ("grown", grow), ("grown-everywhere", {**grow, "grow.where": "everywhere"}),
    ):  # fmt: skip
        path = folder / "runs" / f"schnet-chain-{label}-seed0"
        out[label] = zoo.train("schnet", data, out=path, settings={**small, **more}, with_baselines=False)
    return out


def record_of(label, run):
    return {"row": f"schnet-{run.results['dataset']}-{label}", **run_record(run)}


def test_tables_say_what_the_runs_say(runs):
    losses, promises = tables([record_of(label, run) for label, run in runs.items()])
    by_name = {row[0]: row for row in losses.rows}
    assert by_name["fixed width 4"][1] == str(size_in_use(runs["fixed-4"]))
    grown = by_name[module.NAMES["grown"]]
    assert grown[1] == str(size_in_use(runs["grown"])) and grown[2] == f"{best_loss(runs['grown']):.4g}"
    ratio = 100 * (best_loss(runs["grown"]) / best_loss(runs["grown-everywhere"]) - 1)
    assert f"the grown network's loss is {ratio:+.1f} % (one seed)" in losses.note
    events = growth_record(runs["grown"])["events"]
    assert sum(int(row[1]) for row in promises.rows) == len(events)
    assert sum(int(row[2]) for row in promises.rows) == sum(event["neurons"] for event in events)


def test_runs_that_failed_are_left_out(runs):
    failed = {"row": "schnet-chain-fixed-9", "model": "schnet", "dataset": "chain", "seed": 0, "error": "no",
              "run": "nowhere"}  # fmt: skip
    assert tables([failed]) == []
    (losses,) = tables([failed, record_of("fixed-4", runs["fixed-4"])])
    assert len(losses.rows) == 1


@pytest.mark.parametrize(
    ("mine", "theirs", "word"),
    [
        ([0.50, 0.51, 0.49], [0.60, 0.62, 0.59], "better"),
        ([0.60, 0.62, 0.59], [0.50, 0.51, 0.49], "worse"),
        ([0.50, 0.60, 0.55], [0.56, 0.54, 0.56], "no different"),
    ],
)
def test_the_verdict_is_of_equal_seeds_and_their_spread(monkeypatch, mine, theirs, word):
    monkeypatch.setattr(module, "best_loss", lambda value: value)
    runs = {"grown": list(enumerate(mine)), "other": list(enumerate(theirs))}
    text = verdict(runs, "other")
    assert text.endswith(f": {word}.")
    mean = 100 * np.mean([a / b - 1 for a, b in zip(mine, theirs, strict=True)])
    assert f"{mean:+.1f} ±" in text
    assert verdict({"grown": [(0, 0.5)], "other": [(1, 0.6)]}, "other") == ""


def test_the_figure_shows_all_networks(runs):
    (group,) = group_runs(runs.values())
    with style():
        drawing = draw(group)
    for label in group.order:
        assert label in drawing.svg
    size = size_in_use(runs["grown"])
    assert re.search(rf"grown\) {size} parameters", drawing.svg)
    assert "not counted" in drawing.caption and "promise" in drawing.caption


def test_no_figure_without_growth(runs):
    (group,) = group_runs([runs["fixed-4"]])
    assert draw(group) is None
