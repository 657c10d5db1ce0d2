"""The rows of `quickstart` and their settings at two-core size."""

from __future__ import annotations

from typing import Any

from zoo.bench.suite import Options, Row, Suite

MOLECULE, GLASS = ("alanine-dipeptide", "forces"), ("kob-andersen", "propensity")

#: What is trained for how long. Everything else is the models' own recipe for the task.
SETTINGS: dict[tuple[str, str], dict[str, Any]] = {
    ("schnet", "forces"): {"train.epochs": 12},
    ("gat", "forces"): {"train.epochs": 8},
    ("schnet", "propensity"): {"train.epochs": 20},
    ("gat", "propensity"): {"train.epochs": 20},
}


def suite(options: Options) -> Suite:
    """Return the suite; the options change nothing in it."""
    rows = [
        Row(model, dataset, task, SETTINGS.get((model, task), {}))
        for (dataset, task), baselines in (
            (MOLECULE, ("mean-force", "harmonic")),
            (GLASS, ("type-mean", "ridge")),
        )
        for model in (*baselines, "schnet", "gat")
    ]
    return Suite("Quickstart: two graph networks on two systems, beside the baselines", tuple(rows))
