"""The rows of `boltzmann` and their settings at two-core size."""

from __future__ import annotations

from typing import Any

from zoo.bench.boltzmann.table import boltzmann_table
from zoo.bench.suite import Options, Row, Suite

SYSTEM = "alanine-dipeptide/replica-exchange"

#: Scores are computed against all frames of the replica exchange, which no row but the last learns from.
COMMON: dict[str, Any] = {"task.samples": 100_000, "task.reference": "all"}
TRAINED: dict[str, Any] = {
    "task.compile": True, "train.batch_size": 512, "train.ema": 0.995, "train.gradient_clip": 20.0,
}  # fmt: skip

#: Reverse KL as of 2019. The path gradient runs back through the inverse, which is infinite at the seam of
#: a torsion that is cut open.
PLAIN = [{"objectives": [{"name": "reverse-kl", "path_gradient": False}]}]

#: Model, label, epochs of 100 steps (and with `--quick`), settings; without epochs: fitted in closed form.
ROWS: tuple[tuple[str, str, int, int, dict[str, Any]], ...] = (
    ("laplace", "control", 0, 0, {"model.omega": "trans"}),
    ("realnvp", "reverse-kl", 24, 6, {**TRAINED, "optim.lr": 3e-4, "task.stages": PLAIN}),
    ("spline-flow", "reverse-kl", 18, 5, {**TRAINED, "task.objective": "energy"}),
    ("spline-flow", "annealed", 24, 6, {**TRAINED, "task.objective": "annealed"}),
    ("mixture-flow", "annealed", 24, 6, {**TRAINED, "task.objective": "annealed"}),
    ("hierarchical-flow", "recipe", 75, 15, {"task.compile": True}),
    ("equivariant-flow", "data", 100, 20, {"task.samples": 2000, "task.reference": "split"}),
)


def suite(options: Options) -> Suite:
    """Return the suite; `options.quick` trains each row for some minutes at most."""
    rows = []
    for model, label, epochs, quick, own in ROWS:
        length = {"train.epochs": quick if options.quick else epochs} if epochs else {}
        fewer = {"task.samples": min(20_000, own.get("task.samples", 20_000))} if options.quick else {}
        rows.append(Row(model, SYSTEM, "density", {**COMMON, **length, **own, **fewer}, label))
    title = "Boltzmann generators of alanine dipeptide, ff96 + OBC1, 300 K"
    return Suite(title, tuple(rows), tables=boltzmann_table)
