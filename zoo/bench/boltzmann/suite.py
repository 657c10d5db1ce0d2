"""The rows of `boltzmann` and their settings at two-core size."""

from __future__ import annotations

from typing import Any

from zoo.bench.boltzmann.table import boltzmann_table
from zoo.bench.suite import Options, Row, Suite

SYSTEM = "alanine-dipeptide/replica-exchange"

#: Scores are computed against all frames of the replica exchange: only `equivariant-flow` learns from some.
COMMON: dict[str, Any] = {"task.samples": 100_000, "task.reference": "all", "task.compile": True}

#: Model, label, epochs (and with `--quick`), settings; without epochs: fitted in closed form.
ROWS: tuple[tuple[str, str, int, int, dict[str, Any]], ...] = (
    ("laplace", "control", 0, 0, {"model.omega": "trans", "task.compile": False}),
    ("realnvp", "reverse-kl", 60, 8, {"task.objective": "energy"}),
    ("spline-flow", "reverse-kl", 60, 8, {"task.objective": "energy"}),
    ("spline-flow", "annealed", 60, 8, {"task.objective": "annealed"}),
    ("mixture-flow", "annealed", 60, 8, {"task.objective": "annealed"}),
    ("hierarchical-flow", "recipe", 80, 16, {}),
    (
        "equivariant-flow", "data", 40, 6,
        {"task.objective": "data", "task.samples": 2000, "task.reference": "split", "task.compile": False},
    ),
)  # fmt: skip


def suite(options: Options) -> Suite:
    """Return the suite; `options.quick` trains each row for some minutes at most."""
    rows = []
    for model, label, epochs, quick, own in ROWS:
        length = {"train.epochs": quick if options.quick else epochs} if epochs else {}
        fewer = {"task.samples": min(20_000, own.get("task.samples", 20_000))} if options.quick else {}
        rows.append(Row(model, SYSTEM, "density", {**COMMON, **length, **own, **fewer}, label))
    title = "Boltzmann generators of alanine dipeptide, ff96 + OBC1, 300 K"
    return Suite(title, tuple(rows), tables=boltzmann_table)
