"""Trained at one temperature (or with one potential), scored at another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from zoo import keys
from zoo.bench.glass.table import title
from zoo.bench.suite import Matrix, Table
from zoo.data.catalog import open_dataset
from zoo.data.dataset import Dataset
from zoo.run import Run
from zoo.tasks.metrics import pearson
from zoo.verbs.compare import Record
from zoo.verbs.evaluate import data_digest, make_task, predict
from zoo.weights import load_weights

#: Species that is scored.
SPECIES = "A"


def transfer(records: Sequence[Record], datasets: Sequence[str], names: Sequence[str]) -> list[Record]:
    """Score each run on the test split of each dataset, at the last time of both.

    Args:
        records: of finished runs; those on other data are left alone.
        datasets: names or folders, as the runs' configs have them.
        names: what to call them, such as "T = 0.64".

    Returns:
        A record for each run and dataset: `model`, `trained_on`, `scored_on`, `pearson_mean_A` of the last
        time and its standard error over configurations.
    """
    opened = {name: open_dataset(where) for where, name in zip(datasets, names, strict=True)}
    known = {(data.name, data_digest(data)): name for name, data in opened.items()}
    out = []
    for record in records:
        trained_on = known.get((record["dataset"], record["data_digest"] or ""))
        if record["error"] is not None or trained_on is None:
            continue
        run = Run(record["run"])
        task = make_task(load_weights(run.path), run.config.task)
        for name, data in opened.items():
            frames = data.split("test")
            guess = predict(task, frames)[keys.TARGETS][..., -1].astype(np.float64)
            truth = frames.array(keys.TARGETS)[..., -1].astype(np.float64)
            mine = data.system.types == _type_of(data)
            each = np.nan_to_num(pearson(truth[:, mine], guess[:, mine]))
            out.append({
                "measure": "transfer", "model": title(record), "trained_on": trained_on, "scored_on": name,
                "configurations": len(each), "pearson_mean_A": float(each.mean()),
                "error": float(each.std(ddof=1) / len(each) ** 0.5) if len(each) > 1 else None,
            })  # fmt: skip
    return out


def tables(measured: Sequence[dict[str, Any]], name: str) -> list[Table]:
    """Return a matrix for each model: rows what it was trained on, columns what it is scored on."""
    out = []
    for model in dict.fromkeys(r["model"] for r in measured):
        mine = [r for r in measured if r["model"] == model]
        names = list(dict.fromkeys(r["scored_on"] for r in mine))
        cells = {(r["trained_on"], r["scored_on"]): r for r in mine}
        lines = [
            (trained, *(_cell(cells.get((trained, scored))) for scored in names))
            for trained in dict.fromkeys(r["trained_on"] for r in mine)
        ]
        note = f"Pearson correlation of {SPECIES} within a test configuration, at the last time of both."
        header = ("TRAINED ON", *(f"SCORED ON {name}" for name in names))
        out.append(Table(f"{name} · {model}", header, lines, note))
    return out


def matrices(measured: Sequence[dict[str, Any]], name: str) -> list[Matrix]:
    """Return the same as numbers, for heat maps."""
    out = []
    for model in dict.fromkeys(r["model"] for r in measured):
        cells = {
            (r["trained_on"], r["scored_on"]): r["pearson_mean_A"] for r in measured if r["model"] == model
        }
        trained, scored = (list(dict.fromkeys(pair[k] for pair in cells)) for k in (0, 1))
        values = [[cells.get((a, b), float("nan")) for b in scored] for a in trained]
        out.append(Matrix(f"{name} · {model}", trained, scored, values))
    return out


def _cell(record: dict[str, Any] | None) -> str:
    if record is None:
        return "–"
    error = record["error"]
    return f"{record['pearson_mean_A']:.3f}" + ("" if error is None else f" ± {error:.3f}")


def _type_of(data: Dataset) -> int:
    return next(kind for kind, name in data.system.type_names.items() if name == SPECIES)
