"""The rows of `quickstart` and their settings at two-core size."""

from __future__ import annotations

from typing import Any

from zoo.bench.suite import Options, Row, Suite

MOLECULE, GLASS = ("alanine-dipeptide", "forces"), ("kob-andersen", "propensity")

#: Small and short, so that all rows take about five minutes on two cores: high learning rates that
#: fall to nothing, weights averaged, cutoffs no longer than needed (Å; σ).
COMMON = {"train.ema": 0.99, "optim.warmup_steps": 50}
SETTINGS: dict[tuple[str, str], dict[str, Any]] = {
    ("schnet", "forces"): {
        "train.epochs": 9, "train.batch_size": 16, "optim.lr": 1e-2, "model.cutoff": 6.0,
    },
    ("gat", "forces"): {
        "train.epochs": 4, "train.batch_size": 16, "optim.lr": 6e-3, "model.cutoff": 6.0,
        "model.hidden_channels": 32, "model.num_layers": 2,
    },
    ("schnet", "propensity"): {
        "train.epochs": 50, "train.batch_size": 1, "optim.lr": 5e-3, "model.cutoff": 2.0,
        "model.hidden_channels": 32, "model.num_filters": 32, "model.num_interactions": 2,
        "model.num_gaussians": 20,
    },
    ("gat", "propensity"): {
        "train.epochs": 30, "train.batch_size": 1, "optim.lr": 6e-3, "model.cutoff": 2.0,
        "model.hidden_channels": 32, "model.num_layers": 2, "model.num_gaussians": 20,
    },
}  # fmt: skip


def suite(options: Options) -> Suite:
    """Return the suite; the options change nothing in it."""
    rows = [
        Row(model, dataset, task, _settings(model, task))
        for (dataset, task), baselines in (
            (MOLECULE, ("mean-force", "harmonic")),
            (GLASS, ("type-mean", "ridge")),
        )
        for model in (*baselines, "schnet", "gat")
    ]
    return Suite("Quickstart: two graph networks on two systems, beside the baselines", tuple(rows))


def _settings(model: str, task: str) -> dict[str, Any]:
    own = SETTINGS.get((model, task))
    return {} if own is None else {**COMMON, **own}
