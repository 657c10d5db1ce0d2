"""From runs to records, and from records to a leaderboard for each dataset and task."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from zoo.config import RunConfig
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
        "settings_hash": _without_seed(config).digest(),
        "gpu": environment.get("gpu"),
        "threads": environment.get("threads"),
        "python": environment.get("python"),
        "versions": environment.get("packages", {}),
        "commit": environment.get("commit"),
        "command": environment.get("command"),
        "run": str(run.path),
        "error": None,
    }


def _without_seed(config: RunConfig) -> RunConfig:
    return config.model_copy(update={"train": config.train.model_copy(update={"seed": 0})})


def labels(records: Sequence[Record]) -> list[str]:
    """Return what to call each record's model, so that only seeds of one setting share a name.

    The model's name; where a model occurs with several settings, the run's folder behind it.
    """
    settings: dict[tuple[str, str, str], dict[str, str]] = {}
    for record in records:
        hashed = record.get("settings_hash")
        if hashed:
            folder = Path(record["run"]).name.rpartition("-seed")
            own = _short(folder[0] or folder[2], record)
            settings.setdefault(_where(record), {}).setdefault(hashed, own)
    names = []
    for record in records:
        found = settings.get(_where(record), {})
        name = found.get(record.get("settings_hash") or "", "")
        names.append(f"{record['model']} ({name})" if len(found) > 1 and name else record["model"])
    return names


def _short(folder: str, record: Record) -> str:
    """A run's folder without the model's and the dataset's names at its beginning, if more is left."""
    out = folder
    for name in (record["model"], record["dataset"]):
        out = out.removeprefix(name.replace("/", "-").replace(":", "-")).strip("-")
    return out or folder


def _where(record: Record) -> tuple[str, str, str]:
    return record["model"], record["dataset"], record["task"] or ""


@dataclass(frozen=True)
class Cell:
    """A metric of one model: its mean over seeds, and how far seeds (or blocks of test data) differ.

    `value` and `spread` are numbers, or lists over the targets (times); `scalar_spread` is that of
    the average over the targets.
    """

    value: Any
    spread: Any
    unit: str
    scalar_spread: float | None = None

    @property
    def scalar(self) -> float | None:
        """The value, averaged over targets; None where there is none."""
        return scalar(self.value)

    @property
    def listed(self) -> bool:
        """Whether there is a value for each target."""
        return isinstance(self.value, list)

    def text(self) -> str:
        """`0.1234 ± 0.005`; a list is averaged over its targets."""
        if isinstance(self.value, str):
            return self.value
        value = self.scalar
        if value is None:
            return "–"
        spread = self.scalar_spread if self.listed else self.spread
        return f"{value:.4g}" if spread is None else f"{value:.4g} ± {spread:.1g}"

    def each(self) -> str:
        """The values for all targets."""
        values = self.value if self.listed else [self.value]
        return " ".join("–" if v is None else f"{v:.2f}" for v in values)


@dataclass(frozen=True)
class Place:
    """One line of a leaderboard: `label` as `labels` has it, `model` as the registry has it."""

    label: str
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

    def unit(self, key: str) -> str:
        """Unit of a metric, "" where it has none."""
        unit = next((p.cells[key].unit for p in self.places if key in p.cells), "1")
        return "" if unit == "1" else unit

    def listed(self, key: str) -> bool:
        """Whether a metric has a value for each target."""
        return any(p.cells[key].listed for p in self.places if key in p.cells)

    def note(self) -> str:
        """What the numbers mean: direction, spread, ceiling."""
        better = "larger" if self.larger_is_better else "smaller"
        several = any(place.seeds > 1 for place in self.places)
        spread = "standard deviation over seeds" if several else "standard error over test blocks"
        ceiling = "; ceiling: what the noise of the data leaves to a perfect model"
        return f"{better} is better; ± {spread}" + (ceiling if self.ceiling else "")


def leaderboards(records: Iterable[Record]) -> list[Board]:
    """Return a leaderboard for each dataset and task, in the order of the records.

    Over several seeds a cell is mean ± standard deviation; of a single one, the value ± the
    standard error over blocks of the test split, where the task knows it. A baseline that no
    record is of, but a record was compared with, has a line of its own.
    """
    return [leaderboard(group) for group in grouped(records)]


def grouped(records: Iterable[Record]) -> list[list[Record]]:
    """Split records by dataset (its content, not only its name) and task."""
    groups: dict[tuple[str, str, str], list[Record]] = {}
    for record in records:
        key = (record["dataset"], record.get("data_digest") or "", record["task"] or "")
        groups.setdefault(key, []).append(record)
    return list(groups.values())


def scalar(value: Any) -> float | None:
    """Average a metric over its targets; None where nothing is known, or it is words."""
    if isinstance(value, str):
        return None
    if isinstance(value, list):
        known = [v for v in value if v is not None]
        return float(np.mean(known)) if known else None
    return None if value is None else float(value)


def tabular(metric: Mapping[str, Any]) -> bool:
    """Whether a metric fits into a cell: a number, numbers over targets, or words; not a table of its own."""
    return not isinstance(metric["value"], dict)


def leaderboard(records: list[Record]) -> Board:
    """Return the leaderboard of records of one dataset and task."""
    dataset, task = records[0]["dataset"], records[0]["task"] or ""
    by_model: dict[str, list[Record]] = {}
    for record, label in zip(records, labels(records), strict=True):
        by_model.setdefault(label, []).append(record)
    for record in list(records):
        for name, metrics in (record.get("baselines") or {}).items():
            if name not in by_model:
                by_model[name] = [{"model": name, "metrics": metrics}]
    done = [r for group in by_model.values() for r in group if r.get("metrics")]
    present = list(dict.fromkeys(key for r in done for key, m in r["metrics"].items() if tabular(m)))
    headline, larger = _headline(task, present)
    columns = [k for k in dict.fromkeys([headline, *present]) if k in present and not k.startswith(CEILING)]
    places = [_place(label, group, columns) for label, group in by_model.items()]
    places.sort(key=lambda p: _rank(p, headline, larger))
    if places and places[0].error is None and headline in places[0].cells:
        places[0] = replace(places[0], best=True)
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


def _place(label: str, records: list[Record], columns: list[str]) -> Place:
    done = [r for r in records if r.get("metrics")]
    errors = [r["error"] for r in records if r.get("error")]
    cells = {}
    for key in columns:
        metrics = [r["metrics"][key] for r in done if key in r["metrics"]]
        if metrics:
            cells[key] = _cell(metrics)
    seconds = [r["seconds"] for r in done if r.get("seconds") is not None]
    return Place(
        label=label,
        model=records[0]["model"],
        seeds=len(done),
        cells=cells,
        parameters=next((r["parameters"] for r in done if r.get("parameters") is not None), None),
        seconds=float(np.mean(seconds)) if seconds else None,
        fitted=_fitted(records[0]["model"]),
        error=errors[0] if errors else None,
    )


def _cell(metrics: list[Mapping[str, Any]]) -> Cell:
    unit = metrics[0]["unit"]
    if len(metrics) == 1:
        return Cell(metrics[0]["value"], metrics[0].get("error"), unit)
    if isinstance(metrics[0]["value"], str):
        return Cell(" | ".join(dict.fromkeys(m["value"] for m in metrics)), None, unit)
    # None (NaN in JSON) stays None: a mean over the other seeds would look better than it is
    values = np.array([m["value"] for m in metrics], dtype=np.float64)
    mean, spread = values.mean(0), values.std(0, ddof=1)
    averages = [a for m in metrics if (a := scalar(m["value"])) is not None]
    of_average = float(np.std(averages, ddof=1)) if len(averages) == len(metrics) else None
    return Cell(_plain(mean), _plain(spread), unit, of_average)


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
