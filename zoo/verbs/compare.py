"""From runs to records, and from records to a leaderboard for each dataset and task."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from zoo.errors import ZooError
from zoo.registry import REGISTRY
from zoo.registry.spec import TaskSpec
from zoo.run import Run

Record = dict[str, Any]

#: Metrics of this beginning are what a perfect model could reach; they stand below a leaderboard.
CEILING = "ceiling_"


def run_record(run: Run) -> Record:
    """Return everything that a table needs of a finished run, as plain JSON.

    Raises:
        RunError: the run is not finished, or cannot be read.
    """
    results, environment, config = run.results, run.environment, run.config
    kept = ("model", "dataset", "task", "seed", "split", "parameters", "frames", "seconds", "device")
    return {
        **{key: results.get(key) for key in kept},
        "epochs": len(run.curve()) or None,
        "metrics": results["metrics"],
        "baselines": results.get("baselines", {}),
        "data_digest": config.dataset.get("digest"),
        "config_hash": config.digest(),
        "gpu": environment.get("gpu"),
        "threads": environment.get("threads"),
        "python": environment.get("python"),
        "versions": environment.get("packages", {}),
        "commit": environment.get("commit"),
        "command": environment.get("command"),
        "run": str(run.path),
        "error": None,
    }


@dataclass(frozen=True)
class Cell:
    """A metric of one model: its mean over seeds, and how far seeds (or blocks of test data) differ.

    `value` and `spread` are numbers, or lists over the targets (times).
    """

    value: Any
    spread: Any
    unit: str

    @property
    def scalar(self) -> float | None:
        """The value, averaged over targets; None where there is none."""
        return scalar(self.value)


@dataclass(frozen=True)
class Place:
    """One line of a leaderboard."""

    model: str
    seeds: int
    cells: dict[str, Cell]
    parameters: int | None = None
    seconds: float | None = None
    fitted: bool = False
    best: bool = False
    error: str | None = None


@dataclass(frozen=True)
class Board:
    """Models on one dataset for one task, the best first.

    Args:
        columns: keys of the metrics, the headline first.
        ceiling: what a perfect model would reach, by the key of the metric it bounds.
    """

    dataset: str
    task: str
    headline: str
    larger_is_better: bool
    columns: list[str]
    places: list[Place]
    ceiling: dict[str, Cell] = field(default_factory=dict)


def leaderboards(records: Iterable[Record]) -> list[Board]:
    """Return a leaderboard for each dataset and task, in the order of the records.

    Over several seeds a cell is mean ± standard deviation; of a single one, the value ± the
    standard error over blocks of the test split, where the task knows it. A baseline that no
    record is of, but a record was compared with, has a line of its own.
    """
    groups: dict[tuple[str, str, str], list[Record]] = {}
    for record in records:
        key = (record["dataset"], record.get("data_digest") or "", record["task"] or "")
        groups.setdefault(key, []).append(record)
    return [_board(dataset, task, group) for (dataset, _, task), group in groups.items()]


def scalar(value: Any) -> float | None:
    """Average a metric over its targets; None where nothing is known."""
    if isinstance(value, list):
        known = [v for v in value if v is not None]
        return float(np.mean(known)) if known else None
    return None if value is None else float(value)


def _board(dataset: str, task: str, records: list[Record]) -> Board:
    by_model: dict[str, list[Record]] = {}
    for record in records:
        by_model.setdefault(record["model"], []).append(record)
    for record in list(records):
        for name, metrics in (record.get("baselines") or {}).items():
            if name not in by_model:
                by_model[name] = [{"model": name, "metrics": metrics}]
    done = [r for group in by_model.values() for r in group if r.get("metrics")]
    present = list(dict.fromkeys(key for r in done for key in r["metrics"]))
    headline, larger = _headline(task, present)
    columns = [k for k in dict.fromkeys([headline, *present]) if k in present and not k.startswith(CEILING)]
    places = [_place(model, group, columns) for model, group in by_model.items()]
    places.sort(key=lambda p: _rank(p, headline, larger))
    if places and places[0].error is None and headline in places[0].cells:
        first = places[0]
        places[0] = Place(**{**first.__dict__, "best": True})
    ceiling: dict[str, Cell] = {}
    for record in done:
        for key, metric in record["metrics"].items():
            bounded = _bounded(key, columns)
            if bounded:
                ceiling.setdefault(bounded, Cell(metric["value"], None, metric["unit"]))
    return Board(dataset, task, headline, larger, columns, places, ceiling)


def _bounded(key: str, columns: list[str]) -> str | None:
    """`pearson_mean_A` for `ceiling_mean_A`; None for what is no ceiling."""
    if not key.startswith(CEILING):
        return None
    tail = key.removeprefix(CEILING)
    return next((c for c in columns if c.partition("_")[2] == tail), None)


def _headline(task: str, present: list[str]) -> tuple[str, bool]:
    """The metric that ranks, and whether larger is better. A task of an absent plugin: its first."""
    try:
        spec = REGISTRY.get("tasks", task)
    except ZooError:
        spec = None
    usable = [key for key in present if not key.startswith(CEILING)]
    if isinstance(spec, TaskSpec):
        if spec.headline in present or not usable:
            return spec.headline, spec.larger_is_better
        # `pearson_mean_A` of a system that calls its particles otherwise
        stem = spec.headline.rpartition("_")[0] or spec.headline
        alike = [key for key in usable if key.startswith(stem)]
        return (alike or usable)[0], spec.larger_is_better
    return (usable or [""])[0], False


def _place(model: str, records: list[Record], columns: list[str]) -> Place:
    done = [r for r in records if r.get("metrics")]
    errors = [r["error"] for r in records if r.get("error")]
    cells = {}
    for key in columns:
        metrics = [r["metrics"][key] for r in done if key in r["metrics"]]
        if metrics:
            cells[key] = _cell(metrics)
    seconds = [r["seconds"] for r in done if r.get("seconds") is not None]
    return Place(
        model=model,
        seeds=len(done),
        cells=cells,
        parameters=next((r["parameters"] for r in done if r.get("parameters") is not None), None),
        seconds=float(np.mean(seconds)) if seconds else None,
        fitted=_fitted(model),
        error=errors[0] if errors else None,
    )


def _cell(metrics: list[Mapping[str, Any]]) -> Cell:
    unit = metrics[0]["unit"]
    if len(metrics) == 1:
        return Cell(metrics[0]["value"], metrics[0].get("error"), unit)
    # None (NaN in JSON) stays None: a mean over the other seeds would look better than it is
    values = np.array([m["value"] for m in metrics], dtype=np.float64)
    mean, spread = values.mean(0), values.std(0, ddof=1)
    return Cell(_plain(mean), _plain(spread), unit)


def _plain(array: np.ndarray) -> Any:
    values = np.where(np.isfinite(array), array, None)  # type: ignore[call-overload]
    return values.tolist()


def _rank(place: Place, headline: str, larger: bool) -> tuple[int, float]:
    cell = place.cells.get(headline)
    value = cell.scalar if cell else None
    if value is None:
        return 2, 0.0
    return (1 if place.error else 0), -value if larger else value


def _fitted(model: str) -> bool:
    try:
        return bool(getattr(REGISTRY.get("models", model), "fitted", False))
    except ZooError:
        return False
