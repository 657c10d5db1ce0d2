"""The recipes under docs/recipes: each resolves, and runs when it is made small."""

from __future__ import annotations

from pathlib import Path

import pytest

import zoo
from zoo.config import read_yaml
from zoo.verbs.plan import resolve

RECIPES = sorted((Path(__file__).resolve().parents[2] / "docs" / "recipes").glob("*.yaml"))
DATA = {
    "alanine-dipeptide-h200": "alanine-dipeptide/replica-exchange",
    "peptide": "peptide/alanine-tetrapeptide",
}
#: Sizes that take seconds on one core.
SMALL = {
    "train.epochs": 2, "train.batch_size": 16, "task.epoch_steps": 3, "task.samples": 100,
    "task.val_samples": 16, "task.compile": False,
    "task.reference": "split", "model.hidden": 8, "model.torsion_hidden": 8,
}  # fmt: skip


@pytest.mark.parametrize("path", RECIPES, ids=lambda p: p.stem)
def test_recipe_resolves(path: Path) -> None:
    plan = resolve("hierarchical-flow", DATA[path.stem], task="density", config=path)
    stages = plan.config.task["stages"]
    assert len(stages) == 2 and all(s["objectives"] for s in stages)


def test_budget_of_the_h200_recipe() -> None:
    """At most 1e7 energies: steps × batch, and the buffers'."""
    plan = resolve("hierarchical-flow", DATA["alanine-dipeptide-h200"], task="density", config=RECIPES[0])
    config = plan.config
    steps = config.train.epochs * config.task["epoch_steps"]
    stages = config.task["stages"]
    total = sum(s["share"] for s in stages)
    buffers = 0.0
    for stage in stages:
        for objective in stage["objectives"]:
            if objective["name"] == "buffer":
                buffers += steps * stage["share"] / total / objective["refresh"] * objective["draws"]
    validation = config.train.epochs * max(config.task["val_samples"], config.train.batch_size)
    assert steps * config.train.batch_size + buffers + validation <= 1e7


@pytest.mark.parametrize("path", RECIPES[:1], ids=lambda p: p.stem)
def test_recipe_runs_small(path: Path, tmp_path: Path) -> None:
    """The full size wants a GPU; the stages, objectives and scores are the same."""
    recipe = read_yaml(path)
    for stage in recipe["task"]["stages"]:
        for objective in stage["objectives"]:
            objective |= {"draws": 64, "batch_size": 16}
    run = zoo.train(
        "hierarchical-flow", DATA[path.stem], task="density", config=recipe, settings=SMALL,
        accelerator="cpu", out=tmp_path / "run", with_baselines=False,
    )  # fmt: skip
    assert run.results["metrics"]["energy_evaluations"]["value"] > 0
